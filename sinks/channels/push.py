"""Push, to whichever of the two a recipient has: an app's token of FCM, or a browser's subscription."""

from collections.abc import Mapping
from typing import Self

from schemas.notifications import Recipient
from schemas.push_addresses import Subscription
from schemas.reasons import DeliveryReason
from sinks.channels.base import Message
from sinks.channels.examining import Examination
from sinks.channels.fcm import Fcm
from sinks.channels.webpush import WebPush
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.results import Result, Unsendable
from streams.settings import Settings


class Push:
    """Either may be missing; who has both addresses is reached in the app."""

    recognises_repeats = True
    gives_receipts = False
    per_recipient = None

    def __init__(self, fcm: Fcm | None, webpush: WebPush | None) -> None:
        self._fcm = fcm
        self._webpush = webpush
        self._ways = [way for way in (fcm, webpush) if way is not None]

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        fcm, webpush = Fcm.from_settings(settings), WebPush.from_settings(settings)
        return None if fcm is None and webpush is None else cls(fcm, webpush)

    def account(self, address: str | None) -> Account:
        """Each browser's push service is a server of its own, which may be away, or refuse our key, alone."""
        subscription = None if address is None else Subscription.read(address)
        return Account("fcm") if subscription is None else Account("webpush", subscription.origin)

    def address(self, recipient: Recipient) -> str | None:
        found = (way.address(recipient) for way in self._ways)
        return next((address for address in found if address is not None), None)

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.REJECTED

    async def send(self, message: Message, begin_before: float) -> Result:
        is_browser = Subscription.read(message.address) is not None
        way = self._webpush if is_browser else self._fcm
        if way is None:
            return Unsendable(DeliveryReason.REJECTED, "this way of push is not set up")
        return await way.send(message, begin_before)

    def examinations(self) -> Mapping[str, Examination]:
        return {name: examine for way in self._ways for name, examine in way.examinations().items()}

    async def close(self) -> None:
        for way in self._ways:
            await way.close()
