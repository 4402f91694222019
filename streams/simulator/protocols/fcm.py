"""Firebase Cloud Messaging (HTTP v1), and Google's tokens for service accounts.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages,
https://developers.google.com/identity/protocols/oauth2/service-account#httprest
"""

import hmac
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from streams.simulator.exchange import Speech, answer, told
from streams.simulator.faults import At, Fault
from streams.simulator.protocols.base import Protocol, is_whole
from streams.simulator.protocols.signed import WrongTokenError, read_rs256
from streams.simulator.world import Accepted, Call, World

NAME: Final = "fcm"
PROJECT_ID = "simulated-project"
CLIENT_EMAIL = f"firebase-adminsdk@{PROJECT_ID}.iam.gserviceaccount.com"
KEY_ID = "5" * 40
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600
MAX_PAYLOAD = 4096
MAX_TTL = 2_419_200
BUSY = "QUOTA_EXCEEDED"
STATUSES: dict[str, tuple[int, str]] = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "UNREGISTERED": (404, "NOT_FOUND"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "INTERNAL": (500, "INTERNAL"),
    "UNAVAILABLE": (503, "UNAVAILABLE"),
}
"""By `errorCode`."""
TOO_MANY = "rate_limit_exceeded"
TOKEN_STATUSES = {
    "invalid_request": 400,
    "invalid_grant": 400,
    "invalid_scope": 400,
    "unsupported_grant_type": 400,
    "invalid_client": 401,
    "unauthorized_client": 401,
    "access_denied": 403,
    TOO_MANY: 429,
    "internal_failure": 500,
    "temporarily_unavailable": 503,
}
"""By the `error` of RFC 6749."""
_SECRET = b"what the simulator's access tokens are signed with"
_TOKEN = re.compile(r"[A-Za-z0-9:_.~%-]{1,1024}")
_DURATION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?s")
_RESERVED = re.compile(r"from|message_type|(google|gcm)\..*")
_PRIORITIES = ("NORMAL", "HIGH", "normal", "high")
"""The enum's names, and what Google's own examples say in their place."""
_FIELDS = {
    "": {"token", "notification", "data", "android", "apns", "webpush"},
    "notification": {"title", "body", "image"},
    "android": {"collapse_key", "priority", "ttl"},
    "apns": {"headers", "payload"},
    "webpush": {"headers", "data", "notification"},
}

Json = dict[str, Any]


