"""Attempts: tried again on one channel, sent on to the next, given up; each told once and counted right."""

from dataclasses import replace
from typing import Any

import pytest

from schemas import Event
from schemas.notifications import AttemptDue, DeadLetter, Outcome
from schemas.reasons import DeliveryReason
from streams.clock import utc
from streams.policy.delivery.ledger import PARKED
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from tests.unit.delivery.support import GRACE_SECONDS, NOW, Record, Worker, partition_of, request, types

ACCEPTED = Accepted("<n-1.co-7@example.org>")
TRANSIENT = Transient(DeliveryReason.UNAVAILABLE, "450 later")
PERMANENT = Permanent(DeliveryReason.DEAD_ADDRESS, "550 5.1.1 unknown")
UNCONFIRMED = Unconfirmed(DeliveryReason.LOST_AFTER_DATA, "connection lost")
LOGGED_OUT = AccountWide(DeliveryReason.AUTH_FAILED, "535 5.7.8 credentials invalid")
CONTENT = {"body_text": "Guten Tag", "template": {"template_id": "builtin", "version": 0}}
TWO_CHANNELS = {
    "fallback_channels": ["sms"],
    "contents": {"email": CONTENT, "sms": CONTENT},
    "recipient": {"type": "customer", "id": "cu-1", "name": "Anna", "email": "anna@example.com", "phone": "+49"},
}


@pytest.fixture
def worker() -> Worker:
    return Worker()


def ask(worker: Worker, *, topic: str = "delivery.email", **changes: Any) -> Record:
    record = worker.record(request("co-7", "n-1", **changes), topic)
    worker.send(record)
    return record


def told(events: list[Event]) -> list[tuple[str, str, int, str | None]]:
    """(type, channel, attempt, reason) of each outcome."""
    return [
        (event.type.removeprefix("notification."), event.data.channel or "", event.data.attempt, event.data.reason)
        for event in events
        if isinstance(event.data, Outcome)
    ]


def answer(worker: Worker, result: Result) -> list[tuple[str, str, int, str | None]]:
    (job,) = worker.jobs
    return told(worker.answer(job, result))


def wait(worker: Worker, seconds: float) -> None:
    """Let time pass in steps of a tenth of a second, and `retry` and `deliver` do what is due."""
    end = worker.clock.moment + seconds
    while worker.clock.moment < end and not worker.jobs:
        worker.clock.moment = min(end, worker.clock.moment + 0.1)
        worker.run()


def test_sent_on_the_third_attempt(worker: Worker) -> None:
    """Two transient failures and a schedule of 1, 10 s: told as retrying twice, then as sent on attempt 3."""
    ask(worker, retry_schedule_seconds=[1, 10])
    assert answer(worker, TRANSIENT) == [("retrying", "email", 1, "unavailable")]
    wait(worker, 0.9)
    assert worker.jobs == []
    wait(worker, 1.2)
    assert answer(worker, TRANSIENT) == [("retrying", "email", 2, "unavailable")]
    wait(worker, 9.9)
    assert worker.jobs == []
    wait(worker, 1.2)
    assert [each.attempt for each in worker.jobs[0].delivery.due.attempts] == [1, 2]
    assert answer(worker, ACCEPTED) == [("sent", "email", 3, None)]
    assert not any(key[0] == PARKED for rows in worker.committed.values() for key in rows)


def test_when_the_next_attempt_is_due_is_told(worker: Worker) -> None:
    """`retrying` carries the moment of the next attempt."""
    ask(worker)
    event, attempt = worker.answer(worker.jobs[0], TRANSIENT)
    assert isinstance(event.data, Outcome)
    assert isinstance(attempt.data, AttemptDue)
    assert event.data.next_attempt_at == attempt.data.due_at == utc(NOW + 60)
    assert (attempt.data.attempt, attempt.data.redrive, attempt.data.attempt_channel) == (2, 0, "email")
    assert worker.posted[0].topic == "delivery.retry.60"


def test_the_date_stays(worker: Worker) -> None:
    """However often a message is tried, it is the same message, of the same date; the attempt is another."""
    ask(worker, retry_schedule_seconds=[1])
    first = worker.jobs[0].message
    answer(worker, TRANSIENT)
    wait(worker, 5)
    assert worker.jobs[0].message == replace(first, attempt=2)


