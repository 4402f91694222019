"""Quiet hours: whose they are, when they end, and what waits for that."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.notifications import LocalQuietHours
from streams.policy.notification.quiet import Quiet
from tests.unit.notification.test_reminders import REMINDER, book, read, reminder, world
from tests.unit.notification.world import (
    World,
    appointment,
    attempts,
    branch,
    callback,
    company,
    config,
    customer,
    decision,
    opened,
    requests,
    suppressions,
)

NIGHT = {"start": "21:00", "end": "08:00"}
EVENING = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
"""22:30 in Berlin."""
MORNING = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
"""08:00 in Berlin."""
HOUR = timedelta(hours=1)


def salon(at: datetime = EVENING, **quiet: Any) -> World:
    """`quiet`: of company, branch and customer."""
    made = opened()
    if "company" in quiet:
        made.send("company.upserted", company(version=2, quiet_hours=quiet["company"]))
    if "branch" in quiet:
        made.send("branch.upserted", branch(version=2, quiet_hours=quiet["branch"]))
    if "customer" in quiet:
        made.send("customer_preferences.upserted", preferences(quiet_hours=quiet["customer"]))
    made.at = at
    return made


def preferences(**fields: Any) -> dict[str, Any]:
    return {"customer_id": "cu-1", "version": 1, **fields}


def asked(made: World, type: str = "appointment.created", **fields: Any) -> Any:
    [request] = requests(made.send(type, appointment(**fields)))
    return request


def test_waits_for_the_end() -> None:
    """At night a message waits until the quiet hours are over, and carries them for what comes later."""
    request = asked(salon(company=NIGHT))
    assert request.not_before == MORNING
    assert request.quiet_hours == LocalQuietHours(start="21:00", end="08:00", timezone="Europe/Berlin")


def test_by_day() -> None:
    """By day nothing waits, but a retry might fall into the night: the hours are carried all the same."""
    request = asked(salon(MORNING, company=NIGHT))
    assert (request.not_before, request.quiet_hours.start) == (None, "21:00")


def test_most_specific_hours() -> None:
    """The customer's, else the branch's, else the company's."""
    company, branch, customer = ({"start": "20:00", "end": end} for end in ("09:00", "10:00", "11:00"))
    assert asked(salon(company=company)).not_before == MORNING + HOUR
    assert asked(salon(company=company, branch=branch)).not_before == MORNING + 2 * HOUR
    assert asked(salon(company=company, branch=branch, customer=customer)).not_before == MORNING + 3 * HOUR


def test_none_of_their_own() -> None:
    """Equal start and end are none, and none at a level is none of the levels above it either."""
    request = asked(salon(company=NIGHT, customer={"start": "00:00", "end": "00:00"}))
    assert (request.not_before, request.quiet_hours) == (None, None)


@pytest.mark.parametrize(
    ("preferred", "in_event", "zone"),
    [
        ("America/New_York", "Asia/Tokyo", "America/New_York"),
        (None, "Asia/Tokyo", "Asia/Tokyo"),
        ("Mars/Olympus", "Asia/Tokyo", "Asia/Tokyo"),
        (None, "nonsense", "Europe/Berlin"),
        (None, None, "Europe/Berlin"),
    ],
)
def test_zone(preferred: str | None, in_event: str | None, zone: str) -> None:
    """By the wall clock of the customer's preferences, of the customer in the event, or of the branch; a zone that
    does not exist is no zone."""
    made = salon(company=NIGHT)
    made.send("customer_preferences.upserted", preferences(timezone=preferred))
    assert asked(made, customer=customer(timezone=in_event)).quiet_hours.timezone == zone


def test_high_does_not_wait() -> None:
    """A cancellation is sent at night too."""
    request = asked(salon(company=NIGHT), "appointment.cancelled", status="cancelled")
    assert (request.priority, request.not_before, request.quiet_hours) == ("high", None, None)


def test_colleagues_have_none() -> None:
    """Who gets a callback is told at once."""
    made = salon(company=NIGHT)
    made.send("callback.requested", callback())
    [request] = requests(made.send("callback.auto_assigned", decision("d-1", "anna")))
    assert (request.not_before, request.quiet_hours) == (None, None)


def test_just_in_time() -> None:
    """What may be sent again at the very start is: not before, and not after it."""
    request = asked(salon(company=NIGHT), starts_at=MORNING)
    assert request.not_before == request.not_after == MORNING


