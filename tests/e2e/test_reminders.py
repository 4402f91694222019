"""Reminders on the real clock."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.event_types import TIMERS
from tests.e2e.messages import configuration, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, Message, customer, iso
from tests.support.waiting import wait_until

BEFORE = timedelta(minutes=1)
"""The shortest time before the start that a configuration can say."""


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def salon_that_reminds(road: System) -> Booking:
    salon = Booking("co-7")
    road.send(*opening(salon, told=()), configuration(salon, "appointment.reminder", minutes_before=1))
    return salon


def booked(salon: Booking, appointment_id: str, due: datetime) -> Message:
    """An appointment whose reminder falls due at `due`."""
    who = customer(customer_id=f"cu-{appointment_id}", email=f"{appointment_id}@kunde.example")
    return salon.appointment(appointment_id, starts_at=iso(due + BEFORE), customer=who)


def until(moment: datetime) -> None:
    wait_until(lambda: datetime.now(UTC) >= moment, f"{moment}", 60)


def planned(road: System) -> list[tuple[str, datetime]]:
    """(appointment, when) of every reminder that the timer has written."""
    found = (event["data"] for event in road.events(TIMERS))
    return [(each["appointment_id"], datetime.fromisoformat(each["due_at"])) for each in found]


def test_killed_around_the_moment(road: System) -> None:
    """A reminder is written once, not before its moment, and mailed once, though `notify` is killed before the
    moment, at it and after it."""
    worker = road.ready()
    salon = salon_that_reminds(road)
    due = datetime.now(UTC) + timedelta(seconds=12)
    road.send(booked(salon, "ap-1", due))
    for early in (2.0, 0.0, -0.5):
        until(due - timedelta(seconds=early))
        worker.kill_role("notify")
    worker.wait(lambda: road.box.to("ap-1@kunde.example"), "the reminder's mail")
    for _ in range(2):
        worker.kill_role("notify")
    log = road.check()
    [record] = log[TIMERS]
    assert (record.event["type"], record.event["data"]["due_at"]) == ("reminder.due", iso(due))
    assert record.timestamp >= due.timestamp() * 1000 - 1
    assert len(road.box.to("ap-1@kunde.example")) == len(road.box.mails) == 1


def test_in_time(road: System) -> None:
    """A reminder is written within a second after its moment, and not before it."""
    road.ready()
    salon = salon_that_reminds(road)
    dues = [datetime.now(UTC) + timedelta(seconds=6 + number / 3) for number in range(6)]
    road.send(*(booked(salon, f"ap-{number}", due) for number, due in enumerate(dues)))
    wait_until(lambda: len(road.box.mails) == len(dues), "all mails", 60)
    late = [
        record.timestamp / 1000 - due.timestamp()
        for record, due in zip(road.read(TIMERS)[TIMERS], dues, strict=True)
    ]
    assert min(late) >= -0.001
    assert max(late) < 1
    print(f"late by at most {max(late):.3f} s")
    road.check()


def test_moved_and_cancelled(road: System) -> None:
    """A moved appointment is reminded of at its new time only, a cancelled one not at all."""
    worker = road.ready()
    salon = salon_that_reminds(road)
    first = datetime.now(UTC) + timedelta(seconds=8)
    later = first + timedelta(seconds=5)
    road.send(booked(salon, "moved", first), booked(salon, "cancelled", first), booked(salon, "kept", first))
    road.send(
        booked(salon, "moved", later).but(type="appointment.rescheduled"),
        salon.appointment("cancelled", "cancelled"),
    )
    worker.wait(lambda: road.box.to("moved@kunde.example"), "the moved reminder's mail")
    road.check()
    assert sorted(planned(road)) == [("kept", first), ("moved", later)]
    assert {mail.recipient for mail in road.box.mails} == {"kept@kunde.example", "moved@kunde.example"}
    assert len(road.box.mails) == 2
    assert time.time() >= later.timestamp()
