"""What becomes of push while no access token is to be had: nothing is sent, and no message is at fault."""

import asyncio
import time

import pytest

from schemas.reasons import DeliveryReason
from sinks.channels.fcm import Fcm
from streams.policy.delivery.results import Accepted, AccountWide, Result, Transient
from streams.simulator import At, Fault, Kind, Rule, Simulator
from streams.simulator.protocols import fcm
from tests.contract.fcm_support import PLAIN, account


def refused(code: str, status: int | None = None, retry_after: str | None = None) -> Fault:
    return Fault(kind=Kind.REFUSE, code=code, status=status, retry_after=retry_after)


async def send(push: Fcm) -> Result:
    return await push.send(PLAIN, time.monotonic() + 30)


@pytest.mark.parametrize(
    ("fault", "expected", "reason"),
    [
        (refused("invalid_grant"), AccountWide, "auth_failed"),
        (refused("invalid_client"), AccountWide, "auth_failed"),
        (refused("invalid_grant", 401), AccountWide, "auth_failed"),
        (refused("access_denied"), AccountWide, "auth_failed"),
        (Fault(kind=Kind.REFUSE), Transient, "rate_limited"),
        (refused("internal_failure"), Transient, "unavailable"),
        (refused("temporarily_unavailable"), Transient, "unavailable"),
        (Fault(kind=Kind.ERROR), Transient, "unavailable"),
        (Fault(kind=Kind.CUT), Transient, "connection_failed"),
        (Fault(kind=Kind.SLOW, seconds=3600), Transient, "timeout"),
        (Fault(kind=Kind.MALFORMED), Transient, "unavailable"),
        (Fault(kind=Kind.HUGE), Transient, "unavailable"),
        (Fault(kind=Kind.WRONG_TYPE), Transient, "unavailable"),
        (Fault(kind=Kind.REDIRECT), Transient, "unavailable"),
    ],
)
async def test_no_token(fault: Fault, expected: type[Result], reason: str) -> None:
    """Each message is put off as it is, or held back with the account; none is spent, and none is in doubt. As
    soon as there are tokens again, it goes."""
    async with Simulator() as simulator:
        url = simulator.doors[fcm.NAME].url
        patience = 1 if fault.kind is Kind.SLOW else 10
        push = Fcm(url, account(url), concurrency=3, timeout_seconds=patience)
        rule = simulator.world.rules.add(Rule(fault=fault, at=At.TOKEN))
        for said in await asyncio.gather(*(send(push) for _ in range(5))):
            assert type(said) is expected
            assert isinstance(said, Transient)
            assert said.reason is DeliveryReason(reason)
            assert said.error.startswith("no access token: ")
            assert "ya29" not in said.error
        assert simulator.world.accepted == []
        assert [struck for _, _, struck in simulator.world.rules] == [1], "five messages ask once"
        simulator.world.rules.remove(rule)
        assert isinstance(await send(push), Accepted)
        await push.close()


async def test_when_to_ask_again() -> None:
    """Google's own word about when to come back is the message's too."""
    async with Simulator() as simulator:
        url = simulator.doors[fcm.NAME].url
        push = Fcm(url, account(url), concurrency=1, timeout_seconds=5)
        simulator.world.rules.add(Rule(fault=refused("temporarily_unavailable", retry_after="90"), at=At.TOKEN))
        said = await send(push)
        assert isinstance(said, Transient)
        assert said.retry_after_seconds == 90
        await push.close()


async def test_messages_while_a_token_is_good() -> None:
    """A token that is had is used: that no further one is given holds up nothing."""
    async with Simulator() as simulator:
        url = simulator.doors[fcm.NAME].url
        push = Fcm(url, account(url), concurrency=1, timeout_seconds=5)
        assert isinstance(await send(push), Accepted)
        simulator.world.rules.add(Rule(fault=refused("invalid_grant"), at=At.TOKEN))
        assert isinstance(await send(push), Accepted)
        await push.close()
