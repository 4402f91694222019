"""Quiet hours on the wall clock of a zone, daylight saving included."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import utc
from streams.policy.delivery.quiet_hours import quiet_until

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()


@pytest.mark.parametrize(
    ("now", "start", "end", "until"),
    [
        ("2026-11-23T20:59:59", "21:00", "08:00", None),
        ("2026-11-23T21:00", "21:00", "08:00", "2026-11-24T08:00"),
        ("2026-11-24T03:00", "21:00", "08:00", "2026-11-24T08:00"),
        ("2026-11-24T08:00", "21:00", "08:00", None),
        ("2026-11-24T12:30", "12:00", "13:00", "2026-11-24T13:00"),
        ("2026-11-24T12:30", "12:00", "12:00", None),
        ("2026-11-24T12:30", "12:00", "11:59", "2026-11-25T11:59"),
        # The last Sunday of March has no 02:30, that of October has two.
        ("2026-03-29T01:00", "22:00", "08:00", "2026-03-29T08:00"),
        ("2026-10-25T01:00", "22:00", "08:00", "2026-10-25T08:00"),
        ("2026-03-29T01:00", "22:00", "02:30", "2026-03-29T03:30"),
    ],
)
def test_until(now: str, start: str, end: str, until: str | None) -> None:
    """From the start on until the end, which is quiet no more; over midnight if the end is the smaller."""
    assert quiet_until(at(now), start, end, BERLIN) == (None if until is None else at(until))


def test_a_repeated_end() -> None:
    """Where the clock is put back over the end, it comes twice: each time the next one counts."""
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10, the second time
    assert quiet_until(second.timestamp(), "22:00", "02:30", BERLIN) == second.timestamp() + 20 * 60


def test_an_unknown_zone_has_none() -> None:
    """Nobody can say when they are."""
    assert quiet_until(at("2026-11-24T03:00"), "21:00", "08:00", "Mars/Olympus") is None


wall = st.times().map(lambda moment: f"{moment:%H:%M}")


@given(
    st.integers(int(at("2026-01-01T00:00")), int(at("2027-01-01T00:00"))),
    wall,
    wall,
    st.sampled_from([BERLIN, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_the_end_is_near_and_not_quiet(now: int, start: str, end: str, zone: str) -> None:
    """Whenever it is quiet, it ends within a day (and an hour, where the clock is put back), and then it is not
    quiet."""
    until = quiet_until(now, start, end, zone)
    if until is None:
        return
    assert now < until <= now + 25 * 3600
    assert utc(until).astimezone(ZoneInfo(zone)).time() >= time.fromisoformat(end)
    assert quiet_until(until, start, end, zone) is None
