"""The API by which the simulated providers are told what to do, and say what they got. JSON in, JSON out."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Protocol, TypeVar

from aiohttp import web
from pydantic import AfterValidator, Field, ValidationError

from schemas.problems import named
from streams.simulator.faults import At, Order, Receipt, Rule
from streams.simulator.page import page
from streams.simulator.protocols import PROTOCOLS
from streams.simulator.world import Accepted, Inbound, World, webhooks_url

M = TypeVar("M", bound=Order)


class Shuttable(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def is_open(self) -> bool: ...
    async def open(self) -> None: ...
    async def shut(self) -> None: ...


class _ReceiptFor(Receipt):
    message_id: str


class _Inbound(Order):
    protocol: str
    sender: str = Field(alias="from")
    recipient: str = Field(alias="to")
    text: str


class _Doors(Order):
    open: bool


class _Webhooks(Order):
    url: Annotated[str, AfterValidator(webhooks_url)] | None


def routes(world: World, doors: Mapping[str, Shuttable]) -> list[web.RouteDef]:
    api = _Api(world, doors)
    return [
        web.get("/", api.page),
        web.get("/messages", api.messages),
        web.delete("/messages", api.forget),
        web.get("/counts", api.counts),
        web.get("/rules", api.rules),
        web.post("/rules", api.add_rule),
        web.delete("/rules", api.clear_rules),
        web.delete("/rules/{id}", api.remove_rule),
        web.get("/receipts", api.receipts),
        web.post("/receipts", api.send_receipt),
        web.post("/inbound", api.write_inbound),
        web.put("/webhooks", api.set_webhooks),
        web.get("/doors", api.doors),
        web.put("/doors/{protocol}", api.set_door),
    ]


class _Api:
    def __init__(self, world: World, doors: Mapping[str, Shuttable]) -> None:
        self._world = world
        self._doors = doors

    async def page(self, _request: web.Request) -> web.Response:
        """The messages for people."""
        return page(self._world, lambda protocol: PROTOCOLS[protocol].words)

    async def messages(self, request: web.Request) -> web.Response:
        """What was accepted, the oldest first; `?protocol=` and `?recipient=` choose."""
        asked = _query(request, "protocol", "recipient")
        if "protocol" in asked:
            _known(asked["protocol"])
        found = [
            shown(message)
            for message in self._world.accepted
            if asked.get("protocol") in (None, message.call.protocol)
            and asked.get("recipient") in (None, message.call.recipient)
        ]
        return _json(found)

    async def forget(self, request: web.Request) -> web.Response:
        _query(request)
        self._world.accepted.clear()
        self._world.counts.clear()
        self._world.posted.clear()
        return web.Response(status=204)

    async def counts(self, _request: web.Request) -> web.Response:
        counts: dict[str, dict[str, int]] = {}
        for (protocol, kind), count in sorted(self._world.counts.items()):
            counts.setdefault(protocol, {})[kind] = count
        return _json(counts)

    async def rules(self, _request: web.Request) -> web.Response:
        return _json(
            [
                {"id": name, "struck": struck, **rule.model_dump(mode="json", exclude_none=True)}
                for name, rule, struck in self._world.rules
            ]
        )

    async def add_rule(self, request: web.Request) -> web.Response:
        rule = await _read(request, Rule)
        return _json({"id": self._world.rules.add(rule, _able(rule))}, status=201)

    async def clear_rules(self, request: web.Request) -> web.Response:
        _query(request)
        self._world.rules.clear()
        return web.Response(status=204)

    async def remove_rule(self, request: web.Request) -> web.Response:
        if not self._world.rules.remove(request.match_info["id"]):
            raise _problem(404, "there is no such rule")
        return web.Response(status=204)

    async def receipts(self, _request: web.Request) -> web.Response:
        """What was sent to our webhooks, and what they answered (0: nothing)."""
        return _json(
            [
                {"url": posting.url, "body": posting.body.decode(), "status": status}
                for posting, status in self._world.posted
            ]
        )

    async def send_receipt(self, request: web.Request) -> web.Response:
        asked = await _read(request, _ReceiptFor)
        message = self._world.find(asked.message_id)
        if message is None:
            raise _problem(404, "no message was accepted under this id")
        protocol = message.call.protocol
        write, wrong = PROTOCOLS[protocol].receipt, _wrong_receipt(asked, protocol)
        if write is None or wrong is not None:
            raise _problem(422, f"{protocol} {wrong}")
        self._world.send_receipts(message, (asked,), write)
        return web.Response(status=202)

    async def write_inbound(self, request: web.Request) -> web.Response:
        asked = await _read(request, _Inbound)
        write = PROTOCOLS[_known(asked.protocol)].inbound
        if write is None:
            raise _problem(422, f"nobody can write to us by {asked.protocol}")
        try:
            posting = write(self._world, Inbound(asked.sender, asked.recipient, asked.text))
        except ValueError as error:
            raise _problem(422, str(error)) from error
        self._world.post([posting] if posting is not None else [])
        return web.Response(status=202)

    async def set_webhooks(self, request: web.Request) -> web.Response:
        self._world.public_url = (await _read(request, _Webhooks)).url
        return web.Response(status=204)

    async def doors(self, _request: web.Request) -> web.Response:
        return _json({name: {"url": door.url, "open": door.is_open} for name, door in self._doors.items()})

    async def set_door(self, request: web.Request) -> web.Response:
        """While it is shut, connections to this protocol are refused."""
        door = self._doors[_known(request.match_info["protocol"])]
        if (await _read(request, _Doors)).open:
            await door.open()
        else:
            await door.shut()
        return web.Response(status=204)


def _able(rule: Rule) -> list[str]:
    """The protocols that can do what the rule says: a code of the one is nothing that another could answer, nor is
    a receipt of the one anything that another could send."""
    names = PROTOCOLS if rule.protocol is None else (_known(rule.protocol),)
    wrong = {name: _wrong(rule, name) for name in names}
    if all(wrong.values()):
        raise _problem(422, "; ".join(f"{name} {said}" for name, said in wrong.items()))
    return [name for name, said in wrong.items() if said is None]


def _wrong(rule: Rule, protocol: str) -> str | None:
    is_known, code = PROTOCOLS[protocol].codes.get(rule.at), rule.fault.code
    if is_known is None:
        return f"knows nothing of at: {rule.at}"
    if code is not None and not is_known(code):
        return f"knows nothing of fault.code: {code}"
    if rule.fault.receipts and rule.at is not At.MESSAGE:
        return f"sends no receipts at: {rule.at}"
    return next(filter(None, (_wrong_receipt(each, protocol) for each in rule.fault.receipts or ())), None)


def _wrong_receipt(receipt: Receipt, protocol: str) -> str | None:
    spoken = PROTOCOLS[protocol]
    if spoken.receipt is None:
        return "sends no receipts"
    if receipt.status in spoken.statuses:
        return None
    return f"knows nothing of the status {receipt.status}, but of {', '.join(spoken.statuses)}"


def _known(protocol: str) -> str:
    if protocol not in PROTOCOLS:
        raise _problem(422, f"protocol must be one of {', '.join(PROTOCOLS)}")
    return protocol


def _query(request: web.Request, *known: str) -> Mapping[str, str]:
    """What is asked for. What is left out of a question is everything, so nothing in it may be overlooked."""
    if unknown := request.query.keys() - set(known):
        raise _problem(422, f"?{min(unknown)}= is not known here; known: {', '.join(known) or 'nothing'}")
    return request.query


async def _read(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        if wrong[0]["type"] == "json_invalid":
            why = wrong[0]["msg"].removeprefix("Invalid JSON: ")
            raise _problem(422, f"the body is no JSON: {why}") from error
        raise _problem(422, named(wrong)) from error


def _problem(status: int, text: str) -> web.HTTPException:
    found: Callable[..., web.HTTPException] = {404: web.HTTPNotFound, 422: web.HTTPUnprocessableEntity}[status]
    return found(text=json.dumps({"error": text}), content_type="application/json")


def _json(content: Any, status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


def shown(message: Accepted) -> dict[str, Any]:
    """As `GET /messages` has it."""
    call = message.call
    return {
        "id": message.id,
        "protocol": call.protocol,
        "recipient": call.recipient,
        "sender": call.sender,
        "template": call.template or None,
        "correlation": call.correlation,
        "content": dict(call.content),
        "at": message.at,
    }
