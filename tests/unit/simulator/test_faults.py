"""What a client of a simulated provider sees of each fault."""

import asyncio

import pytest

from streams.simulator import Fault, Kind, Limit
from tests.unit.simulator.support import stage


async def test_accepted() -> None:
    """A right request is accepted, and remembered with all that it said."""
    async with stage() as on:
        said = await on.sms()
        assert (said.status, said.content["status"]) == (201, "queued")
        said = await on.chat(biz_opaque_callback_data="x=1")
        assert said.status == 200
        sms, chat = on.world.accepted
    assert (sms.call.recipient, sms.call.content["Body"]) == ("+4915112345678", "Guten Tag")
    assert (chat.id, chat.call.recipient) == (said.content["messages"][0]["id"], "+4915112345678")
    assert chat.call.correlation == "x=1"


@pytest.mark.parametrize("accepts", [False, True])
async def test_cut(accepts: bool) -> None:
    """The connection ends without an answer, whether the message was accepted or not."""
    async with stage() as on:
        on.rule(Fault(kind=Kind.CUT, accepts=accepts), times=1)
        assert (await on.sms()).status == 0
        assert len(on.world.accepted) == accepts
        assert (await on.sms()).status == 201


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        (Fault(kind=Kind.ERROR), 500, "text/plain"),
        (Fault(kind=Kind.ERROR, status=503, retry_after="30"), 503, "text/plain"),
        (Fault(kind=Kind.WRONG_TYPE, accepts=True), 201, "text/html"),
        (Fault(kind=Kind.REDIRECT), 307, ""),
        (Fault(kind=Kind.REFUSE), 429, "application/json"),
        (Fault(kind=Kind.REFUSE, code=21614), 400, "application/json"),
        (Fault(kind=Kind.REFUSE, code=20500, status=503), 503, "application/json"),
    ],
)
async def test_answers(fault: Fault, status: int, content_type: str) -> None:
    """Each fault has its own answer."""
    async with stage() as on:
        on.rule(fault)
        said = await on.sms()
        assert said.status == status
        assert said.headers.get("Content-Type", "").startswith(content_type)
        assert said.headers.get("Retry-After") == fault.retry_after
        assert len(on.world.accepted) == bool(fault.accepts)
        assert on.world.counts == {("twilio", fault.kind): 1}


async def test_slow() -> None:
    """The right answer comes, late."""
    async with stage() as on:
        on.rule(Fault(kind=Kind.SLOW, seconds=30))
        sending = asyncio.create_task(on.sms())
        assert await on.wake_up() == 30
        assert (await sending).status == 201


async def test_throttled() -> None:
    """Too much to one recipient is refused, and passes later."""
    async with stage() as on:
        on.rule(Fault(kind=Kind.REFUSE, code=131056), over=Limit(calls=1, seconds=6))
        assert [(await on.chat()).status for _ in range(2)] == [200, 429]
        on.now += 6
        assert (await on.chat()).status == 200


async def test_shut() -> None:
    """Behind a door that is shut nobody listens; opened again, it is where it was."""
    async with stage() as on:
        await on.simulator.doors["twilio"].shut()
        assert (await on.sms()).status == 0
        assert (await on.chat()).status == 200
        await on.simulator.doors["twilio"].open()
        assert (await on.sms()).status == 201