def test_too_late() -> None:
    """What would wait beyond the start is suppressed, with the configuration that would have sent it."""
    made = salon(company=NIGHT)
    just_before = MORNING - timedelta(seconds=1)
    [outcome] = suppressions(made.send("appointment.created", appointment(starts_at=just_before)))
    assert outcome.config is not None
    assert (outcome.reason, outcome.config.config_id) == ("too_late", "appointment.created-default")
    in_time = asked(made, appointment_id="ap-2", starts_at=MORNING + timedelta(minutes=1))
    assert in_time.not_before == MORNING


def test_reminders_wait_too() -> None:
    """A reminder that falls due at night is for the morning; if the appointment is before that, it is none."""
    made = world(reminder(minutes_before=600))
    made.send("company.upserted", company(version=2, quiet_hours=NIGHT))
    book(made, starts_at=MORNING + timedelta(days=1, minutes=30))
    book(made, appointment_id="ap-2", starts_at=MORNING + timedelta(days=1, minutes=-30))
    early, late = made.tick(MORNING + timedelta(days=1))
    [outcome] = suppressions(read(made, early))
    assert (outcome.entity.id, outcome.event_type, outcome.reason) == ("ap-2", REMINDER, "too_late")
    [request] = requests(read(made, late))
    assert (request.event_type, request.not_before) == (REMINDER, MORNING + timedelta(days=1))


def test_due_when_they_end() -> None:
    """The first attempt is due when the quiet hours end."""
    made = salon(company=NIGHT)
    request = asked(made)
    [due] = attempts(made.send("notification.requested", request.model_dump(mode="json")))
    assert due.due_at == MORNING


@pytest.mark.parametrize("company", [None, NIGHT])
def test_own_hours_say_so(company: Any) -> None:
    """An attempt says whether its quiet hours are the customer's own, and which hold without them."""
    own = {"start": "20:00", "end": "09:00"}
    made = salon(company=company, customer=own)
    request = asked(made).model_dump(mode="json")
    [due] = attempts(made.send("notification.requested", request))
    house = None if company is None else LocalQuietHours(**NIGHT, timezone="Europe/Berlin")
    assert (due.chosen_in, due.house_hours) == (1, house)
    theirs = {**request, "notification_id": "n-2", "quiet_hours": {**NIGHT, "timezone": "UTC"}}
    [due] = attempts(made.send("notification.requested", theirs))
    assert (due.chosen_in, due.house_hours) == (None, None)


def test_nobody_has_any() -> None:
    """Where nobody has quiet hours, a request says nothing of any."""
    made = World()
    made.send("branch.upserted", branch())
    made.send("notification_config.upserted", config("appointment.created"))
    made.at = EVENING
    request = asked(made)
    assert (request.not_before, request.quiet_hours) == (None, None)


@pytest.mark.parametrize(
    ("start", "end", "at", "ends"),
    [
        ("21:00", "08:00", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"),  # an hour shorter
        ("21:00", "08:00", "2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z"),  # an hour longer
        ("21:00", "02:30", "2026-03-28T23:00:00Z", "2026-03-29T01:00:00Z"),  # 02:30 is skipped: from 03:00
        ("21:00", "02:30", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z"),  # 02:30 comes twice: the first
        ("21:00", "02:30", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),  # quiet again from the second 02:00
        ("12:00", "13:00", "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z"),
        ("12:00", "13:00", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"),
        ("12:00", "13:00", "2026-11-20T10:59:59.999999Z", "2026-11-20T10:59:59.999999Z"),
    ],
)
def test_ends(start: str, end: str, at: str, ends: str) -> None:
    """The end is right on the wall clock, also in the nights in which the clocks change."""
    assert Quiet(start, end, "Europe/Berlin").ends(datetime.fromisoformat(at)) == datetime.fromisoformat(ends)


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC")
instants = st.integers(0, 4 * 366 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
clocks = st.times().map(lambda time: f"{time:%H:%M}")


@settings(max_examples=500)
@example(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), "02:40", "02:10", "Europe/Berlin")
@given(instants, clocks, clocks, st.sampled_from(ZONES))
def test_never_inside(at: datetime, start: str, end: str, zone: str) -> None:
    """The end is never within quiet hours, never before the record, and at most a day away and what the clocks are
    moved by; a day more where the clocks may skip all that is not quiet."""
    ends = Quiet(start, end, zone).ends(at)
    assert at <= ends
    clock = f"{ends.astimezone(ZoneInfo(zone)):%H:%M}"
    assert not (start <= clock < end if start <= end else clock >= start or clock < end)
    loud = (_minutes(start) - _minutes(end)) % 1440
    assert ends - at <= timedelta(hours=25 if loud > 60 else 49)


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
