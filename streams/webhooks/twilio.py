"""Twilio's status callbacks, and what people answer to our messages.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hmac
from collections import defaultdict
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from schemas.reasons import ChannelName
from schemas.receipts import OptSource, ReceiptStatus
from streams.policy.delivery.correlation import Correlation
from streams.policy.notification.identity import recipient_hash
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.requests import Answer, answered, body, is_same

PATH: Final = "/webhooks/twilio"
MOST_FIELDS = 200
_STATUSES = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "undelivered": ReceiptStatus.FAILED,
    "failed": ReceiptStatus.FAILED,
}
STOP = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
        *("ARRET", "ARRÊT", "ARRETE", "ARRÊTE", "ARRETT", "ALTO", "PARAR", "STOPP"),
    }
)
START = frozenset(["START", "YES", "UNSTOP"])
"""A message that is one of these words. An account with keywords of its own says it in `OptOutType`."""

Form = Mapping[str, list[str]]


class Twilio:
    def __init__(self, settings: Settings, receipts: Receipts) -> None:
        self._token = (settings.twilio_auth_token or "").encode()
        self._public_url = settings.public_url or ""
        self._hash_key = (settings.recipient_hash_key or "").encode()
        self._receipts = receipts

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(PATH, answered("twilio", self._status))
        app.router.add_post(f"{PATH}/inbound", answered("twilio_inbound", self._inbound))

    async def _status(self, request: web.Request) -> Answer:
        form = await self._signed_form(request)
        if form is None:
            return Answer.WRONG_SIGNATURE
        about, status = Correlation.read(request.query_string), _STATUSES.get(_first(form, "MessageStatus"))
        if about is None or status is None:
            return Answer.IGNORED
        await self._receipts.write_receipt(
            about,
            status,
            provider="twilio",
            provider_message_id=_first(form, "MessageSid") or None,
            error=_first(form, "ErrorCode") or None,
        )
        return Answer.WRITTEN

    async def _inbound(self, request: web.Request) -> Answer:
        form = await self._signed_form(request)
        if form is None:
            return Answer.WRONG_SIGNATURE
        kind = _first(form, "OptOutType").upper() or _first(form, "Body").strip().upper()
        sender = _first(form, "From")
        if not sender or kind not in STOP | START:
            return Answer.IGNORED
        await self._receipts.write_everywhere(
            "address.opted_out" if kind in STOP else "address.opted_in",
            {
                "channel": ChannelName.SMS,
                "recipient_hash": recipient_hash(self._hash_key, sender),
                "source": OptSource.KEYWORD,
                "account": _first(form, "AccountSid") or None,
            },
        )
        return Answer.WRITTEN

    async def _signed_form(self, request: web.Request) -> Form | None:
        """None: whoever sent it does not know the token."""
        given = request.headers.get("X-Twilio-Signature", "")
        form = await _form(request) if given else None
        if form is None or not is_same(given, signature(self._token, self._public_url + request.raw_path, form)):
            return None
        return form


def signature(token: bytes, url: str, form: Form) -> str:
    """Over the URL as Twilio was given it, then each field's name and values, in the order of the names."""
    fields = "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return base64.b64encode(hmac.digest(token, (url + fields).encode(), "sha1")).decode()


async def _form(request: web.Request) -> Form | None:
    """None if it has more fields than Twilio ever sends."""
    form: dict[str, list[str]] = defaultdict(list)
    text = (await body(request)).decode(errors="replace")
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    for name, value in fields:
        form[name].append(value)
    return form


def _first(form: Form, name: str) -> str:
    return form[name][0] if name in form else ""
