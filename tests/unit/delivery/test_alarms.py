"""What operators are told when a channel stands still."""

from dataclasses import dataclass, field

import structlog

from agents.deliver import Deliver
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Message
from streams.metrics import REGISTRY
from streams.policy.delivery.results import Accepted, AccountWide, Result, Transient
from tests.unit.delivery.support import SilentChannel, Worker, request

LOGGED_OUT = AccountWide(DeliveryReason.AUTH_FAILED, "HTTP 401, code 20003: Authenticate")
BUSY = Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")


@dataclass
class Scripted(SilentChannel):
    """Answers in this order."""

    answers: list[Result] = field(default_factory=list)

    async def send(self, message: Message, begin_before: float) -> Result:
        return self.answers.pop(0)


async def said(worker: Worker, count: int) -> list[tuple[str, str]]:
    """(level, text) of what is logged about so many sends."""
    worker.send(worker.record(request("co-7", "n-1")))
    role: Deliver = worker.role
    with structlog.testing.capture_logs() as lines:
        for _ in range(count):
            await role.perform(worker.jobs[0])
    return [(line["log_level"], line["event"]) for line in lines]


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"channel": "email", **labels}) or 0.0


async def test_an_account_that_is_refused() -> None:
    """At the first refusal the channel stands still: said once, with the provider's words, and counted; and it is
    said when it goes on."""
    before = metric("staffetta_account_refused_total", reason="auth_failed")
    channel = Scripted(ChannelName.EMAIL, answers=[LOGGED_OUT, LOGGED_OUT, Accepted("<m>")])
    worker = Worker(channels=[channel])
    stands = [("error", "nothing gets through, messages wait")]
    assert await said(worker, 2) == stands
    assert metric("staffetta_account_refused_total", reason="auth_failed") - before == 2
    assert metric("staffetta_breaker_open") == 1
    assert await said(worker, 1) == [("info", "messages get through again")]
    assert metric("staffetta_breaker_open") == 0


async def test_a_provider_that_is_away() -> None:
    """After so many failures in a row; it is not the account's fault."""
    before = metric("staffetta_account_refused_total", reason="unavailable")
    channel = Scripted(ChannelName.EMAIL, answers=[BUSY] * 4)
    worker = Worker(channels=[channel], configured={"breaker_failures": 3})
    assert await said(worker, 2) == []
    assert await said(worker, 2) == [("error", "nothing gets through, messages wait")]
    assert metric("staffetta_account_refused_total", reason="unavailable") == before