def test_one_attempt_more_than_delays(worker: Worker) -> None:
    """A schedule of two delays is three attempts; then it is given up, with all three in the dead letter."""
    ask(worker, retry_schedule_seconds=[1, 1])
    for _ in range(2):
        answer(worker, TRANSIENT)
        wait(worker, 5)
    failed, letter = worker.answer(worker.jobs[0], TRANSIENT)
    assert told([failed]) == [("failed", "email", 3, "unavailable")]
    assert isinstance(letter.data, DeadLetter)
    assert [each.attempt for each in letter.data.attempts] == [1, 2, 3]
    wait(worker, 5)
    assert worker.posted == []


def test_no_schedule_is_no_retry(worker: Worker) -> None:
    """An empty schedule means one attempt."""
    ask(worker, retry_schedule_seconds=[])
    assert answer(worker, TRANSIENT) == [("failed", "email", 1, "unavailable")]


@pytest.mark.parametrize(("said", "seconds"), [(None, 60), (30.0, 60), (61.0, 61), (7200.0, 7200)])
def test_retry_after(worker: Worker, said: float | None, seconds: float) -> None:
    """What the provider asks for counts where it is longer than the delay."""
    ask(worker)
    event, _ = worker.answer(worker.jobs[0], Transient(DeliveryReason.RATE_LIMITED, "slow down", said))
    assert isinstance(event.data, Outcome)
    assert event.data.next_attempt_at == utc(NOW + seconds)


def test_a_retry_that_would_come_too_late(worker: Worker) -> None:
    """A retry after `not_after` is not waited for: it is suppressed at once, with the number it would have had."""
    ask(worker, not_after=utc(NOW + 59).isoformat())
    assert answer(worker, TRANSIENT) == [
        ("retrying", "email", 1, "unavailable"),
        ("suppressed", "email", 2, "too_late"),
    ]
    assert worker.posted == []


def test_fallback(worker: Worker) -> None:
    """A permanent failure leads to the next channel at once, with a schedule of its own."""
    ask(worker, **TWO_CHANNELS, retry_schedule_seconds=[1])
    assert answer(worker, PERMANENT) == [("fell_back", "email", 1, "dead_address")]
    worker.run()
    assert worker.jobs[0].delivery.intent.channel == "sms"
    assert answer(worker, TRANSIENT) == [("retrying", "sms", 1, "unavailable")]
    wait(worker, 3)
    failed, letter = worker.answer(worker.jobs[0], TRANSIENT)
    assert told([failed]) == [("failed", "sms", 2, "unavailable")]
    assert isinstance(letter.data, DeadLetter)
    assert [(each.channel, each.attempt) for each in letter.data.attempts] == [
        ("email", 1),
        ("sms", 1),
        ("sms", 2),
    ]
    assert letter.data.channel == "email"


def test_fallback_when_the_retries_are_used_up(worker: Worker) -> None:
    """After the last delay the next channel follows."""
    ask(worker, **TWO_CHANNELS, retry_schedule_seconds=[1])
    answer(worker, TRANSIENT)
    wait(worker, 3)
    assert answer(worker, TRANSIENT) == [("fell_back", "email", 2, "unavailable")]
    worker.run()
    assert answer(worker, ACCEPTED) == [("sent", "sms", 1, None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"fallback_channels": ["push", "email"]},
        {"contents": {"email": CONTENT}},
        {"skipped": [{"channel": "sms", "reason": "no_address"}]},
        {"fallback_channels": []},
    ],
)
def test_no_channel_left(worker: Worker, changes: dict[str, Any]) -> None:
    """A channel that does not exist here, has no text, was skipped, or was tried is none to fall back to."""
    ask(worker, **{**TWO_CHANNELS, **changes})
    assert types(worker.answer(worker.jobs[0], PERMANENT)) == ["failed", "dead_lettered"]


def test_a_channel_without_an_address_is_passed_over(worker: Worker) -> None:
    """Without an address no attempt is made: the next channel, or the end."""
    recipient = {**TWO_CHANNELS["recipient"], "email": None}  # type: ignore[dict-item]
    ask(worker, **{**TWO_CHANNELS, "recipient": recipient})
    assert told(worker.events) == [("fell_back", "email", 1, "no_address")]
    worker.run()
    assert worker.jobs[0].delivery.intent.channel == "sms"
    assert worker.jobs[0].delivery.due.attempts == ()


