"""The moment of a reminder, on every wall clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.policy.notification.moments import Timing, moment

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC")
instants = st.integers(0, 4 * 366 * 1440).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
clocks = st.times().map(lambda time: f"{time:%H:%M}")


@settings(max_examples=300)
@example(datetime(2026, 3, 29, 10, 0, tzinfo=UTC), 0, "02:30", "Europe/Berlin")
@example(datetime(2026, 10, 26, 10, 0, tzinfo=UTC), 1, "02:30", "Europe/Berlin")
@given(instants, st.integers(0, 366), clocks, st.sampled_from(ZONES))
def test_wall_clock(starts_at: datetime, days: int, at: str, zone: str) -> None:
    """A reminder `days_before` is on that day of the branch's calendar and at that time of its wall clock, unless
    the clocks skip it, and always before the start; there is none only where that is not so."""
    local = starts_at.astimezone(ZoneInfo(zone))
    due = moment(starts_at, Timing(days_before=days, at=at), zone)
    if due is None:
        assert days == 0
        assert f"{local:%H:%M}" <= at or _is_skipped(local.date(), at, zone)
        return
    assert due < starts_at
    there = due.astimezone(ZoneInfo(zone))
    assert local.date() - there.date() == timedelta(days=days)
    assert f"{there:%H:%M}" == at or _is_skipped(there.date(), at, zone)


def _is_skipped(day: date, at: str, zone: str) -> bool:
    wall = datetime.combine(day, time.fromisoformat(at), tzinfo=ZoneInfo(zone))
    return wall.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall.replace(tzinfo=None)


@given(instants, st.integers(0, 366 * 1440), st.sampled_from(ZONES))
def test_minutes_before(starts_at: datetime, minutes: int, zone: str) -> None:
    """`minutes_before` is exactly so long before the start, whatever the clocks do."""
    due = moment(starts_at, Timing(minutes_before=minutes), zone)
    assert due == (starts_at - timedelta(minutes=minutes) if minutes else None)


def test_the_year_one() -> None:
    """A start in the first years of all has no reminder, and no error."""
    assert moment(datetime(2, 1, 1, tzinfo=UTC), Timing(days_before=366, at="00:00"), "Europe/Berlin") is None
