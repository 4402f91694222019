"""The audit misses no reminder that is missing, and expects none that is not to be."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from streams.audit import Kind
from tests.support.booking import MONDAY, Booking, Message, customer, iso
from tests.unit.audit.test_examining import Day
from tests.unit.audit.theatre import Theatre, configuration

TIMERS = "notification.timers"
SOON = iso(MONDAY + timedelta(hours=2))
"""An hour before it is the reminder."""


def reminder(salon: Booking, name: str = "r-1", **fields: Any) -> Message:
    return configuration(salon, "appointment.reminder", **{"config_id": name, "minutes_before": 60, **fields})


def day(*more: Message, configs: tuple[Message, ...] = (), salon: Booking | None = None) -> Day:
    """An appointment with its reminder, what else is said, and what happens until the afternoon."""
    salon, theatre = salon or Booking("co-1"), Theatre()
    theatre.send(salon.company(), salon.branch(), salon.service(), salon.staff("st-1"))
    theatre.send(*(configs or (reminder(salon),)))
    theatre.send(salon.appointment("ap-1", starts_at=SOON), *more)
    for _ in range(6):
        theatre.clock.moment += 1200
        theatre.wake()
    theatre.send(salon.company())
    return Day({topic: list(entries) for topic, entries in theatre.log.items()}, Counter(theatre.post.accepted))


def test_told() -> None:
    """A reminder that was written and told is well."""
    told = day()
    assert len(told.log[TIMERS]) == 1
    assert told.findings == []


def test_never_written() -> None:
    """An appointment whose reminder the timer has forgotten is found, though there is no trace of it."""
    told = day()
    timer = told.log[TIMERS][0].event
    told.remove(told.log[TIMERS][0])
    whose = timer["id"]
    for topic in ("notification.requests", "delivery.email.low", "delivery.outcomes"):
        told.log[topic] = [entry for entry in told.log[topic] if entry.event["data"]["caused_by"] != whose]
    told.accepted.clear()
    assert [finding.kind for finding in told.findings] == [Kind.LOST]
    assert told.says(Kind.LOST, "the reminder of ap-1 by r-1 was never written")


def test_told_nobody() -> None:
    """A reminder that was written and came to nothing is lost."""
    told = day()
    told.alter(told.log["notification.requests"][-1], caused_by="another")
    assert told.says(Kind.LOST, "of ap-1 told no customer")


def test_too_early() -> None:
    """No reminder is written before its moment."""
    told = day()
    told.alter(told.log[TIMERS][0], due_at=iso(MONDAY + timedelta(days=1)))
    assert told.says(Kind.WRONG, "of ap-1 was written too early")


def test_twice() -> None:
    """Nor is one written twice."""
    told = day()
    told.append(told.log[TIMERS][0])
    assert told.says(Kind.DOUBLED, "notification.timers has")


@pytest.mark.parametrize(
    "what",
    ["cancelled", "called off", "deleted", "moved", "booked too late", "not due yet", "of nobody", "in no branch"],
)
def test_none_is_expected(what: str) -> None:
    """Of what was cancelled, moved or booked too late, is days away or cannot be told, none is missed."""
    salon = Booking("co-1")
    said = {
        "cancelled": lambda: (salon.appointment("ap-2", starts_at=SOON), salon.appointment("ap-2", "cancelled")),
        "called off": lambda: (
            salon.appointment("ap-2", starts_at=SOON),
            salon.appointment("ap-2", "cancelled", status="booked"),
        ),
        "deleted": lambda: (salon.appointment("ap-2", starts_at=SOON), salon.appointment("ap-2", "deleted")),
        "moved": lambda: (
            salon.appointment("ap-2", starts_at=SOON),
            salon.appointment("ap-2", "rescheduled", starts_at=iso(MONDAY + timedelta(days=3))),
        ),
        "booked too late": lambda: (salon.appointment("ap-2", starts_at=iso(MONDAY + timedelta(minutes=59))),),
        "not due yet": lambda: (salon.appointment("ap-2", starts_at=iso(MONDAY + timedelta(days=3))),),
        "of nobody": lambda: (
            salon.appointment("ap-2", starts_at=SOON, customer=customer(customer_id="cu-9")),
            salon.directory("customer.erased", "cu-9", customer_id="cu-9"),
        ),
        "in no branch": lambda: (salon.appointment("ap-2", starts_at=SOON, branch_id="br-9"),),
    }[what]()
    found = day(*said, salon=salon)
    assert len(found.log[TIMERS]) >= 1
    assert found.findings == []


def test_several() -> None:
    """Each configuration has its own reminder, also one for the colleague; a disabled one is suppressed."""
    salon = Booking("co-1")
    configs = reminder(salon), reminder(salon, "r-2", audience="staff"), reminder(salon, "r-3", is_enabled=False)
    found = day(configs=configs, salon=salon)
    assert len(found.log[TIMERS]) == 3
    assert found.findings == []
    outcome = next(e for e in found.log["delivery.outcomes"] if e.event["data"].get("reason") == "disabled")
    found.remove(outcome)
    assert found.says(Kind.LOST, "of ap-1 told no customer")
