"""WhatsApp through Meta's Cloud API.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages, .../support/error-codes,
.../reference/phone-numbers
"""

from collections.abc import Mapping
from typing import Any, Self

import orjson

from schemas.addresses import usable_phone
from schemas.notifications import FilledTemplate, Recipient
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
    get,
    message_id,
    number,
    reason_of,
)
from sinks.channels.base import Message
from sinks.channels.discretion import discreet
from sinks.channels.examining import Examination, Provider, looked_up
from sinks.channels.http import Http
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.rates import Pace
from streams.policy.delivery.results import Accepted, AccountWide, Result
from streams.settings import Settings

VERSION = "v23.0"
"""Of the Graph API; each is served for two years."""
CODES: Mapping[int, Meaning] = {
    # the recipient
    131021: REJECTED,
    131026: DEAD,
    131030: REJECTED,
    131050: OPTED_OUT,
    131051: REJECTED,
    130472: REJECTED,
    131047: REJECTED,
    # the request, or the template
    100: REJECTED,
    131008: REJECTED,
    131009: REJECTED,
    132000: REJECTED,
    132001: REJECTED,
    132005: REJECTED,
    132007: REJECTED,
    132008: REJECTED,
    132012: REJECTED,
    132015: REJECTED,
    132016: REJECTED,
    # the account
    0: NOT_OURS,
    10: NOT_OURS,
    190: NOT_OURS,
    **dict.fromkeys(range(200, 300), NOT_OURS),
    368: NOT_OURS,
    131005: NOT_OURS,
    131031: NOT_OURS,
    131042: NOT_OURS,
    131045: NOT_OURS,
    130497: NOT_OURS,
    131048: Meaning(AccountWide, DeliveryReason.RATE_LIMITED),
    # the moment
    2: UNAVAILABLE,
    4: THROTTLED,
    80007: THROTTLED,
    130429: THROTTLED,
    131000: UNAVAILABLE,
    131016: UNAVAILABLE,
    131056: THROTTLED,
    131057: UNAVAILABLE,
}
"""What an error stands for, in an answer or in a receipt. 131048: too many have blocked or reported our number,
and whatever it sends makes that worse."""


PROVIDER = Provider(
    "Meta",
    "STAFFETTA_WHATSAPP_PHONE_NUMBER_ID and STAFFETTA_WHATSAPP_TOKEN, which needs the permissions "
    "whatsapp_business_messaging and whatsapp_business_management",
    "STAFFETTA_WHATSAPP_BASE_URL",
)


class WhatsApp:
    """Sends a template that Meta has approved, where the text has one; else the text itself, which arrives only
    within a day after the recipient has written."""

    recognises_repeats = False
    per_recipient = Pace(every_seconds=6, burst=45)

    def __init__(
        self,
        base_url: str,
        phone_number_id: str,
        token: str,
        *,
        concurrency: int,
        timeout_seconds: float,
        gives_receipts: bool = False,
    ) -> None:
        self.gives_receipts = gives_receipts
        self._number_url = f"{base_url}/{VERSION}/{phone_number_id}"
        self._url = f"{self._number_url}/messages"
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._headers = {**self._authorization, "Content-Type": "application/json"}
        self._phone_number_id = phone_number_id
        self._secrets = (phone_number_id, token)
        self._http = Http(concurrency=concurrency, timeout_seconds=timeout_seconds)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        number_id, token = settings.whatsapp_phone_number_id, settings.whatsapp_token
        if number_id is None or token is None:
            return None
        return cls(
            settings.whatsapp_base_url,
            number_id,
            token,
            concurrency=settings.whatsapp_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
            gives_receipts=settings.whatsapp_app_secret is not None,
        )

    def account(self, address: str | None) -> Account:
        return Account("whatsapp")

    def address(self, recipient: Recipient) -> str | None:
        return usable_phone(recipient.phone)

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return reason_of(error, CODES)

    async def send(self, message: Message, begin_before: float) -> Result:
        said = await self._http.post(self._url, orjson.dumps(_content(message)), self._headers, begin_before)
        return self._judged(said, message) if isinstance(said, Answer) else said

    def examinations(self) -> Mapping[str, Examination]:
        return {"whatsapp": self._examine}

    async def close(self) -> None:
        await self._http.close()

    async def _examine(self) -> str:
        sender = await looked_up(self._http, self._number_url, self._authorization, PROVIDER, self._refused)
        if sender.get("id") != self._phone_number_id:
            raise PROVIDER.elsewhere()
        return "Meta knows the number, and the token is good for it"

    def _judged(self, answer: Answer, message: Message) -> Result:
        content = answer.json()
        taken_as, error = message_id(get(content, "messages", 0, "id")), content.get("error")
        if answer.is_success and taken_as is not None:
            return Accepted(taken_as)
        if answer.is_success and error is None:
            return answer.unclear()
        return self._refused(answer, message)

    def _refused(self, answer: Answer, message: Message | None = None) -> Result:
        error = answer.json().get("error")
        code = number(get(error, "code"))
        said = get(error, "error_data", "details") or get(error, "message")
        meaning = CODES.get(-1 if code is None else code) or by_status(answer.status, UNAVAILABLE)
        told = discreet(answer.told(code, said), message, self._secrets)
        return meaning.of(told, answer.retry_after_seconds())


def _content(message: Message) -> dict[str, Any]:
    about = Correlation(message.company_id, message.notification_id, ChannelName.WHATSAPP, message.attempt)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.address,
        **_said(message.template, message.body_text),
        "biz_opaque_callback_data": about.written(),
    }


def _said(template: FilledTemplate | None, text: str) -> dict[str, Any]:
    if template is None:
        return {"type": "text", "text": {"body": text}}
    parameters = [{"type": "text", "text": parameter} for parameter in template.parameters]
    content: dict[str, Any] = {"name": template.name, "language": {"code": template.language}}
    if parameters:
        content["components"] = [{"type": "body", "parameters": parameters}]
    return {"type": "template", "template": content}
