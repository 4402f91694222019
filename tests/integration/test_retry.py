"""Attempts on a real Kafka and a real mail server: tried again, held, released, and none too soon."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.clock import utc
from tests.e2e.system import System, system
from tests.integration.test_email import ask, message_ids, reasons, told, wait_for
from tests.support.booking import Booking
from tests.support.kafka import PARTITIONS
from tests.support.waiting import wait_until

BUSY = "451 4.3.0 try again"
TOO_SOON_SECONDS = 0.001
"""Timestamps of records are whole milliseconds."""


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as road:
        yield road


def started(road: System) -> None:
    for role in ("deliver", "retry"):
        road.ready("--role", role)


def test_sent_on_the_third_attempt(road: System) -> None:
    """Refused for now twice, with a schedule of 1 and 1 s: one mail, on attempt 3, not a moment early, and late by
    no more than a second and what the machine takes."""
    started(road)
    road.box.plan("DOT", BUSY, BUSY)
    ask(road, "n-1", retry_schedule_seconds=[1, 1])
    road.flush()
    wait_for(road, "n-1", "retrying", "retrying", "sent")
    assert len(message_ids(road, "n-1")) == 1
    outcomes = [event["data"] for event in road.events("delivery.outcomes")]
    assert [outcome["attempt"] for outcome in outcomes] == [1, 2, 3]
    due = [datetime.fromisoformat(outcome["next_attempt_at"]) for outcome in outcomes[:2]]
    made = [datetime.fromisoformat(outcome["at"]) for outcome in outcomes[1:]]
    for planned, at in zip(due, made, strict=True):
        assert timedelta(0) <= at - planned < timedelta(seconds=4)
    wait_until(lambda: road.lag(["deliver", "retry"]) == 0, "the end of the delay topics")


def test_released_in_time_whatever_waits_behind(road: System) -> None:
    """40 messages of three companies due between now and 3 s from now: none is released early, and those that are
    due soon do not wait for those that are due later."""
    started(road)
    now = datetime.now(UTC)
    due = {f"n-{number}": now + timedelta(seconds=3 - number % 7 * 0.5) for number in range(40)}
    for number, (notification_id, due_at) in enumerate(due.items()):
        later = due_at.isoformat()
        ask(road, notification_id, f"co-{number % 3}", due_at=later, not_before=later)
    road.flush()
    wait_until(lambda: len(road.events("delivery.outcomes")) == 40, "all outcomes", 60)
    outcomes = [(event["type"], event["data"]) for event in road.events("delivery.outcomes")]
    assert {kind for kind, _ in outcomes} == {"notification.sent"}
    lateness = [datetime.fromisoformat(data["at"]) - due[data["notification_id"]] for _, data in outcomes]
    assert min(lateness) >= timedelta(0)
    released = [entry for topic in ("delivery.email",) for entry in road.read(topic)[topic]]
    early = [
        entry.place
        for entry in released
        if entry.event["source"] == "/staffetta/deliver"
        and utc(entry.timestamp / 1000 + TOO_SOON_SECONDS) < datetime.fromisoformat(entry.event["data"]["due_at"])
    ]
    assert early == []
    assert all(times == 1 for times in road.box.accepted.values())


def test_superseded_between_two_attempts(road: System) -> None:
    """An appointment that is cancelled while its confirmation waits for a retry is not confirmed any more."""
    started(road)
    salon = Booking("co-7")
    road.send(salon.appointment())
    road.box.plan("RCPT", BUSY)
    ask(road, "n-1", retry_schedule_seconds=[3], entity={"type": "appointment", "id": "ap-1", "version": 1})
    road.flush()
    wait_for(road, "n-1", "retrying")
    road.send(salon.appointment(event="cancelled"))
    wait_for(road, "n-1", "retrying", "suppressed")
    (_, suppressed) = (event["data"] for event in road.events("delivery.outcomes"))
    assert (suppressed["reason"], suppressed["attempt"]) == ("superseded", 2)
    assert message_ids(road, "n-1") == []


def test_only_channels_that_exist_are_fallen_back_to(road: System) -> None:
    """Refused for good with SMS and push behind it: there is no such channel yet, so it fails at once."""
    started(road)
    road.box.plan("RCPT", "550 5.1.1 no such user")
    ask(road, "n-1", fallback_channels=["sms", "email", "push"], retry_schedule_seconds=[60])
    road.flush()
    wait_for(road, "n-1", "failed")
    assert reasons(road) == {"n-1": "dead_address"}


def test_killed_while_something_waits(road: System) -> None:
    """`retry` and `deliver` killed and started again while a retry waits: it is made, once."""
    first = [road.ready("--role", role) for role in ("deliver", "retry")]
    road.box.plan("DOT", BUSY)
    ask(road, "n-1", retry_schedule_seconds=[4])
    road.flush()
    wait_for(road, "n-1", "retrying")
    for worker in first:
        worker.kill()
    started(road)
    wait_for(road, "n-1", "retrying", "sent")
    assert len(message_ids(road, "n-1")) == 1
    wait_until(lambda: road.lag(["deliver", "retry"]) == 0, "the end")
    assert told(road, "n-1") == ["retrying", "sent"]
    assert [event["data"]["attempt"] for event in road.events("delivery.email")] == [1, 2]


def test_each_partition_wakes_by_itself(road: System) -> None:
    """`retry` alone releases what is due in each partition, without a record to wake it."""
    road.ready("--role", "retry")
    companies = [f"co-{number}" for number in range(4 * PARTITIONS)]
    for company_id in companies:
        due_at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        ask(road, "n-1", company_id, "delivery.retry.1", due_at=due_at)
    road.flush()
    wait_until(lambda: len(road.events("delivery.email")) == len(companies), "all of them", 30)
    assert sorted(event["data"]["company_id"] for event in road.events("delivery.email")) == companies


def test_a_refused_account_costs_no_attempt(bootstrap: str, tmp_path: Path) -> None:
    """While the server refuses our account, no attempt is counted and nothing is told, though there is no retry;
    when the account is mended, all are sent on their first attempt."""
    with system(bootstrap, tmp_path, email_concurrency=2) as road:
        started(road)
        road.box.plan("MAIL", *["535 5.7.8 credentials invalid"] * 3)
        for number in range(5):
            ask(road, f"n-{number}")
        road.flush()
        wait_until(lambda: len(road.events("delivery.outcomes")) == 5, "all outcomes", 60)
        outcomes = [(event["type"], event["data"]["attempt"]) for event in road.events("delivery.outcomes")]
        assert outcomes == [("notification.sent", 1)] * 5
        assert set(road.box.accepted.values()) == {1}
        assert any(road.events(f"delivery.retry.{seconds}") for seconds in road.settings.delay_ladder_seconds)
