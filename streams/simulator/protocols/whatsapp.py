"""Meta's Cloud API for WhatsApp: messages, their status notifications, and what people write.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages, and .../webhooks/components
"""

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from streams.simulator.exchange import Speech, answer, told
from streams.simulator.faults import At, Fault, Receipt
from streams.simulator.protocols.base import Protocol, is_number
from streams.simulator.world import Accepted, Call, Inbound, Posting, World

NAME: Final = "whatsapp"
PHONE_NUMBER_ID = "106540352242922"
NUMBER = "4930555001"
TOKEN = "simulated-whatsapp-token"
APP_SECRET = "simulated-whatsapp-app-secret"
VERIFY_TOKEN = "simulated-whatsapp-verify-token"
ACCOUNT_ID = "102290129340398"
MAX_TEXT = 4096
MAX_PARAMETER = 1024
MAX_CORRELATION = 512
BUSY = 130429
STATUSES = ("sent", "delivered", "read", "failed")
"""Of a message, as its receipts have them."""
_TO = re.compile(r"\+?[1-9][0-9]{6,14}")
_STATUSES = {
    0: 401, 2: 500, 4: 429, 10: 403, 190: 401, 368: 403, 80007: 429, 130429: 429, 130497: 403, 131000: 500,
    131005: 403, 131016: 503, 131031: 403, 131042: 402, 131045: 403, 131048: 429, 131056: 429, 131057: 503,
    132001: 404,
}  # fmt: skip
_TITLES = {
    100: "Invalid parameter",
    190: "Invalid OAuth access token - Cannot parse access token",
    130429: "Rate limit hit",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132015: "Template is paused",
}

Json = dict[str, Any]


