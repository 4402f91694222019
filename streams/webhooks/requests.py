"""What all webhooks have in common: a request is read whole or not at all, and counted by what became of it."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from streams import metrics
from streams.errors import UserError

BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0

log = structlog.get_logger("staffetta")


class Answer(StrEnum):
    """What became of a webhook's request."""

    WRITTEN = "written"
    IGNORED = "ignored"
    """Nothing in it was for us: another message's receipt, a state on the way, a text that is no keyword."""
    WRONG_SIGNATURE = "wrong_signature"
    UNREADABLE = "unreadable"
    NOT_WRITTEN = "not_written"


_STATUS = {
    Answer.WRITTEN: HTTPStatus.OK,
    Answer.IGNORED: HTTPStatus.OK,
    Answer.WRONG_SIGNATURE: HTTPStatus.FORBIDDEN,
    Answer.UNREADABLE: HTTPStatus.BAD_REQUEST,
    Answer.NOT_WRITTEN: HTTPStatus.SERVICE_UNAVAILABLE,
}

Judge = Callable[[web.Request], Awaitable[Answer]]


def answered(
    webhook: str, judge: Judge, words: Mapping[Answer, str] | None = None
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that counts what `judge` makes of a request and answers accordingly. `words` are the body; not for
    Twilio, which would send them to whoever wrote to us."""

    async def handler(request: web.Request) -> web.Response:
        try:
            answer = await judge(request)
        except UserError as error:
            log.error("a receipt could not be written", webhook=webhook, error=str(error))
            answer = Answer.NOT_WRITTEN
        except web.HTTPException:
            count(webhook, Answer.UNREADABLE)
            raise
        count(webhook, answer)
        return web.Response(status=_STATUS[answer], text=(words or {}).get(answer))

    return handler


def count(webhook: str, answer: Answer) -> None:
    metrics.WEBHOOK_REQUESTS.labels(webhook, answer).inc()


async def body(request: web.Request, limit: int = BODY_BYTES) -> bytes:
    """Raises HTTPBadRequest, HTTPRequestEntityTooLarge and HTTPRequestTimeout."""
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_any():
                content += chunk
                if len(content) > limit:
                    raise web.HTTPRequestEntityTooLarge(limit, len(content))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        raise web.HTTPBadRequest from None  # broken chunks or compression, or an end before the end
    return bytes(content)


def is_same(given: str, expected: str) -> bool:
    """In constant time, whatever was given."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
