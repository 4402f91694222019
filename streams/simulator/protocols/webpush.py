"""A push service for browsers (RFC 8030), which knows its browsers' keys and so can read what they are sent.

Every name is a browser that has subscribed: its keys follow from the name, and nothing is kept.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from streams.simulator.exchange import Speech, answer
from streams.simulator.faults import At, Fault
from streams.simulator.protocols import signed
from streams.simulator.protocols.base import Protocol, is_whole
from streams.simulator.protocols.signed import WrongTokenError
from streams.simulator.world import Call, World

NAME: Final = "webpush"
SUBJECT = "mailto:push@example.org"
MAX_BODY = 4096
MAX_TTL = 2_419_200
A_DAY = 86_400
BUSY = 429
URGENCIES = frozenset({"very-low", "low", "normal", "high"})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_AUTHORIZATION = re.compile(r"(?i:vapid) +t=(?P<t>[A-Za-z0-9_.-]+)[ \t]*,[ \t]*k=(?P<k>[A-Za-z0-9_-]+)")
_MESSAGES = {
    400: "bad request", 401: "unauthorized", 403: "forbidden", 404: "no such subscription",
    410: "the subscription has ended", 413: "too large", 429: "too many messages", 503: "away",
}  # fmt: skip
_APPLICATION = signed.private_key("simulated application server")


class _WrongError(Exception):
    """What is wrong with a request: HTTP status, and a detail."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def routes(world: World) -> list[web.RouteDef]:
    async def subscribe(request: web.Request) -> web.Response:
        base_url = f"{request.scheme}://{request.host}"
        return web.json_response(subscription(base_url, request.match_info["browser"]), status=201)

    async def push(request: web.Request) -> web.StreamResponse:
        try:
            call = _call(world, request, await request.read())
        except _WrongError as wrong:
            world.counts[NAME, "wrong"] += 1
            return _error(wrong.status, str(wrong))
        return await answer(world, request, call, _speech(f"{request.scheme}://{request.host}"))

    browser = r"{browser:[A-Za-z0-9_.-]{1,200}}"
    return [web.post(f"/subscriptions/{browser}", subscribe), web.post(f"/push/{browser}", push)]


def subscription(base_url: str, browser: str) -> dict[str, Any]:
    """As the browser's `PushSubscription.toJSON()` gives it, and as a customer's `push.web_push` takes it."""
    point = signed.point(browser_key(browser).public_key())
    keys = {"p256dh": signed.packed(point), "auth": signed.packed(browser_secret(browser))}
    return {"endpoint": f"{base_url}/push/{browser}", "keys": keys}


def browser_key(browser: str) -> ec.EllipticCurvePrivateKey:
    return signed.private_key(f"browser {browser}")


def browser_secret(browser: str) -> bytes:
    return hashlib.sha256(f"secret of {browser}".encode()).digest()[:16]


def _call(world: World, request: web.Request, body: bytes) -> Call:
    _check_authorization(request, world.clock())
    _check_headers(request)
    browser = request.match_info["browser"]
    if len(body) > MAX_BODY:
        raise _WrongError(413, f"at most {MAX_BODY} bytes")
    try:
        plain = signed.decrypted(body, browser_key(browser), browser_secret(browser))
    except WrongTokenError as wrong:
        raise _WrongError(400, str(wrong)) from wrong
    headers = {name: request.headers[name] for name in ("TTL", "Topic", "Urgency") if name in request.headers}
    content = {**headers, "payload": _shown(plain), "bytes": len(body)}
    return Call(NAME, browser, SUBJECT, content, correlation=headers.get("Topic"))


def _shown(plain: bytes) -> Any:
    try:
        return json.loads(plain)
    except ValueError:
        return plain.decode(errors="replace")


def _check_authorization(request: web.Request, now: float) -> None:
    """VAPID (RFC 8292): the signature of the application server with whose key the browser subscribed."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise _WrongError(401, "there is no vapid authorization")
    known = _APPLICATION.public_key()
    if match["k"] != signed.packed(signed.point(known)):
        raise _WrongError(403, "the browser has subscribed with another key")
    try:
        claims = signed.read_es256(match["t"], known)
    except WrongTokenError as wrong:
        raise _WrongError(403, f"the token is wrong: {wrong}") from wrong
    ends_at, subject = claims.get("exp"), str(claims.get("sub", ""))
    if claims.get("aud") != f"{request.scheme}://{request.host}":
        raise _WrongError(403, "the token is for another push service")
    if not isinstance(ends_at, int) or not now < ends_at <= now + A_DAY:
        raise _WrongError(403, "the token has ended, or is good for more than a day")
    if not subject.startswith(("mailto:", "https:")):
        raise _WrongError(403, "the token has no subject that can be reached")


def _check_headers(request: web.Request) -> None:
    given = request.headers
    if not is_whole(given.get("TTL", ""), MAX_TTL):
        raise _WrongError(400, f"TTL must be a number of seconds, at most {MAX_TTL}")
    if given.get("Content-Encoding") != "aes128gcm":
        raise _WrongError(400, "Content-Encoding must be aes128gcm")
    if "Topic" in given and not _TOPIC.fullmatch(given["Topic"]):
        raise _WrongError(400, "Topic must have at most 32 characters of base64url")
    if given.get("Urgency", "normal") not in URGENCIES:
        raise _WrongError(400, f"Urgency must be one of {', '.join(sorted(URGENCIES))}")


def _speech(base_url: str) -> Speech:
    return Speech(
        message_id=lambda number: f"{base_url}/message/{number}",
        accepted=lambda message: web.Response(status=201, headers={"Location": message.id}),
        refused=lambda fault: _error(_status(fault), "as it was told"),
    )


def _status(fault: Fault) -> int:
    return fault.status or (BUSY if fault.code is None else int(fault.code))


def _error(status: int, detail: str) -> web.Response:
    content = {"code": status, "error": _MESSAGES.get(status, "error"), "message": detail}
    return web.json_response(content, status=status)


def _settings(_base_url: str) -> Mapping[str, str]:
    number = _APPLICATION.private_numbers().private_value
    return {
        "STAFFETTA_VAPID_PRIVATE_KEY": signed.packed(number.to_bytes(32, "big")),
        "STAFFETTA_VAPID_SUBJECT": SUBJECT,
        "STAFFETTA_WEBPUSH_ALLOW_HTTP": "true",
    }


def _words(call: Call) -> str:
    """As the service worker of the page gets it: what it shows of that is its own business."""
    payload = call.content["payload"]
    return payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)


def _is_refusal(code: int | str) -> bool:
    return is_whole(str(code), 599) and int(code) >= 400


PROTOCOL = Protocol(routes, _settings, _words, {At.MESSAGE: _is_refusal})