class _WrongError(Exception):
    """What is wrong with a request: its code, and a detail."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def routes(world: World) -> list[web.RouteDef]:
    async def send(request: web.Request) -> web.StreamResponse:
        try:
            content = await _content(request)
            call = _call(world, content)
        except _WrongError as wrong:
            world.counts[NAME, "wrong"] += 1
            return _error(wrong.code, str(wrong))
        return await answer(world, request, call, _speech(call))

    async def show(request: web.Request) -> web.StreamResponse:
        if not _is_authentic(request):
            return _error(190, "the token is not valid")
        if request.match_info["number"] != PHONE_NUMBER_ID:
            return _unknown(request.match_info["number"])
        call = Call(NAME, "", PHONE_NUMBER_ID, {}, at=At.ACCOUNT)
        return await told(world, request, call, _number(), lambda fault: _error(_code(fault), "", fault.status))

    path = r"/v{version:\d+\.\d+}/{number}"
    return [web.post(f"{path}/messages", send), web.get(path, show)]


def _is_authentic(request: web.Request) -> bool:
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


async def _content(request: web.Request) -> Json:
    if not _is_authentic(request):
        raise _WrongError(190, "the token is not valid")
    if request.match_info["number"] != PHONE_NUMBER_ID:
        raise _WrongError(100, f"Object with ID '{request.match_info['number']}' does not exist")
    if request.content_type != "application/json":
        raise _WrongError(100, "the content type must be application/json")
    try:
        content = json.loads(await request.read())
    except ValueError as error:
        raise _WrongError(100, "the body is not JSON") from error
    if not isinstance(content, dict):
        raise _WrongError(100, "the body is not an object")
    return content


def _call(world: World, content: Json) -> Call:
    if content.get("messaging_product") != "whatsapp":
        raise _WrongError(100, "The parameter messaging_product is required.")
    if content.get("recipient_type", "individual") != "individual":
        raise _WrongError(131009, "recipient_type must be individual")
    to = _text(content, "to", 16)
    if not _TO.fullmatch(to):
        raise _WrongError(131009, f"to is no phone number: {to}")
    correlation = content.get("biz_opaque_callback_data")
    if correlation is not None and not (isinstance(correlation, str) and len(correlation) <= MAX_CORRELATION):
        raise _WrongError(100, f"biz_opaque_callback_data must be text of at most {MAX_CORRELATION} characters")
    kind, template = content.get("type", "text"), ""
    if kind == "text":
        _text(_object(content, "text"), "body", MAX_TEXT)
    elif kind == "template":
        template = _template(world, _object(content, "template"))
    else:
        raise _WrongError(131009, f"type {kind!r} is not simulated")
    return Call(NAME, "+" + to.lstrip("+"), PHONE_NUMBER_ID, content, template, correlation=correlation)


def _template(world: World, template: Json) -> str:
    name, language = _text(template, "name", 512), _text(_object(template, "language"), "code", 16)
    components = template.get("components", [])
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        raise _WrongError(131009, "components must be a list of objects")
    count = 0
    for component in components:
        if component.get("type") != "body":
            raise _WrongError(131009, "only components of the type body are simulated")
        parameters = component.get("parameters", [])
        if not isinstance(parameters, list):
            raise _WrongError(131009, "parameters must be a list")
        for parameter in parameters:
            if not isinstance(parameter, dict) or parameter.get("type") != "text":
                raise _WrongError(131009, "only parameters of the type text are simulated")
            text = _text(parameter, "text", MAX_PARAMETER)
            if re.search(r"[\n\t]| {5}", text):
                raise _WrongError(
                    100, "Param text cannot have new-line/tab characters or more than 4 spaces in a row"
                )
            count += 1
    if world.templates and (name, language) not in world.templates:
        raise _WrongError(132001, f"template name ({name}) does not exist in {language}")
    expected = world.templates.get((name, language), count)
    if count != expected:
        raise _WrongError(132000, f"body: number of localizable_params ({count}) does not match {expected}")
    return name


def _object(content: Json, name: str) -> Json:
    value = content.get(name)
    if not isinstance(value, dict):
        raise _WrongError(131008, f"The parameter {name} is required.")
    return value


def _text(content: Json, name: str, longest: int) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise _WrongError(131008, f"The parameter {name} is required.")
    if len(value) > longest:
        raise _WrongError(131009, f"{name} must have at most {longest} characters")
    return value


def _unknown(number: str) -> web.Response:
    """Of the Graph API as a whole: whether there is no such thing, or it is not ours to see, it does not say."""
    error = {
        "message": f"Unsupported get request. Object with ID '{number}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
        "type": "GraphMethodException",
        "code": 100,
        "error_subcode": 33,
        "fbtrace_id": "AzSimulatedTrace",
    }
    return web.json_response({"error": error}, status=400)


def _number() -> web.Response:
    content = {
        "verified_name": "Simulated number",
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{NUMBER}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "id": PHONE_NUMBER_ID,
    }
    return web.json_response(content)


def _speech(call: Call) -> Speech:
    return Speech(
        message_id=lambda number: f"wamid.SIMULATED{number:020d}",
        accepted=lambda message: web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": call.content["to"], "wa_id": call.recipient.removeprefix("+")}],
                "messages": [{"id": message.id, "message_status": "accepted"}],
            }
        ),
        refused=lambda fault: _error(_code(fault), f"about {call.recipient}", fault.status),
        receipts=(Receipt(status="sent"), Receipt(status="delivered"), Receipt(status="read")),
        write=receipt,
    )


def _code(fault: Fault) -> int:
    return BUSY if fault.code is None else int(fault.code)


def _error(code: int, detail: str, status: int | None = None) -> web.Response:
    if status is None:
        status = 403 if 200 <= code <= 299 else _STATUSES.get(code, 400)
    error = {
        "message": f"(#{code}) {_TITLES.get(code, 'The message was not sent')}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": detail},
        "fbtrace_id": "AzSimulatedTrace",
    }
    return web.json_response({"error": error}, status=status)


def receipt(world: World, message: Accepted, said: Receipt) -> Posting | None:
    """A status notification, to the one webhook of the app."""
    status: Json = {
        "id": message.id,
        "status": said.status,
        "timestamp": str(int(world.clock())),
        "recipient_id": message.call.recipient.removeprefix("+"),
    }
    if message.call.correlation is not None:
        status["biz_opaque_callback_data"] = message.call.correlation
    if said.code is not None:
        title = _TITLES.get(said.code, "The message was not delivered")
        status["errors"] = [{"code": said.code, "title": title, "error_data": {"details": title}}]
    return _notification(world, {"statuses": [status]}, forged=said.forged)


def inbound(world: World, said: Inbound) -> Posting | None:
    if not _TO.fullmatch(said.sender):
        raise ValueError("from must be a number like +4915112345678")
    if said.recipient.removeprefix("+") != NUMBER:
        raise ValueError(f"to must be our number, +{NUMBER}")
    sender = said.sender.removeprefix("+")
    message = {
        "from": sender,
        "id": f"wamid.INBOUND{len(world.posted) + 1:020d}",
        "timestamp": str(int(world.clock())),
        "type": "text",
        "text": {"body": said.text},
    }
    contact = {"profile": {"name": "Somebody"}, "wa_id": sender}
    return _notification(world, {"contacts": [contact], "messages": [message]})


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    """`X-Hub-Signature-256`: over the body as it is."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def _notification(world: World, value: Json, *, forged: bool = False) -> Posting | None:
    url = world.webhook("/webhooks/whatsapp")
    if url is None:
        return None
    metadata = {"display_phone_number": NUMBER, "phone_number_id": PHONE_NUMBER_ID}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    content = {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": [change]}]}
    body = json.dumps(content).encode()
    secret = "somebody else's" if forged else APP_SECRET
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body, secret)}
    return Posting(url, body, headers, repeats=True)


def _settings(base_url: str) -> Mapping[str, str]:
    return {
        "STAFFETTA_WHATSAPP_BASE_URL": base_url,
        "STAFFETTA_WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
        "STAFFETTA_WHATSAPP_TOKEN": TOKEN,
        "STAFFETTA_WHATSAPP_APP_SECRET": APP_SECRET,
        "STAFFETTA_WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
    }


def _words(call: Call) -> str:
    """Of a template what fills it: the words around are Meta's."""
    if not call.template:
        return str(call.content["text"]["body"])
    components = call.content["template"].get("components", [])
    filled = [parameter["text"] for component in components for parameter in component.get("parameters", ())]
    return f"{call.template}: {', '.join(filled)}"


_CODES = {At.MESSAGE: is_number, At.ACCOUNT: is_number}
PROTOCOL = Protocol(routes, _settings, _words, _CODES, receipt, inbound, STATUSES)
