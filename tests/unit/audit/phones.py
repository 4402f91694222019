"""Phones for the theatre: what they get is shown as the simulator shows it; receipts tell of it later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas import encode
from schemas.event_types import RECEIPTS
from schemas.notifications import Recipient
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Message
from streams.clock import utc
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient, Unconfirmed
from tests.unit.audit.theatre import Theatre

DEAD, DOUBTFUL, QUICK, EXCUSED = "+491600", "+491601", "+491602", "+491603"
"""How numbers begin that do not exist by SMS; whose SMS arrive without our hearing of it; where the receipt comes
before that answer which never comes; whose first SMS arrives though the provider excuses itself."""
EXCUSED_TWICE = EXCUSED + "2"
"""Whose receipt comes with the second excuse."""


@dataclass
class Phone:
    """SMS, or WhatsApp."""

    name: ChannelName
    accepted: list[dict[str, Any]]
    tell: Callable[[Message, str], None]
    provider: str = field(init=False)
    recognises_repeats: bool = False
    gives_receipts: bool = True
    per_recipient: None = None

    def __post_init__(self) -> None:
        self.provider = "twilio" if self.name is ChannelName.SMS else "whatsapp"

    def account(self, address: str | None) -> Account:
        return Account(self.provider)

    def address(self, recipient: Recipient) -> str | None:
        return recipient.phone

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.BOUNCED

    async def send(self, message: Message, begin_before: float) -> Result:
        is_sms = self.name is ChannelName.SMS
        if is_sms and message.address.startswith(DEAD):
            return Permanent(DeliveryReason.DEAD_ADDRESS, "21614")
        if is_sms and message.attempt > 1:
            self.tell(message, "delivered")  # of the first attempt
            return Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")
        message_id = f"{self.provider}-{len(self.accepted)}"
        named = Correlation(message.company_id, message.notification_id, self.name, message.attempt).written()
        content = {"StatusCallback": f"https://example.org/webhooks/twilio?{named}"} if is_sms else {}
        self.accepted.append(
            {"id": message_id, "protocol": self.provider, "content": content, "correlation": named}
        )
        if is_sms and message.address.startswith(QUICK):
            self.tell(message, "delivered")
        if is_sms and message.address.startswith((DOUBTFUL, QUICK)):
            return Unconfirmed(DeliveryReason.TIMEOUT, "no answer")
        if is_sms and message.address.startswith(EXCUSED):
            if not message.address.startswith(EXCUSED_TWICE):
                self.tell(message, "delivered")
            return Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")
        return Accepted(message_id)

    async def close(self) -> None: ...


@dataclass
class App:
    """Push, by FCM."""

    accepted: list[dict[str, Any]]
    provider: str = "fcm"
    recognises_repeats: bool = True
    gives_receipts: bool = False
    per_recipient: None = None

    def account(self, address: str | None) -> Account:
        return Account(self.provider)

    def address(self, recipient: Recipient) -> str | None:
        return recipient.push.fcm_token if recipient.push is not None else None

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.REJECTED

    async def send(self, message: Message, begin_before: float) -> Result:
        data = {"company_id": message.company_id, "notification_id": message.notification_id}
        message_id = f"fcm-{len(self.accepted)}"
        self.accepted.append({"id": message_id, "protocol": "fcm", "content": {"data": data}, "correlation": None})
        return Accepted(message_id)

    async def close(self) -> None: ...


class PhoneTheatre(Theatre):
    """With all four channels; `messages` is what phones and apps got."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        sms, whatsapp = (
            Phone(each, self.messages, self._told) for each in (ChannelName.SMS, ChannelName.WHATSAPP)
        )
        super().__init__(grace_seconds=5, sms=sms, whatsapp=whatsapp, push=App(self.messages))

    def hear(self, entity_id: str, channel: str, *statuses: str) -> None:
        """Receipts about what the customer of this appointment was sent."""
        for status in statuses:
            self._receipt("co-1", self.notification(entity_id), channel, status)
        self.send()

    def notification(self, entity_id: str) -> str:
        requests = (entry.event["data"] for entry in self.log["notification.requests"])
        return next(str(data["notification_id"]) for data in requests if data["entity"]["id"] == entity_id)

    def _told(self, message: Message, status: str) -> None:
        self._receipt(message.company_id, message.notification_id, "sms", status)

    def _receipt(self, company_id: str, notification_id: str, channel: str, status: str) -> None:
        number, at = len(self.log[RECEIPTS]), utc(self.clock.now())
        data = {"company_id": company_id, "notification_id": notification_id, "channel": channel, "attempt": 1}
        data |= {"provider": channel, "status": status, "at": at}
        value = encode(
            "provider.receipt",
            id=f"receipt-{number}",
            source="/staffetta/webhooks",
            time=at,
            subject=None,
            company_id=company_id,
            data=data,
        )
        self.write(RECEIPTS, company_id.encode(), value)
