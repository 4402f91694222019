"""What operators are told when a channel stands still."""

from dataclasses import dataclass, field
from functools import partial

import structlog

from agents.deliver import Deliver
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Message
from streams.clock import utc
from streams.metrics import REGISTRY
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.breaker import Breaker
from streams.policy.delivery.capacity import MOST_ACCOUNTS, Capacity
from streams.policy.delivery.rates import Rates
from streams.policy.delivery.results import Accepted, AccountWide, Result, Transient, Unsendable
from streams.policy.delivery.slots import Slots
from tests.unit.delivery.support import SilentChannel, Worker, request
from tests.unit.delivery.test_attempts import answer, ask
from tests.unit.delivery.test_receipts import ALONE, hear

LOGGED_OUT = AccountWide(DeliveryReason.AUTH_FAILED, "HTTP 401, code 20003: Authenticate")
BUSY = Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")


@dataclass
class Scripted(SilentChannel):
    """Answers in this order."""

    answers: list[Result] = field(default_factory=list)

    async def send(self, message: Message, begin_before: float) -> Result:
        return self.answers.pop(0)


class Chosen(Scripted):
    """Each recipient has a server of their own."""

    def account(self, address: str | None) -> Account:
        return Account("webpush", f"https://{address}")


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


class Unpaid(SilentChannel):
    """Takes messages, and tells only later that nobody has paid."""

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.AUTH_FAILED if error == "131042" else DeliveryReason.BOUNCED


def test_an_account_that_is_refused_by_receipts() -> None:
    """It is as if the answer had said so: the channel stands still, and it is counted. What says something of the
    message alone does neither."""
    refused = partial(metric, "staffetta_account_refused_total", channel="sms", reason="auth_failed")
    worker, before = Worker(channels=[Unpaid(ChannelName.SMS)]), refused()
    ask(worker, **ALONE)
    answer(worker, Accepted("SM1"))
    hear(worker, "failed", error="30008")
    assert (refused() - before, metric("staffetta_breaker_open", channel="sms")) == (0, 0)
    hear(worker, "failed", error="131042")
    assert (refused() - before, metric("staffetta_breaker_open", channel="sms")) == (1, 1)


def test_what_nobody_was_asked_for() -> None:
    """A message that was not even handed over says nothing of the provider: an open breaker stays open."""
    worker = Worker(configured={"breaker_failures": 2})
    for said in (BUSY, BUSY, Unsendable(DeliveryReason.DEAD_ADDRESS, "no address")):
        worker.heard(said)
    worker.send(worker.record(request("co-7", "n-1")))
    assert worker.jobs == []


def test_a_clock_that_is_set_back() -> None:
    """Neither does a breaker stay open for longer than it may, nor is anybody overtaken who waits for a slot."""
    worker = Worker(concurrency=1)
    worker.heard(LOGGED_OUT)
    worker.clock.moment -= 3600
    capacity = worker.role._capacity[ChannelName.EMAIL]
    now = worker.clock.moment
    assert capacity.held_until(Account("smtp"), "", now, 0.0) == now + 30
    worker = Worker(concurrency=1)
    early = utc(worker.clock.moment - 86_400).isoformat()
    for name in ("n-1", "n-2"):
        worker.send(worker.record(request("co-7", name, due_at=early)))
    worker.clock.moment -= 3600
    worker.answer(worker.jobs[0], Accepted("<1>"))
    worker.send(worker.record(request("co-7", "n-3", due_at=early)))
    assert [job.delivery.due.notification_id for job in worker.jobs] == ["n-2"]


async def test_a_provider_that_is_away() -> None:
    """After so many failures in a row; it is not the account's fault."""
    before = metric("staffetta_account_refused_total", reason="unavailable")
    channel = Scripted(ChannelName.EMAIL, answers=[BUSY] * 4)
    worker = Worker(channels=[channel], configured={"breaker_failures": 3})
    assert await said(worker, 2) == []
    assert await said(worker, 2) == [("error", "nothing gets through, messages wait")]
    assert metric("staffetta_account_refused_total", reason="unavailable") == before


async def test_a_server_that_a_recipient_has_chosen() -> None:
    """It is said which one stands still, as a warning: nobody of ours can mend it, and there is no alarm."""
    channel = Chosen(ChannelName.EMAIL, answers=[BUSY] * 2 + [Accepted("<m>")])
    worker = Worker(channels=[channel], configured={"breaker_failures": 2})
    assert await said(worker, 2) == [("warning", "nothing gets through, messages wait")]
    assert metric("staffetta_breaker_open") == 0
    assert await said(worker, 1) == [("info", "messages get through again")]


async def test_browsers_whose_service_is_away() -> None:
    """Each push service is a server of its own: one that is away holds back nobody else's messages."""
    capacity = Capacity(Slots(10), Rates(0), partial(Breaker, 2, 30.0))
    here, there = Account("webpush", "https://a.example"), Account("webpush", "https://b.example")
    assert [capacity.hear(here, BUSY, 0) for _ in range(3)] == [None, True, None]
    assert not capacity.is_broken  # nobody of ours can mend it
    assert capacity.held_until(here, "anna", 1, 1) == 30
    assert capacity.held_until(there, "berta", 1, 1) is None
    assert capacity.held_until(Account("fcm"), "carl", 1, 1) is None
    assert capacity.hear(here, Accepted("x"), 40) is False
    assert [capacity.hear(there, said, 40) for said in (BUSY, Accepted("x"))] == [None, None]
    assert capacity._breakers == {}


def test_what_waits_is_shown() -> None:
    """Messages in line have left their topic, so that the group's lag does not show them: a gauge does."""
    worker = Worker(concurrency=4)
    worker.send(*[worker.record(request("co-7", f"n-{number}")) for number in range(10)])
    assert metric("staffetta_messages_waiting", priority="normal") == 7
    worker.answer(worker.jobs[0], Accepted("<m>"))
    assert metric("staffetta_messages_waiting", priority="normal") == 6
    worker.crash()
    worker.run()
    assert metric("staffetta_messages_waiting", priority="normal") >= 6


async def test_servers_without_end() -> None:
    """Recipients may name as many servers as they like: those that are not left alone just now are forgotten."""
    capacity = Capacity(Slots(10), Rates(0), partial(Breaker, 2, 30.0))
    for number in range(5000):
        capacity.hear(Account("webpush", f"https://{number}.example"), BUSY, number)
    assert len(capacity._breakers) <= MOST_ACCOUNTS + 1
    capacity.hear(Account("fcm"), LOGGED_OUT, 5000)
    assert capacity.is_broken
