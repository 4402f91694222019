"""Meta's notifications about WhatsApp messages.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import hmac
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from schemas.receipts import ReceiptStatus
from streams.policy.delivery.correlation import Correlation
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.requests import Answer, answered, body, count, is_same

PATH: Final = "/webhooks/whatsapp"
_STATUSES = {
    "sent": ReceiptStatus.SENT,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.READ,
    "failed": ReceiptStatus.FAILED,
}
Most = Field(default=(), max_length=10_000)


class _Error(BaseModel):
    code: int


class _Status(BaseModel):
    id: str | None = None
    status: str
    biz_opaque_callback_data: str = ""
    errors: Annotated[tuple[_Error, ...], Most] = ()


class _Value(BaseModel):
    statuses: Annotated[tuple[_Status, ...], Most] = ()


class _Change(BaseModel):
    value: _Value = _Value()


class _Entry(BaseModel):
    changes: Annotated[tuple[_Change, ...], Most] = ()


class _Notification(BaseModel):
    """As much of it as is of use."""

    entry: Annotated[tuple[_Entry, ...], Most] = ()


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
        content = await body(request)
        expected = "sha256=" + hmac.digest(self._secret, content, "sha256").hex()
        if not is_same(request.headers.get("X-Hub-Signature-256", ""), expected):
            return Answer.WRONG_SIGNATURE
        try:
            told = _Notification.model_validate_json(content)
        except ValidationError:
            return Answer.UNREADABLE
        statuses = [each for entry in told.entry for change in entry.changes for each in change.value.statuses]
        return Answer.WRITTEN if await self._write(statuses) else Answer.IGNORED

    async def _write(self, statuses: list[_Status]) -> bool:
        """Whether any was for us."""
        ours = []
        for each in statuses:
            about, status = Correlation.read(each.biz_opaque_callback_data), _STATUSES.get(each.status)
            if about is not None and status is not None:
                ours.append((about, status, _details(each)))
        if ours:
            await self._receipts.write_receipts(ours)
        return bool(ours)


def _details(told: _Status) -> dict[str, Any]:
    error = str(told.errors[0].code) if told.errors else None
    return {"provider": "whatsapp", "provider_message_id": told.id, "error": error}
