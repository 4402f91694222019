"""SMS through Twilio's Messages API.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/api/errors,
https://www.twilio.com/docs/usage/api/account
"""

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Self
from urllib.parse import urlencode

from schemas.addresses import usable_phone
from schemas.notifications import Recipient
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.answers import (
    DEAD,
    NOT_OURS,
    OPTED_OUT,
    REJECTED,
    THROTTLED,
    UNAVAILABLE,
    Answer,
    Meaning,
    by_status,
    cleaned,
    message_id,
    number,
    reason_of,
)
from sinks.channels.base import Message
from sinks.channels.discretion import discreet
from sinks.channels.examining import Examination, Provider, looked_up
from sinks.channels.http import Http
from streams.errors import UserError
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.results import Accepted, Permanent, Result, Unconfirmed
from streams.settings import Settings

RECEIPTS = "/webhooks/twilio"
LONGEST_VALIDITY_SECONDS = 36_000
CODES: Mapping[int, Meaning] = {
    20003: NOT_OURS,
    20429: THROTTLED,
    21211: DEAD,
    21212: REJECTED,
    21214: DEAD,
    21408: REJECTED,
    21606: REJECTED,
    21609: REJECTED,
    21610: OPTED_OUT,
    21611: THROTTLED,
    21612: REJECTED,
    21614: DEAD,
    21617: REJECTED,
    30001: THROTTLED,
    30002: Meaning(Permanent, DeliveryReason.AUTH_FAILED),
    30003: UNAVAILABLE,
    30004: REJECTED,
    30005: DEAD,
    30006: DEAD,
    30007: REJECTED,
    30008: UNAVAILABLE,
    30034: REJECTED,
}
"""What an error of the API, or of a message, stands for."""
TEST_CREDENTIALS = 20008
"""They are right, and nothing is ever sent with them."""
UNKNOWN = Meaning(Unconfirmed, DeliveryReason.UNAVAILABLE)
"""A 5xx: the message may have been created."""
PROVIDER = Provider(
    "Twilio", "STAFFETTA_TWILIO_ACCOUNT_SID and STAFFETTA_TWILIO_AUTH_TOKEN", "STAFFETTA_TWILIO_BASE_URL"
)
_FAILED = frozenset({"failed", "undelivered", "canceled"})


class Twilio:
    """Sends from a number, or through a Messaging Service (`MG…`). With `public_url`, receipts are asked for."""

    recognises_repeats = False
    per_recipient = None

    def __init__(
        self,
        base_url: str,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        concurrency: int,
        timeout_seconds: float,
        public_url: str | None = None,
    ) -> None:
        self._account_url = f"{base_url}/2010-04-01/Accounts/{account_sid}"
        self._url = f"{self._account_url}/Messages.json"
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = {"Authorization": f"Basic {credentials}"}
        self._headers = {**self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        self._account_sid = account_sid
        self._secrets = (account_sid, auth_token)
        self._sender = sender
        self._public_url = public_url
        self._http = Http(concurrency=concurrency, timeout_seconds=timeout_seconds)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        sid, token, sender = settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from
        if sid is None or token is None or sender is None:
            return None
        return cls(
            settings.twilio_base_url,
            sid,
            token,
            sender,
            concurrency=settings.sms_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
            public_url=settings.public_url,
        )

    @property
    def gives_receipts(self) -> bool:
        return self._public_url is not None

    def account(self, address: str | None) -> Account:
        return Account("twilio")

    def address(self, recipient: Recipient) -> str | None:
        return usable_phone(recipient.phone)

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return reason_of(error, CODES)

    async def send(self, message: Message, begin_before: float) -> Result:
        body = urlencode(dict(self._fields(message))).encode()
        said = await self._http.post(self._url, body, self._headers, begin_before)
        return self._judged(said, message) if isinstance(said, Answer) else said

    def examinations(self) -> Mapping[str, Examination]:
        return {"twilio": self._examine}

    async def close(self) -> None:
        await self._http.close()

    async def _examine(self) -> str:
        """The answer has the token in it, so nothing of it is repeated but the status."""
        url = f"{self._account_url}.json"
        account = await looked_up(self._http, url, self._authorization, PROVIDER, self._account_refused)
        if account.get("sid") != self._account_sid:
            raise PROVIDER.elsewhere()
        if account.get("status") != "active":
            status = cleaned(str(account.get("status")), self._secrets)
            raise UserError(f"Twilio's account is {status}: it must be made active in Twilio's console")
        return "Twilio's account is active"

    def _account_refused(self, answer: Answer) -> Result:
        said = self._refused(answer)
        if number(answer.json().get("code")) == TEST_CREDENTIALS:
            raise PROVIDER.problem(said, f"these are test credentials, set {PROVIDER.account} to the live ones")
        return said

    def _fields(self, message: Message) -> Iterator[tuple[str, str]]:
        yield "To", message.address
        yield "MessagingServiceSid" if self._sender.startswith("MG") else "From", self._sender
        yield "Body", message.body_text
        if self._public_url is not None:
            about = Correlation(message.company_id, message.notification_id, ChannelName.SMS, message.attempt)
            yield "StatusCallback", f"{self._public_url}{RECEIPTS}?{about.written()}"
        if message.ttl_seconds is not None:
            yield "ValidityPeriod", str(max(1, min(LONGEST_VALIDITY_SECONDS, math.floor(message.ttl_seconds))))

    def _judged(self, answer: Answer, message: Message) -> Result:
        content = answer.json()
        sid = message_id(content.get("sid"))
        if answer.is_success and sid is not None and content.get("status") not in _FAILED:
            return Accepted(sid)
        if answer.is_success and number(content.get("error_code")) is None:
            return answer.unclear()
        return self._refused(answer, message)

    def _refused(self, answer: Answer, message: Message | None = None) -> Result:
        content = answer.json()
        code = number(content.get("error_code" if answer.is_success else "code"))
        said = content.get("error_message" if answer.is_success else "message")
        meaning = CODES.get(-1 if code is None else code) or by_status(answer.status, UNKNOWN)
        told = discreet(answer.told(code, said), message, self._secrets)
        return meaning.of(told, answer.retry_after_seconds())
