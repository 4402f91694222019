"""The page behind a mail's unsubscribe link, and the one click of mail programs (RFC 8058).

Opening the link changes nothing: scanners and previews open every link. Only the POST does.
"""

from html import escape
from http import HTTPStatus
from typing import NamedTuple

import structlog
from aiohttp import web

from schemas.reasons import NotificationType
from schemas.receipts import OptSource
from streams.errors import UserError
from streams.policy.delivery.unsubscribing import PATH, Choice, read
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.requests import Answer, count

log = structlog.get_logger("staffetta")


class _Words(NamedTuple):
    ask: str
    button: str
    done: str
    wrong: str
    later: str
    names: dict[NotificationType, str]


_ENGLISH = _Words(
    "Do you no longer want to receive {}?",
    "Unsubscribe",
    "You will not receive any more {}.",
    "This link is not valid. Please open it as it stands in the mail.",
    "That did not work. Please try again in a few minutes.",
    {
        NotificationType.APPOINTMENT_REMINDER: "reminders of your appointments",
        NotificationType.CALLBACK_RECEIVED: "confirmations of your callback requests",
    },
)
_GERMAN = _Words(
    "Möchten Sie keine {} mehr erhalten?",
    "Abbestellen",
    "Sie erhalten keine {} mehr.",
    "Dieser Link ist nicht gültig. Bitte öffnen Sie ihn so, wie er in der E-Mail steht.",
    "Das hat nicht geklappt. Bitte versuchen Sie es in einigen Minuten noch einmal.",
    {
        NotificationType.APPOINTMENT_REMINDER: "Erinnerungen an Ihre Termine",
        NotificationType.CALLBACK_RECEIVED: "Bestätigungen Ihrer Rückrufwünsche",
    },
)
_PAGE = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}}
button{{font:inherit;padding:.6em 1.4em}}</style>
<p>{text}</p>{form}</html>
"""


class Unsubscribing:
    def __init__(self, settings: Settings, receipts: Receipts) -> None:
        self._key = (settings.recipient_hash_key or "").encode()
        self._receipts = receipts

    def add_to(self, app: web.Application) -> None:
        path = PATH + "{token}"
        app.router.add_get(path, self.ask)
        app.router.add_post(path, self.unsubscribe)

    async def ask(self, request: web.Request) -> web.Response:
        choice = read(request.match_info["token"], self._key)
        if choice is None:
            return _refused(request)
        words = _words(request)
        form = f'<form method="post"><button>{escape(words.button)}</button></form>'
        return _page(request, words.ask.format(words.names[choice.event_type]), form=form)

    async def unsubscribe(self, request: web.Request) -> web.Response:
        choice = read(request.match_info["token"], self._key)
        if choice is None:
            return _refused(request)
        words = _words(request)
        try:
            await self._receipts.write("address.opted_out", choice.company_id, _opted_out(choice))
        except UserError as error:
            log.error("an unsubscription could not be written", error=str(error))
            count("unsubscribe", Answer.NOT_WRITTEN)
            return _page(request, words.later, HTTPStatus.SERVICE_UNAVAILABLE)
        count("unsubscribe", Answer.WRITTEN)
        return _page(request, words.done.format(words.names[choice.event_type]))


def _opted_out(choice: Choice) -> dict[str, str]:
    return {
        "channel": choice.channel,
        "recipient_hash": choice.recipient_hash,
        "event_type": choice.event_type,
        "source": OptSource.ONE_CLICK,
    }


def _refused(request: web.Request) -> web.Response:
    count("unsubscribe", Answer.WRONG_SIGNATURE)
    return _page(request, _words(request).wrong, HTTPStatus.FORBIDDEN)


def _words(request: web.Request) -> _Words:
    return _GERMAN if _is_german(request) else _ENGLISH


def _is_german(request: web.Request) -> bool:
    """Whether it is the first language that the browser asks for."""
    return request.headers.get("Accept-Language", "").strip().lower().startswith("de")


def _page(request: web.Request, text: str, status: HTTPStatus = HTTPStatus.OK, form: str = "") -> web.Response:
    lang = "de" if _is_german(request) else "en"
    page = _PAGE.format(lang=lang, title=escape(_words(request).button), text=escape(text), form=form)
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)
