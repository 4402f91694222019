"""Meta's notifications about WhatsApp messages.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hmac
from collections.abc import Iterator
from typing import Any, Final

import orjson
from aiohttp import web

from schemas.receipts import ReceiptStatus
from sinks.channels.answers import get, number
from streams.policy.delivery.correlation import Correlation
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.requests import Answer, answered, body, count, is_same

PATH: Final = "/webhooks/whatsapp"
BODY_BYTES = 3 * 1024 * 1024
"""Meta's limit."""
_STATUSES = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "failed": ReceiptStatus.FAILED,
}


class WhatsApp:
    def __init__(self, settings: Settings, receipts: Receipts) -> None:
        self._secret = (settings.whatsapp_app_secret or "").encode()
        self._verify_token = settings.whatsapp_verify_token or ""
        self._receipts = receipts

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(PATH, self._verify)
        app.router.add_post(PATH, answered("whatsapp", self._receive))

    async def _verify(self, request: web.Request) -> web.Response:
        """Meta asks once, when the webhook is entered there, whether it is ours."""
        given = request.query.get("hub.verify_token", "")
        if not self._verify_token or not is_same(given, self._verify_token):
            count("whatsapp", Answer.WRONG_SIGNATURE)
            return web.Response(status=403)
        return web.Response(text=request.query.get("hub.challenge", ""))

    async def _receive(self, request: web.Request) -> Answer:
        content = await body(request, BODY_BYTES)
        expected = "sha256=" + hmac.digest(self._secret, content, "sha256").hex()
        if not is_same(request.headers.get("X-Hub-Signature-256", ""), expected):
            return Answer.WRONG_SIGNATURE
        told = _object(content)
        if told is None:
            return Answer.UNREADABLE
        return Answer.WRITTEN if await self._write(list(_statuses(told))) else Answer.IGNORED

    async def _write(self, statuses: list[Any]) -> bool:
        """Whether any was for us."""
        ours = []
        for each in statuses:
            opaque = get(each, "biz_opaque_callback_data")
            about = Correlation.read(opaque) if isinstance(opaque, str) else None
            status = _STATUSES.get(str(get(each, "status")))
            if about is not None and status is not None:
                ours.append((about, status, _details(each)))
        if ours:
            await self._receipts.write_receipts(ours)
        return bool(ours)


def _object(content: bytes) -> Any:
    """None if there is no JSON object."""
    try:
        told = orjson.loads(content)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _statuses(told: Any) -> Iterator[Any]:
    """Whatever stands where statuses do: one that is odd must not hold up the others."""
    for entry in _list(get(told, "entry")):
        for change in _list(get(entry, "changes")):
            yield from _list(get(change, "value", "statuses"))


def _list(content: Any) -> list[Any]:
    return content if isinstance(content, list) else []


def _details(told: Any) -> dict[str, Any]:
    code, id = number(get(told, "errors", 0, "code")), get(told, "id")
    return {
        "provider": "whatsapp",
        "provider_message_id": id if isinstance(id, str) else None,
        "error": None if code is None else str(code),
    }
