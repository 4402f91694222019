"""What becomes of mails, told by whatever reads the bounces: a mail provider's webhook adapter, or a script.

POST /webhooks/email
Authorization: Bearer <STAFFETTA_WEBHOOK_EMAIL_TOKEN>
{"type": "bounce", "id": "<what stood for {id} in the return path>", "hard": true, "reason": "550 5.1.1 …"}
"""

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schemas.problems import named
from schemas.reasons import ChannelName
from schemas.receipts import ReceiptStatus
from sinks.channels.answers import MAX_ERROR, cleaned
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.mail_name import parsed
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.requests import Answer, answered, body, is_same

PATH: Final = "/webhooks/email"
EVERY_ATTEMPT = 0
"""A bounce names the mail, not the attempt."""
WORDS: Final = {
    Answer.WRITTEN: "written",
    Answer.IGNORED: "ignored: the id names none of our mails",
    Answer.WRONG_SIGNATURE: "refused: the bearer token is another one",
    Answer.NOT_WRITTEN: "not written: try again later",
}
"""For whoever sets up the sender. What is unreadable is told with what is wrong; nothing is repeated."""


class _Report(BaseModel):
    """`hard`: the address does not exist."""

    model_config = ConfigDict(strict=True)

    type: Literal["bounce", "complaint"]
    id: str
    hard: bool = False
    reason: Annotated[str, StringConstraints(max_length=10_000)] | None = None


class Mail:
    def __init__(self, settings: Settings, receipts: Receipts) -> None:
        self._token = settings.webhook_email_token or ""
        self._receipts = receipts

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(PATH, answered("email", self._receive, WORDS))

    async def _receive(self, request: web.Request) -> Answer:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_same(given.strip(), self._token):
            return Answer.WRONG_SIGNATURE
        try:
            report = _Report.model_validate_json(await body(request))
        except ValidationError as error:
            wrong = named(error.errors(include_url=False, include_input=False))
            raise web.HTTPBadRequest(text=f"unreadable: {wrong}") from None
        ids = parsed(report.id)
        if ids is None:
            return Answer.IGNORED
        about = Correlation(*ids, ChannelName.EMAIL, EVERY_ATTEMPT)
        await self._receipts.write_receipt(about, _status(report), provider="email", error=_error(report))
        return Answer.WRITTEN


def _error(report: _Report) -> str | None:
    """Without the address, which servers like to repeat. A part of it that stands alone only `deliver` can find,
    and only whole: so none is cut in two."""
    if report.reason is None:
        return None
    said = cleaned(report.reason)
    return said if len(said) < MAX_ERROR else f"{said.rpartition(' ')[0]} …"


def _status(report: _Report) -> ReceiptStatus:
    if report.type == "complaint":
        return ReceiptStatus.COMPLAINED
    return ReceiptStatus.BOUNCED if report.hard else ReceiptStatus.FAILED
