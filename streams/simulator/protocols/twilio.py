"""Twilio's Messages API (2010-04-01), its status callbacks and its inbound messages.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/usage/security,
https://www.twilio.com/docs/usage/api/account
"""

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from streams.simulator.exchange import Speech, answer, told
from streams.simulator.faults import At, Fault, Receipt
from streams.simulator.protocols.base import Protocol, is_number, is_whole
from streams.simulator.world import Accepted, Call, Inbound, Posting, World

NAME: Final = "twilio"
ACCOUNT_SID = "AC" + "5" * 32
AUTH_TOKEN = "simulated-twilio-auth-token"
FROM = "+4930555000"
API_VERSION = "2010-04-01"
MAX_BODY = 1600
LONGEST_VALIDITY = 36_000
BUSY = 20429
STOP = frozenset(
    {
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
        *("ARRET", "ARRÊT", "ARRETE", "ARRÊTE", "ARRETT", "ALTO", "PARAR", "STOPP"),
    }
)
START = frozenset({"START", "YES", "UNSTOP"})
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}")
STATUSES = (
    *("accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "read"),
    "canceled",
)
"""Of a message, as its receipts have them."""
_STATUSES = {20003: 401, 20008: 403, 20404: 404, 20429: 429, 20500: 500, 21610: 400}
_MESSAGES = {
    20003: "Authenticate",
    20008: "Resource not accessible with Test Account Credentials",
    20404: "The requested resource was not found",
    20422: "Invalid Parameter",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21212: "Invalid From Number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not a valid URL.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
}

Form = Mapping[str, str]


def routes(world: World) -> list[web.RouteDef]:
    async def create(request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        wrong = _wrong(world, request, form)
        if wrong is not None:
            world.counts[NAME, "wrong"] += 1
            return _error(wrong, repeated=form.get("To", ""))
        return await answer(world, request, _call(form), _speech(form))

    async def show(request: web.Request) -> web.StreamResponse:
        if (wrong := _wrong_account(request)) is not None:
            return _error(wrong)
        call = Call(NAME, "", ACCOUNT_SID, {}, at=At.ACCOUNT)
        return await told(world, request, call, _account(), lambda fault: _error(_code(fault), fault.status))

    path = f"/{API_VERSION}/Accounts/{{account}}"
    return [web.post(f"{path}/Messages.json", create), web.get(f"{path}.json", show)]


def _wrong_account(request: web.Request) -> int | None:
    if not _is_authentic(request):
        return 20003
    return 20404 if request.match_info["account"] != ACCOUNT_SID else None


def _wrong(world: World, request: web.Request, form: Form) -> int | None:
    """The code of the first thing that is wrong with a request."""
    if (wrong := _wrong_account(request)) is not None:
        return wrong
    to, body = form.get("To", ""), form.get("Body", "")
    sender, service = form.get("From"), form.get("MessagingServiceSid")
    if not to:
        return 21604
    if not sender and not service:
        return 21603
    if not body:
        return 21602
    if not _E164.fullmatch(to):
        return 21211
    if (sender and not _SENDER.fullmatch(sender)) or (service and not _SERVICE.fullmatch(service)):
        return 21212
    if len(body) > MAX_BODY:
        return 21617
    return _wrong_option(form) or (21610 if _has_opted_out(world, form) else None)


def _has_opted_out(world: World, form: Form) -> bool:
    """Of one number, or of a service: that has all numbers of the account."""
    left = {ours for protocol, ours, theirs in world.opted_out if (protocol, theirs) == (NAME, form["To"])}
    return bool(left) if form.get("MessagingServiceSid") else _sender(form) in left


def _wrong_option(form: Form) -> int | None:
    validity, callback = form.get("ValidityPeriod"), form.get("StatusCallback")
    if validity is not None and not (is_whole(validity, LONGEST_VALIDITY) and int(validity)):
        return 20422
    if callback is not None and not (callback.startswith(("http://", "https://")) and urlsplit(callback).netloc):
        return 21609
    return None


def _is_authentic(request: web.Request) -> bool:
    return request.headers.get("Authorization") == credentials(ACCOUNT_SID, AUTH_TOKEN)


def credentials(account_sid: str, auth_token: str) -> str:
    """HTTP Basic."""
    return "Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()


def _call(form: Form) -> Call:
    return Call(NAME, form["To"], _sender(form), form, callback=form.get("StatusCallback"))


def _sender(form: Form) -> str:
    return form.get("From") or form.get("MessagingServiceSid") or ""


def _speech(form: Form) -> Speech:
    return Speech(
        message_id=lambda number: f"SM{number:032x}",
        accepted=_created,
        refused=lambda fault: _error(_code(fault), fault.status, repeated=form["To"]),
        receipts=(Receipt(status="sent"), Receipt(status="delivered")),
        write=receipt,
    )


def _code(fault: Fault) -> int:
    return BUSY if fault.code is None else int(fault.code)


def _created(message: Accepted) -> web.Response:
    form, service = message.call.content, message.call.content.get("MessagingServiceSid")
    content = {
        "account_sid": ACCOUNT_SID,
        "api_version": API_VERSION,
        "body": form["Body"],
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if service else "1",
        "price": None,
        "sid": message.id,
        "status": "accepted" if service else "queued",
        "to": form["To"],
        "uri": f"/{API_VERSION}/Accounts/{ACCOUNT_SID}/Messages/{message.id}.json",
    }
    return web.json_response(content, status=201)


def _account() -> web.Response:
    """Like Twilio, it tells the token to whoever has it."""
    uri = f"/{API_VERSION}/Accounts/{ACCOUNT_SID}"
    created = "Mon, 23 Nov 2026 06:00:00 +0000"
    content = {
        "auth_token": AUTH_TOKEN,
        "date_created": created,
        "date_updated": created,
        "friendly_name": "Simulated account",
        "owner_account_sid": ACCOUNT_SID,
        "sid": ACCOUNT_SID,
        "status": "active",
        "subresource_uris": {"messages": f"{uri}/Messages.json"},
        "type": "Full",
        "uri": f"{uri}.json",
    }
    return web.json_response(content)


def _error(code: int, status: int | None = None, *, repeated: str = "") -> web.Response:
    """Like Twilio, it repeats the number that it was given."""
    said = _MESSAGES.get(code, "The message was not created")
    status = status or _STATUSES.get(code, 400)
    content = {
        "code": code,
        "message": f"{said}: {repeated}" if repeated else said,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if status == 401 else {}
    return web.json_response(content, status=status, headers=headers)


def receipt(_world: World, message: Accepted, said: Receipt) -> Posting | None:
    """A status callback, to the URL that the message named."""
    call = message.call
    if call.callback is None:
        return None
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": API_VERSION,
        "From": call.sender,
        "MessageSid": message.id,
        "MessageStatus": said.status,
        "SmsSid": message.id,
        "SmsStatus": said.status,
        "To": call.recipient,
    }
    if said.code is not None:
        form["ErrorCode"] = str(said.code)
    return _signed(call.callback, form, forged=said.forged)


def inbound(world: World, said: Inbound) -> Posting | None:
    """A message to one of our numbers, which may be any: of a Messaging Service nobody knows here which it has.
    After STOP, nothing more is accepted for who wrote it, until START."""
    if not _E164.fullmatch(said.sender):
        raise ValueError("from must be a number like +4915112345678")
    if not (_E164.fullmatch(said.recipient) or _SHORT_CODE.fullmatch(said.recipient)):
        raise ValueError(f"to must be a number like {FROM}, or a short code")
    word, pair = said.text.strip().upper(), (NAME, said.recipient, said.sender)
    if word in STOP:
        world.opted_out.add(pair)
    elif word in START:
        world.opted_out.discard(pair)
    url = world.webhook("/webhooks/twilio/inbound")
    if url is None:
        return None
    sid = f"SM{len(world.posted) + 1:031x}f"
    form = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": API_VERSION,
        "Body": said.text,
        "From": said.sender,
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": said.recipient,
    }
    return _signed(url, form)


def signature(url: str, form: Form, token: str = AUTH_TOKEN) -> str:
    """`X-Twilio-Signature`: over the whole URL and every field, sorted by name."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def _signed(url: str, form: Form, *, forged: bool = False) -> Posting:
    token = "somebody else's" if forged else AUTH_TOKEN
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature(url, form, token),
    }
    return Posting(url, urlencode(form).encode(), headers)


def _settings(base_url: str) -> Mapping[str, str]:
    return {
        "STAFFETTA_TWILIO_BASE_URL": base_url,
        "STAFFETTA_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "STAFFETTA_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "STAFFETTA_TWILIO_FROM": FROM,
    }


def _words(call: Call) -> str:
    return str(call.content["Body"])


_CODES = {At.MESSAGE: is_number, At.ACCOUNT: is_number}
PROTOCOL = Protocol(routes, _settings, _words, _CODES, receipt, inbound, STATUSES)
