"""One request, once it was found right: what is accepted, what is answered, and what goes wrong on the way."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from streams.simulator.faults import Fault, Kind, Receipt
from streams.simulator.world import Accepted, Call, World, WriteReceipt

HUGE_BYTES = 16 * 1024 * 1024
_PAGE = "<!doctype html><title>Hello</title><p>This is not what you are looking for."


Refuse = Callable[[Fault], web.Response]


@dataclass(frozen=True, slots=True)
class Speech:
    """How a protocol says things: an id for the n-th message, that a message was accepted, that it was not (the
    fault's `code`, `status`), and what becomes of it later. `write` of None: it has no receipts."""

    message_id: Callable[[int], str]
    accepted: Callable[[Accepted], web.Response]
    refused: Refuse
    receipts: tuple[Receipt, ...] = ()
    write: WriteReceipt | None = None


async def answer(world: World, request: web.Request, call: Call, speech: Speech) -> web.StreamResponse:
    """The answer to a message that is right, by the rules in force."""
    fault = world.fault(call)
    world.counts[call.protocol, fault.kind] += 1
    said: web.Response | None = None
    if fault.is_accepted:
        message = world.accept(call, speech.message_id)
        said = speech.accepted(message)
        if speech.write is not None:
            receipts = speech.receipts if fault.receipts is None else fault.receipts
            world.send_receipts(message, receipts, speech.write)
    return await _finished(world, request, fault, said, speech.refused)


async def told(
    world: World, request: web.Request, call: Call, right: web.Response, refused: Refuse
) -> web.StreamResponse:
    """The answer to a request that is right and brings no message: `right`, but for the rules in force."""
    fault = world.fault(call)
    return await _finished(world, request, fault, right if fault.is_accepted else None, refused)


async def _finished(
    world: World, request: web.Request, fault: Fault, said: web.Response | None, refused: Refuse
) -> web.StreamResponse:
    response = await _spoilt(world, request, fault, said, refused)
    if fault.retry_after is not None and not response.prepared:
        response.headers["Retry-After"] = fault.retry_after
    return response


async def _spoilt(
    world: World, request: web.Request, fault: Fault, said: web.Response | None, refused: Refuse
) -> web.StreamResponse:
    status = said.status if said is not None else 200
    match fault.kind:
        case Kind.REFUSE:
            return refused(fault)
        case Kind.ERROR:
            return web.Response(status=fault.status or 500, text="Internal Server Error")
        case Kind.CUT:
            return cut(request)
        case Kind.MALFORMED:
            return web.Response(status=fault.status or status, text='{"id": [', content_type="application/json")
        case Kind.HUGE:
            return await _huge(request, fault.status or status)
        case Kind.WRONG_TYPE:
            return web.Response(status=fault.status or status, text=_PAGE, content_type="text/html")
        case Kind.REDIRECT:
            return web.Response(status=fault.status or 307, headers={"Location": f"{request.path}/elsewhere"})
        case Kind.SLOW:
            await world.sleep(fault.seconds)
    return said or refused(fault)


def cut(request: web.Request) -> web.Response:
    """End the connection; nothing of the response is seen by anybody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _huge(request: web.Request, status: int) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    response.content_length = HUGE_BYTES
    await response.prepare(request)
    chunk = b"[" * 65_536
    for _ in range(HUGE_BYTES // len(chunk)):
        await response.write(chunk)
    return response
