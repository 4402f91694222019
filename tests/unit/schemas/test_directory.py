"""What the company's own data must be like, beyond the types of its fields."""

from typing import Any

import pytest

from schemas import Refused
from schemas.configuration import NotificationConfig
from schemas.directory import Staff, WorkingHours
from schemas.reasons import Audience, RefusedReason
from tests.unit.schemas.examples import BRANCH, COMPANY, CONFIG, PREFERENCES, STAFF
from tests.unit.schemas.records import read


def staff(**fields: Any) -> Staff:
    data = read("staff.upserted", STAFF | fields).data
    assert isinstance(data, Staff)
    return data


def config(**fields: Any) -> NotificationConfig:
    data = read("notification_config.upserted", CONFIG | fields).data
    assert isinstance(data, NotificationConfig)
    return data


def is_refused(name: str, data: Any) -> bool:
    with pytest.raises(Refused) as caught:
        read(name, data)
    return caught.value.reason is RefusedReason.INVALID_DATA


def test_working_hours_by_weekday() -> None:
    """A day has its shifts in the order given; a day that is absent or null has none."""
    hours = staff(working_hours={"mon": [["13:00", "24:00"], ["09:00", "12:00"]], "tue": None}).working_hours
    assert hours is not None
    assert hours.on(0) == (("13:00", "24:00"), ("09:00", "12:00"))
    assert [hours.on(day) for day in range(1, 7)] == [()] * 6


def test_no_working_hours_and_empty_working_hours_differ() -> None:
    """Null means always, an empty object means never."""
    assert staff(working_hours=None).working_hours is None
    assert staff(working_hours={}).working_hours == WorkingHours()


@pytest.mark.parametrize(
    "hours",
    [
        {"mon": [["22:00", "06:00"]]},
        {"mon": [["09:00", "09:00"]]},
        {"mon": [["24:00", "24:00"]]},
        {"mon": [["09:00", "24:01"]]},
        {"mon": [["9:00", "17:00"]]},
        {"mon": [["09:00:00", "17:00:00"]]},
        {"mon": [["09:00", "17:60"]]},
        {"mon": [["09:00"]]},
        {"mon": [["09:00", "12:00", "13:00"]]},
        {"mon": [{"start": "09:00", "end": "17:00"}]},
        {"mon": ["09:00", "17:00"]},
        {"mon": "09:00-17:00"},
        {"monday": [["09:00", "17:00"]]},
        {"Mon": [["09:00", "17:00"]]},
        [],
        "always",
    ],
)
def test_working_hours_that_cannot_be_understood_refuse_the_person(hours: Any) -> None:
    """A night shift as one entry, an unknown day or another form of time is refused, never guessed at."""
    assert is_refused("staff.upserted", STAFF | {"working_hours": hours})


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../../etc/passwd", "CEST", "\u0661", "x" * 5000])
def test_a_zone_is_one_that_exists(zone: str) -> None:
    """A branch or company in an unknown time zone is refused: its working hours would mean nothing."""
    assert is_refused("branch.upserted", BRANCH | {"timezone": zone})
    assert is_refused("company.upserted", COMPANY | {"timezone": zone})


def test_a_customers_unknown_zone_does_not_cost_their_preferences() -> None:
    """That somebody unsubscribed counts, whatever zone their browser told."""
    assert read("customer_preferences.upserted", PREFERENCES | {"timezone": "Mars/Olympus"})


@pytest.mark.parametrize("time", ["24:00", "7:00", "21:00:00", "21.00", "\u0662\u0661:00"])
def test_quiet_hours_are_wall_clock_times(time: str) -> None:
    """Quiet hours are HH:MM of the clock on the wall."""
    assert is_refused("branch.upserted", BRANCH | {"quiet_hours": {"start": time, "end": "08:00"}})


def test_an_absence_is_read() -> None:
    """An absence begins at `from` and ends at `until`."""
    (absence,) = staff().absences
    assert absence.from_ < absence.until


@pytest.mark.parametrize(
    ("event_type", "told"),
    [
        ("callback.assigned", Audience.STAFF),
        ("callback.withdrawn", Audience.STAFF),
        ("callback.received", Audience.CUSTOMER),
        ("appointment.created", Audience.CUSTOMER),
    ],
)
def test_who_is_told_by_default(event_type: str, told: Audience) -> None:
    """What concerns a colleague's callback is told to staff, everything else to the customer."""
    assert config(event_type=event_type, audience=None).told is told
    assert config(event_type=event_type, audience="staff").told is Audience.STAFF


@pytest.mark.parametrize("event_type", ["callback.assigned", "callback.withdrawn"])
def test_a_customer_is_never_told_who_has_their_callback(event_type: str) -> None:
    """A configuration that would tell the customer is refused."""
    assert is_refused("notification_config.upserted", CONFIG | {"event_type": event_type, "audience": "customer"})


def test_a_reminder_is_planned_in_one_way() -> None:
    """Minutes before the start, or days before at a time: both at once is refused."""
    assert config(minutes_before=60, days_before=None).minutes_before == 60
    assert is_refused("notification_config.upserted", CONFIG | {"minutes_before": 60})