def test_permanent_on_the_repetition_falls_back(worker: Worker) -> None:
    """After `unconfirmed`, a certain refusal leads to the next channel; anything less certain to none."""
    ask(worker, **TWO_CHANNELS)
    assert answer(worker, UNCONFIRMED) == [("unconfirmed", "email", 1, "lost_after_data")]
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert answer(worker, PERMANENT) == [("fell_back", "email", 1, "dead_address")]


@pytest.mark.parametrize("result", [TRANSIENT, UNCONFIRMED])
def test_doubt_never_falls_back(worker: Worker, result: Result) -> None:
    """What may have arrived by mail is not sent by SMS too."""
    ask(worker, **TWO_CHANNELS)
    answer(worker, UNCONFIRMED)
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert answer(worker, result) == [("failed", "email", 1, "unconfirmed")]


def test_only_the_expected_attempt_is_let_in(worker: Worker) -> None:
    """While a retry is on its way, the first record, a later attempt and an earlier one change nothing; the retry
    itself is applied once."""
    first = ask(worker, retry_schedule_seconds=[1, 1])
    answer(worker, TRANSIENT)
    (attempt,) = worker.posted
    due = worker.events[-1].data
    assert isinstance(due, AttemptDue)
    other = due.model_copy(update={"attempt": 3})
    for record in (first, worker.record(other.model_dump(mode="json", exclude_none=True))):
        assert worker.send(record) == []
        assert worker.jobs == []
    wait(worker, 2.5)
    (job,) = worker.jobs
    worker.send(attempt._replace(topic="delivery.email"))
    assert worker.jobs == [job]
    answer(worker, ACCEPTED)
    worker.send(attempt._replace(topic="delivery.email"))
    assert worker.jobs == []
    assert worker.counted["staffetta_intake_total", "delivery.email", "duplicate"] == 4


def test_a_crash_at_any_point_loses_and_doubles_nothing(worker: Worker) -> None:
    """While it waits, when it is released, when it is in: a crash changes nothing but the doubt of what is in
    flight."""
    ask(worker, retry_schedule_seconds=[1])
    answer(worker, TRANSIENT)
    worker.crash()
    worker.clock.moment += 2
    worker.release()
    worker.crash()
    (record,) = worker.arrived()
    worker.step(record.partition, [record], commits=False)
    worker.run()
    assert len(worker.jobs) == 1
    assert answer(worker, ACCEPTED) == [("sent", "email", 2, None)]


@pytest.mark.parametrize("seconds", [0.2, 600])
def test_a_clock_that_is_ahead(worker: Worker, seconds: float) -> None:
    """A first attempt is made at once, whatever the clock of the host that wrote it."""
    ask(worker, due_at=utc(NOW + seconds).isoformat())
    assert (len(worker.jobs), worker.posted) == (1, [])


def test_not_before(worker: Worker) -> None:
    """What is due later waits in the delay topics, and no attempt is counted."""
    later = utc(NOW + 30).isoformat()
    ask(worker, due_at=later, not_before=later)
    assert worker.jobs == []
    assert told(worker.events) == []
    wait(worker, 29.9)
    assert worker.jobs == []
    wait(worker, 1.2)
    assert answer(worker, ACCEPTED) == [("sent", "email", 1, None)]


QUIET = {"start": "11:00", "end": "12:10", "timezone": "UTC"}
"""NOW is 11:06:40."""


@pytest.mark.parametrize("priority", ["normal", "low"])
def test_quiet_hours(worker: Worker, priority: str) -> None:
    """In quiet hours normal and low wait for their end, without an attempt."""
    ask(worker, quiet_hours=QUIET, priority=priority)
    assert worker.jobs == []
    assert told(worker.events) == []
    (attempt,) = worker.events
    assert isinstance(attempt.data, AttemptDue)
    assert f"{attempt.data.due_at:%H:%M:%S}" == "12:10:00"
    assert attempt.data.attempt == 1


def test_high_does_not_wait_for_quiet_hours(worker: Worker) -> None:
    """A cancellation is sent at night too."""
    ask(worker, quiet_hours=QUIET, priority="high", topic="delivery.email.high")
    assert len(worker.jobs) == 1


