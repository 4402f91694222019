"""`deliver` as a worker of its own, between a real Kafka and a real mail server."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import encode
from streams.clock import utc
from tests.e2e.system import System, system
from tests.support.smtp import Cut
from tests.support.waiting import wait_until
from tests.unit.delivery.support import NOW, request

COMPANIES = ("co-7", "co-8", "co-9")


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as road:
        yield road


def ask(
    road: System, notification_id: str, company_id: str = "co-7", topic: str = "delivery.email", **changes: Any
) -> None:
    """Write the request for an attempt, as `notify` would; without `changes` it is tried once."""
    recipient = {
        "type": "customer",
        "id": "cu-1",
        "name": "Anna Müller",
        "email": f"{notification_id}@example.com",
    }
    value = encode(
        "notification.attempt_due",
        id=f"{notification_id}:email:1",
        source="/staffetta/notify",
        time=utc(NOW),
        subject=None,
        company_id=company_id,
        data=request(
            company_id, notification_id, recipient=recipient, **{"retry_schedule_seconds": [], **changes}
        ),
    )
    road.produce(topic, company_id.encode(), value)


def told(road: System, notification_id: str) -> list[str]:
    """What the outcomes say of a notification, in their order."""
    return [
        event["type"].removeprefix("notification.")
        for event in road.events("delivery.outcomes")
        if event["data"]["notification_id"] == notification_id
    ]


def wait_for(road: System, notification_id: str, *types: str) -> None:
    wait_until(lambda: told(road, notification_id) == list(types), f"{types} of {notification_id}", 60)


def message_ids(road: System, notification_id: str) -> list[str]:
    return [mail.message_id for mail in road.box.to(f"{notification_id}@example.com")]


def reasons(road: System) -> dict[str, Any]:
    return {e["data"]["notification_id"]: e["data"]["reason"] for e in road.events("delivery.dead-letters")}


def test_each_request_is_one_mail_and_one_outcome(road: System) -> None:
    """300 requests of three companies on three priorities, each written twice, are 300 mails and 300 outcomes."""
    wanted = [
        (f"n-{number}", COMPANIES[number % 3], ("", ".high", ".low")[number % 7 % 3]) for number in range(300)
    ]
    for notification_id, company_id, priority in wanted * 2:
        ask(road, notification_id, company_id, f"delivery.email{priority}")
    road.flush()
    road.ready("--role", "deliver")
    wait_until(
        lambda: len(road.events("delivery.outcomes")) >= 300 and road.lag(["deliver"]) == 0, "all outcomes", 60
    )
    outcomes = road.events("delivery.outcomes")
    assert {event["type"] for event in outcomes} == {"notification.sent"}
    assert sorted(event["data"]["notification_id"] for event in outcomes) == sorted(name for name, *_ in wanted)
    assert set(road.box.accepted.values()) == {1}
    assert road.box.accepted.keys() == {event["data"]["provider_message_id"] for event in outcomes}


def test_what_the_server_says_is_what_is_told(road: System) -> None:
    """Refused for good, refused for now, lost before and after the final dot: each is told as what it was."""
    road.ready("--role", "deliver")
    cases = {
        "good": (None, None, "sent"),
        "unknown": ("RCPT", "550 5.1.1 no such user", "failed"),
        "full": ("RCPT", "452 4.2.2 over quota", "failed"),
        "cut": ("DATA", Cut.DROP, "failed"),
        "doubtful": ("DOT", Cut.DROP, "unconfirmed"),
    }
    for name, (stage, fault, kind) in cases.items():
        if stage is not None and fault is not None:
            road.box.plan(stage, fault)
        ask(road, name)
        road.flush()
        wait_until(lambda name=name, kind=kind: told(road, name)[:1] == [kind], f"{kind} of {name}", 60)  # type: ignore[misc]
    wait_for(road, "doubtful", "unconfirmed", "sent")
    first, repeat = message_ids(road, "doubtful")
    assert first == repeat
    assert reasons(road) == {"unknown": "dead_address", "full": "mailbox_full", "cut": "connection_failed"}


def test_killed_while_the_server_thinks(road: System) -> None:
    """A mail whose answer the worker did not live to hear is unconfirmed, and repeated as the same mail."""
    worker = road.ready("--role", "deliver")
    road.box.plan("DOT", Cut.SILENCE)
    ask(road, "n-1")
    road.flush()
    wait_until(lambda: message_ids(road, "n-1"), "the mail's arrival")
    worker.kill_role("deliver")
    wait_for(road, "n-1", "unconfirmed", "sent")
    first, repeat = message_ids(road, "n-1")
    assert first == repeat
    (unconfirmed, *_) = road.events("delivery.outcomes")
    assert unconfirmed["data"]["reason"] == "worker_died"


def test_stopped_while_the_server_thinks(road: System) -> None:
    """A worker that is asked to leave hears the answers out: nothing is left in doubt."""
    worker = road.ready("--role", "deliver")
    road.box.plan("DOT", 1.5)
    ask(road, "n-1")
    road.flush()
    wait_until(lambda: message_ids(road, "n-1"), "the mail's arrival")
    worker.leave()
    assert worker.ended() == 0
    assert told(road, "n-1") == ["sent"]
    road.ready("--role", "deliver")
    ask(road, "n-1")
    ask(road, "n-2")
    road.flush()
    wait_for(road, "n-2", "sent")
    assert told(road, "n-1") == ["sent"]
    assert len(message_ids(road, "n-1")) == 1


def test_a_hung_company_holds_up_nobody(bootstrap: str, tmp_path: Path) -> None:
    """While mails of one company get no answer, those of another go out."""
    with system(bootstrap, tmp_path, email_concurrency=5, provider_timeout_seconds=20) as road:
        worker = road.ready("--role", "deliver")
        road.box.plan("DOT", Cut.SILENCE, Cut.SILENCE, Cut.SILENCE)
        for number in range(3):
            ask(road, f"hung-{number}")
        road.flush()
        wait_until(lambda: all(message_ids(road, f"hung-{number}") for number in range(3)), "three hung mails")
        for number in range(50):
            ask(road, f"quick-{number}", "co-8")
        road.flush()
        wait_until(lambda: len(road.events("delivery.outcomes")) == 50, "50 outcomes", 15)
        worker.kill()


def test_high_is_sent_while_low_waits(bootstrap: str, tmp_path: Path) -> None:
    """With 10 000 low ones of the same company waiting, all of them slow, high ones are sent between them: they
    use slots that low may not have."""
    with system(bootstrap, tmp_path, email_concurrency=10) as road:
        road.box.plan("DOT", *[1.0] * 500)
        for number in range(10_000):
            ask(road, f"low-{number}", topic="delivery.email.low", priority="low")
        road.flush()
        worker = road.ready("--role", "deliver")
        wait_until(lambda: len(road.box.mails) >= 15, "low ones on their way", 60)
        for number in range(3):
            before, asked_at = len(road.box.mails), time.monotonic()
            ask(road, f"high-{number}", topic="delivery.email.high", priority="high")
            road.flush()
            wait_until(lambda number=number: message_ids(road, f"high-{number}"), "the high one")  # type: ignore[misc]
            print(f"on its way after {time.monotonic() - asked_at:.2f} s")
            assert len(road.box.mails) - before <= 16, "more than two rounds of low ones came first"
        worker.kill()


def test_a_blast_holds_up_nobody_else(bootstrap: str, tmp_path: Path) -> None:
    """Behind 5 000 slow ones of one company, a message of another in the same partition goes when it is that
    company's turn, not when they are through; so it is after the worker was killed, and none goes twice but what
    was on its way then."""
    with system(bootstrap, tmp_path, email_concurrency=10) as road:
        road.box.plan("DOT", *[0.5] * 1000)
        for number in range(5_000):
            ask(road, f"blast-{number}")
        road.flush()
        first = road.ready("--role", "deliver")
        wait_until(lambda: len(road.box.mails) >= 15, "the first ones on their way", 60)
        ask(road, "other", "co-8")
        road.flush()
        wait_until(lambda: message_ids(road, "other"), "that of the other company", 60)
        assert len(road.box.mails) < 1000
        print(f"after {len(road.box.mails)} of 5 000")
        first.kill()
        second = road.ready("--role", "deliver")
        ask(road, "another", "co-8")
        road.flush()
        wait_until(lambda: message_ids(road, "another"), "the next one of the other company", 60)
        assert len(road.box.mails) < 2000
        assert sum(count > 1 for count in road.box.accepted.values()) <= 10
        second.kill()
