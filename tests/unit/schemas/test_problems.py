"""What is said about an event that is refused: its place, and what to do about it."""

from typing import Any

import pytest

from schemas import Refused
from schemas.configuration import NotificationConfig
from schemas.reasons import RefusedReason
from tests.unit.schemas.examples import APPOINTMENT, BRANCH, CONFIG, PREFERENCES
from tests.unit.schemas.records import read

REMINDER = CONFIG | {"event_type": "appointment.reminder"}


def said(name: str, data: Any) -> str:
    with pytest.raises(Refused) as caught:
        read(name, data)
    assert caught.value.reason is RefusedReason.INVALID_DATA
    return caught.value.detail


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (
            {"channel": "email", "fallback_channels": ["sms", "push", "sms", "email"]},
            "data: the chain of channels comes back to sms (email → sms → push → sms): each may be in it once",
        ),
        (
            {"channel": "email", "fallback_channels": ["email"] * 10_000},
            "data: the chain of channels comes back to email (email → email): each may be in it once",
        ),
        (
            {"retry_schedule_seconds": [0]},
            "retry_schedule_seconds.0: Input should be greater than or equal to 1",
        ),
        (
            {"retry_schedule_seconds": [1] * 10_000},
            "retry_schedule_seconds: has 10000 entries, at most 50 are allowed",
        ),
        (
            {"config_id": "cf 1"},
            "config_id: an id has only letters, digits, '.', '_', ':' and '-'",
        ),
    ],
)
def test_a_configuration(fields: dict[str, Any], detail: str) -> None:
    """A chain that comes back to a channel, and a schedule that nobody can mean, are refused by name."""
    assert said("notification_config.upserted", CONFIG | fields) == detail


def test_reminders_years_ahead() -> None:
    """A reminder more than a year before the start is refused."""
    assert said("notification_config.upserted", REMINDER | {"minutes_before": 10 * 525_960}) == (
        "minutes_before: Input should be less than or equal to 527040"
    )
    assert said("notification_config.upserted", REMINDER | {"days_before": 3652}) == (
        "days_before: Input should be less than or equal to 366"
    )


def test_no_retries() -> None:
    """An empty schedule is one attempt and no retry, and nothing is wrong with it."""
    data = read("notification_config.upserted", CONFIG | {"retry_schedule_seconds": []}).data
    assert isinstance(data, NotificationConfig)
    assert data.retry_schedule_seconds == ()


@pytest.mark.parametrize("end", ["24:00", "25:00", "8:00", "tomorrow", ""])
def test_quiet_hours_that_never_end(end: str) -> None:
    """Quiet hours end at a time that the clock on the wall shows each day."""
    quiet = {"quiet_hours": {"start": "00:00", "end": end}}
    detail = "quiet_hours.end: a time of day is HH:MM, from 00:00 to 23:59"
    assert said("branch.upserted", BRANCH | quiet) == detail
    assert said("customer_preferences.upserted", PREFERENCES | quiet) == detail


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://b.example", 'https://b"onclick='])
def test_links(link: str) -> None:
    """A link that is none, or could run something, is refused with what it should be."""
    assert said("appointment.created", APPOINTMENT | {"links": {"cancel": link}}) == (
        "links.cancel: a link begins with https:// and has no blanks, quotes or angle brackets"
    )


def test_several_problems() -> None:
    """The first three are named, in one line."""
    detail = said("notification_config.upserted", {"company_id": "co-7", "version": 1})
    assert [problem.split(": ")[1] for problem in detail.split("; ")] == ["Field required"] * 3
