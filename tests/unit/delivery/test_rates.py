"""Rates: of an account over all its workers, of a recipient, and of each channel on its own."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import ChannelName, Priority
from streams.policy.delivery.intents import Line
from streams.policy.delivery.rates import AT_ONCE_SECONDS, Pace, Rates
from streams.policy.delivery.results import Accepted
from tests.unit.delivery.support import SilentChannel, Worker, request
from tests.unit.delivery.test_attempts import TWO_CHANNELS

SMS = {**TWO_CHANNELS, "channel": "sms"}


@given(st.floats(0.5, 200), st.floats(0.1, 1), st.lists(st.floats(0, 0.5), min_size=1, max_size=200))
def test_never_faster(per_second: float, share: float, pauses: list[float]) -> None:
    """However they are asked for, in no stretch of time are there more than the rate allows."""
    rates, now = Rates(per_second), 1000.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        if rates.is_free(now):
            rates.taken("anna", now, share)
            taken.append(now)
    mine = per_second * share
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first <= mine * (taken[last] - taken[first] + AT_ONCE_SECONDS) + 1e-6


def test_as_fast_as_it_may() -> None:
    """Asked again and again, it comes to the rate."""
    rates, count = Rates(50), 0
    for tick in range(1000):
        now = tick / 100
        while rates.is_free(now):
            rates.taken("anna", now, 1)
            count += 1
    assert 500 <= count <= 506


def test_without_a_limit() -> None:
    """0: there is none."""
    rates = Rates(0)
    for _ in range(1000):
        assert rates.is_free(0)
        rates.taken("anna", 0, 1)


@given(st.integers(1, 5), st.floats(1, 10), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_a_recipient_is_left_alone(burst: int, every: float, pauses: list[float]) -> None:
    """A few at once after a rest, then one in so many seconds; another recipient is another matter."""
    rates, now = Rates(0, Pace(every, burst)), 0.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        wait = rates.recipient_waits("anna", now)
        assert rates.recipient_waits("berta", now) == 0
        if not wait:
            rates.taken("anna", now, 1)
            taken.append(now)
        else:
            assert rates.recipient_waits("anna", now + wait) == pytest.approx(0, abs=1e-6)
    for first in range(len(taken) - burst):
        assert taken[first + burst] - taken[first] >= every - 1e-6
    assert all(earlier <= later for earlier, later in pairwise(taken))


def test_recipients_are_forgotten() -> None:
    """Who is on pace again costs nothing."""
    rates = Rates(0, Pace(6, 1))
    for number in range(100_000):
        rates.taken(number, number / 10, 1)
    assert len(rates._recipients) < 3000


def test_a_slow_channel_leaves_the_others_alone() -> None:
    """Each channel has slots of its own: with all of SMS taken, a mail starts at once."""
    worker = Worker(configured={"sms_concurrency": 4})
    worker.send(*[worker.record(request("co-7", f"n-{n}", **SMS), "delivery.sms") for n in range(20)])
    assert len(worker.jobs) == 3  # one is kept for high
    worker.send(worker.record(request("co-7", "mail")))
    assert [job.delivery.intent.channel for job in worker.jobs] == ["sms"] * 3 + ["email"]


def test_the_rate_of_the_settings() -> None:
    """What the account would not take now waits, and goes when it may; half of the partitions have half of it."""
    worker = Worker(configured={"email_per_second": 10})
    worker.send(*[worker.record(request("co-7", f"n-{n}")) for n in range(20)])
    assert len(worker.jobs) == 1  # of 5 a second, and what may go at once
    for _ in range(20):
        worker.monotonic += 0.1
        worker.run()
    assert 9 <= len(worker.jobs) <= 12
    assert worker.posted == []


def test_the_pace_of_a_recipient() -> None:
    """What a recipient may not get yet is put off without an attempt, and without being told."""
    channel = SilentChannel(ChannelName.EMAIL, per_recipient=Pace(6, 2))
    worker = Worker(channels=[channel])
    worker.send(*[worker.record(request("co-7", f"n-{n}")) for n in range(4)])
    assert len(worker.jobs) == 2
    assert worker.counted["staffetta_held_back_total", "email"] == 2
    assert {record.topic for record in worker.posted} == {"delivery.retry.1"}
    for job in list(worker.jobs):
        worker.answer(job, Accepted("<m>"))
    for _ in range(130):
        worker.monotonic += 0.1
        worker.clock.moment += 0.1
        worker.run()
    assert len(worker.jobs) == 2


def test_lines_in_the_order_of_urgency() -> None:
    """High of every channel, then normal of every channel, then low."""
    from agents.deliver import LINES

    priorities = [line.priority for line in LINES]
    assert priorities == sorted(priorities, key=list(Priority).index)
    assert LINES[Line(ChannelName.SMS, Priority.LOW)] == "delivery.sms.low"