def test_a_retry_that_falls_into_quiet_hours(worker: Worker) -> None:
    """A retry is asked again when it is due: in quiet hours it waits for their end, and keeps its number."""
    quiet = {"start": "11:07", "end": "11:09", "timezone": "UTC"}
    ask(worker, quiet_hours=quiet)
    answer(worker, TRANSIENT)
    wait(worker, 139)
    assert worker.jobs == []
    wait(worker, 3)
    assert answer(worker, ACCEPTED) == [("sent", "email", 2, None)]


def test_quiet_hours_beyond_the_start(worker: Worker) -> None:
    """What could only be sent when it is too late is suppressed at once."""
    ask(worker, quiet_hours=QUIET, not_after=utc(NOW + 600).isoformat())
    assert told(worker.events) == [("suppressed", "email", 1, "too_late")]


def test_a_repetition_waits_for_the_end_of_quiet_hours(worker: Worker) -> None:
    """Also the repetition of an attempt that may have arrived; it stays known as one."""
    quiet = {"start": "11:07", "end": "11:30", "timezone": "UTC"}
    ask(worker, quiet_hours=quiet)
    answer(worker, UNCONFIRMED)
    worker.clock.moment = NOW + GRACE_SECONDS
    worker.run()
    assert worker.jobs == []
    worker.clock.moment = NOW + 23 * 60 + 20
    worker.run()
    assert answer(worker, TRANSIENT) == [("failed", "email", 1, "unconfirmed")]


def test_an_address_that_is_not_allowed() -> None:
    """With an allow-list nobody else is written to, whatever the letter case."""
    worker = Worker(configured={"recipient_allowlist": "*@Example.org, anna@*"})
    ask(worker)
    assert len(worker.jobs) == 1
    recipient = {"type": "customer", "id": "cu-2", "name": "Ben", "email": "ben@kunde.example"}
    written = worker.send(worker.record(request("co-7", "n-2", recipient=recipient)))
    assert told(written) == [("suppressed", "email", 1, "not_allowed")]


def test_the_breaker() -> None:
    """After two transient failures in a row nothing is tried for a while, nothing counted and nothing told; then
    one probe; when that gets through, all else follows."""
    worker = Worker(configured={"breaker_failures": 2, "breaker_seconds": 5})
    for number in (1, 2):
        worker.send(worker.record(request("co-7", f"bad-{number}", retry_schedule_seconds=[600])))
        worker.heard(TRANSIENT)
        worker.answer(worker.jobs[0], TRANSIENT)
    before = len(worker.events)
    for number in range(3):
        worker.send(worker.record(request("co-7", f"n-{number}")))
    assert worker.jobs == []
    assert told(worker.events[before:]) == []
    assert worker.counted["staffetta_held_back_total", "email"] == 3
    wait(worker, 8)
    (probe,) = worker.jobs
    assert probe.delivery.due.attempt == 1
    worker.heard(ACCEPTED)
    worker.answer(probe, ACCEPTED)
    wait(worker, 10)
    assert len(worker.jobs) == 2


def test_an_account_that_is_refused(worker: Worker) -> None:
    """A refused log-in is no attempt: nothing is told, and the same attempt is made when the breaker lets it."""
    ask(worker, retry_schedule_seconds=[])
    worker.heard(LOGGED_OUT)
    assert answer(worker, LOGGED_OUT) == []
    worker.send(worker.record(request("co-7", "n-2")))
    assert worker.jobs == []
    wait(worker, 35)
    (job,) = worker.jobs
    worker.heard(ACCEPTED)
    assert told(worker.answer(job, ACCEPTED)) == [("sent", "email", 1, None)]
    wait(worker, 35)
    assert len(worker.jobs) == 1


def test_a_refused_account_at_the_repetition(worker: Worker) -> None:
    """The doubt stays: the repetition is made later, and is still the only one."""
    ask(worker)
    answer(worker, UNCONFIRMED)
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert answer(worker, LOGGED_OUT) == []
    worker.clock.moment += 30
    worker.tick()
    assert worker.jobs[0].delivery.intent.doubt is not None
    assert answer(worker, TRANSIENT) == [("failed", "email", 1, "unconfirmed")]


def test_the_partition_does_not_matter(worker: Worker) -> None:
    """A retry comes back to the partition of its company."""
    ask(worker, retry_schedule_seconds=[1])
    number = partition_of(worker.jobs[0])
    answer(worker, TRANSIENT)
    assert worker.posted[0].partition == number