class _WrongError(Exception):
    """What is wrong with a request: HTTP status, Google's own, and a detail."""

    def __init__(self, status: int, name: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.name = status, name


def routes(world: World) -> list[web.RouteDef]:
    async def token(request: web.Request) -> web.StreamResponse:
        given = _token(world, await request.post(), str(request.url.with_query(None)))
        if given.status != 200:
            return given
        return await told(world, request, Call(NAME, "", CLIENT_EMAIL, {}, at=At.TOKEN), given, _no_token)

    async def send(request: web.Request) -> web.StreamResponse:
        try:
            call = _call(world, request, await request.read())
        except _WrongError as wrong:
            world.counts[NAME, "wrong"] += 1
            code = wrong.name if wrong.name in STATUSES else None
            return _error(wrong.status, wrong.name, str(wrong), code)
        return await answer(world, request, call, _speech(call))

    return [web.post("/token", token), web.post("/v1/projects/{project}/messages:send", send)]


def _token(world: World, form: Mapping[str, Any], audience: str) -> web.Response:
    """A bearer token for an assertion, which must be signed by the one service account and be right in all."""
    now = world.clock()
    if form.get("grant_type") != GRANT_TYPE:
        return _denied("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type')}")
    try:
        claims = read_rs256(str(form.get("assertion", "")), _key().public_key())
    except WrongTokenError as wrong:
        return _denied("invalid_grant", f"Invalid JWT Signature: {wrong}")
    if claims.get("iss") != CLIENT_EMAIL:
        return _denied("invalid_grant", "Invalid grant: account not found")
    if claims.get("aud") != audience:
        return _denied("invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {audience}")
    issued_at, ends_at = claims.get("iat"), claims.get("exp")
    if not (isinstance(issued_at, int) and isinstance(ends_at, int)):
        return _denied("invalid_grant", "Invalid JWT: iat and exp must be numbers of seconds")
    if not (issued_at <= now + 60 and now < ends_at <= issued_at + TOKEN_SECONDS):
        return _denied("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)")
    if SCOPE not in str(claims.get("scope", "")).split():
        return _denied("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    content = {"access_token": _bearer(now + TOKEN_SECONDS), "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
    return web.json_response(content)


def _no_token(fault: Fault) -> web.Response:
    code = TOO_MANY if fault.code is None else str(fault.code)
    return _denied(code, "The simulator was told so", fault.status or TOKEN_STATUSES.get(code, 400))


def _denied(code: str, detail: str, status: int = 400) -> web.Response:
    return web.json_response({"error": code, "error_description": detail}, status=status)


def _bearer(ends_at: float) -> str:
    said = str(int(ends_at))
    return f"ya29.simulated.{said}.{hmac.digest(_SECRET, said.encode(), 'sha256').hex()}"


def _is_authentic(header: str, now: float) -> bool:
    ends_at = header.removeprefix("Bearer ya29.simulated.").partition(".")[0]
    return ends_at.isdecimal() and header == f"Bearer {_bearer(int(ends_at))}" and now < int(ends_at)


def _call(world: World, request: web.Request, body: bytes) -> Call:
    if not _is_authentic(request.headers.get("Authorization", ""), world.clock()):
        raise _WrongError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    if request.match_info["project"] != PROJECT_ID:
        raise _WrongError(403, "PERMISSION_DENIED", "Permission denied on resource project.")
    if request.content_type != "application/json":
        raise _invalid("the content type must be application/json")
    message = _message(body)
    if len(_packed({name: message.get(name) for name in ("notification", "data")})) > MAX_PAYLOAD:
        raise _invalid(f"Message too big: more than {MAX_PAYLOAD} bytes")
    key = message.get("android", {}).get("collapse_key")
    return Call(NAME, message["token"], PROJECT_ID, message, correlation=key)


def _message(body: bytes) -> Json:
    try:
        content: Json = json.loads(body)
        message: Json = content["message"]
    except (ValueError, KeyError, TypeError):
        raise _invalid("the body is not an object with a message") from None
    _check_names(content, {"message", "validate_only"}, "")
    for path in _FIELDS:
        part = _part(message, path)
        if part is None:
            raise _invalid(f"message.{path} is not an object")
        _check_names(part, _FIELDS[path], f" at 'message.{path}'")
    _check(message)
    return message


def _check_names(part: Json, known: set[str], where: str) -> None:
    unknown = part.keys() - known
    if unknown:
        raise _invalid(f"Unknown name {min(unknown)!r}{where}: Cannot find field.")


def _part(message: Any, path: str) -> Json | None:
    """The object at that place, empty if there is nothing; None if there is something else."""
    part = message.get(path, {}) if path and isinstance(message, dict) else message
    return part if isinstance(part, dict) else None


def _check(message: Json) -> None:
    token = message.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise _invalid("The registration token is not a valid FCM registration token")
    texts: list[tuple[str, Any]] = [(name, message.get(name, {})) for name in ("data", "notification")]
    texts += [(name, message.get(name, {}).get("headers", {})) for name in ("apns", "webpush")]
    for name, part in texts:
        if not isinstance(part, dict) or not all(isinstance(value, str) for value in part.values()):
            raise _invalid(f"every value of {name} must be text")
    if any(_RESERVED.fullmatch(name) for name in message.get("data", {})):
        raise _invalid("Invalid data payload key: it is reserved")
    _check_android(message.get("android", {}))
    _check_others(message.get("apns", {}), message.get("webpush", {}))


def _check_android(android: Json) -> None:
    if not isinstance(android.get("ttl", "0s"), str) or not _DURATION.fullmatch(android.get("ttl", "0s")):
        raise _invalid("android.ttl must be a duration like 3.5s")
    if not isinstance(android.get("collapse_key", ""), str):
        raise _invalid("android.collapse_key must be text")
    if android.get("priority", "NORMAL") not in _PRIORITIES:
        raise _invalid("android.priority must be NORMAL or HIGH")


def _check_others(apns: Json, webpush: Json) -> None:
    payload = apns.get("payload", {})
    if not isinstance(payload, dict) or len(_packed(payload)) > MAX_PAYLOAD:
        raise _invalid(f"apns.payload must be an object of at most {MAX_PAYLOAD} bytes")
    if len(apns.get("headers", {}).get("apns-collapse-id", "").encode()) > 64:
        raise _invalid("apns-collapse-id must have at most 64 bytes")
    if not is_whole(webpush.get("headers", {}).get("TTL", "0"), MAX_TTL):
        raise _invalid("webpush.headers.TTL must be a number of seconds")


def _invalid(detail: str) -> _WrongError:
    return _WrongError(400, "INVALID_ARGUMENT", detail)


def _packed(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _speech(call: Call) -> Speech:
    return Speech(
        message_id=lambda number: f"projects/{PROJECT_ID}/messages/0:{number:016d}%simulated",
        accepted=_sent,
        refused=lambda fault: _refused(fault, call.recipient),
    )


def _sent(message: Accepted) -> web.Response:
    return web.json_response({"name": message.id})


def _refused(fault: Fault, token: str) -> web.Response:
    code = BUSY if fault.code is None else str(fault.code)
    status, name = STATUSES.get(code, (400, "INVALID_ARGUMENT"))
    return _error(fault.status or status, name, f"The message to {token} was not sent", code)


def _error(status: int, name: str, detail: str, code: str | None) -> web.Response:
    error: Json = {"code": status, "message": detail, "status": name}
    if code is not None:
        kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
        error["details"] = [{"@type": kind, "errorCode": code}]
    return web.json_response({"error": error}, status=status)


@cache
def _key() -> rsa.RSAPrivateKey:
    """Made anew by every process: a key in the source is one that somebody might use."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def service_account(base_url: str) -> Json:
    """What the console would give, in the form of its file."""
    pem = _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT_ID,
        "private_key_id": KEY_ID,
        "private_key": pem.decode(),
        "client_email": CLIENT_EMAIL,
        "client_id": "1" * 21,
        "token_uri": f"{base_url}/token",
    }


def _settings(base_url: str) -> Mapping[str, str]:
    return {
        "STAFFETTA_FCM_BASE_URL": base_url,
        "STAFFETTA_FCM_CREDENTIALS": json.dumps(service_account(base_url)),
    }


def _words(call: Call) -> str:
    shown = call.content.get("notification", {})
    return "\n".join(shown[name] for name in ("title", "body") if name in shown)


_CODES = {At.MESSAGE: STATUSES.__contains__, At.TOKEN: TOKEN_STATUSES.__contains__}
PROTOCOL = Protocol(routes, _settings, _words, _CODES)
