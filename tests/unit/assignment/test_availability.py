"""Working hours on the wall clock, across daylight saving too."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.reasons import Exclusion
from streams.policy.assignment.availability import Timetable
from streams.policy.assignment.moments import FOREVER, LONG_AGO
from tests.support.booking import milliseconds, moment

HOUR = 3_600_000
BERLIN = ZoneInfo("Europe/Berlin")


def days(*shifts: tuple[float, float], on: str = "0123456") -> list[list[tuple[int, int]]]:
    spans = [(int(start * HOUR), int(end * HOUR)) for start, end in shifts]
    return [spans if str(day) in on else [] for day in range(7)]


def ms(text: str) -> int:
    return milliseconds(moment(text))


def test_without_hours_always() -> None:
    """Without working hours a person is always there, and that never changes."""
    assert Timetable(BERLIN, None, []).window(0) == (None, LONG_AGO, FOREVER)


def test_an_empty_week_is_never() -> None:
    """Empty working hours mean never."""
    table = Timetable(BERLIN, days(), [])
    assert table.window(ms("2026-11-23T12:00:00+01:00")).excluded_by == Exclusion.OUTSIDE_HOURS
    assert table.next_begin(0) == FOREVER


@pytest.mark.parametrize(
    ("at", "works"),
    [
        ("2026-11-23T08:59:59.999+01:00", False),
        ("2026-11-23T09:00:00+01:00", True),
        ("2026-11-23T16:59:59.999+01:00", True),
        ("2026-11-23T17:00:00+01:00", False),
        ("2026-11-22T12:00:00+01:00", False),  # a Sunday, which is absent from the week
    ],
)
def test_half_open(at: str, works: bool) -> None:
    """A shift holds from its start until just before its end; an absent day is not worked."""
    table = Timetable(BERLIN, days((9, 17), on="01234"), [])
    assert (table.window(ms(at)).excluded_by is None) is works


def test_midnight_as_an_end() -> None:
    """24:00 is the end of the day; two entries make a night shift."""
    table = Timetable(BERLIN, days((0, 6), (22, 24)), [])
    for hour, works in [(21.9, False), (22, True), (23.99, True), (24, True), (29.9, True), (30, False)]:
        at = ms("2026-11-23T00:00:00+01:00") + int(hour * HOUR)
        assert (table.window(at).excluded_by is None) is works, hour


def test_the_gap_in_spring() -> None:
    """A start that is skipped by daylight saving begins at the first instant after the gap."""
    table = Timetable(BERLIN, days((2.5, 4)), [])
    gap = ms("2026-03-29T02:00:00+01:00")  # 02:00 becomes 03:00
    assert table.window(gap - 1).excluded_by == Exclusion.OUTSIDE_HOURS
    assert table.window(gap - 1).until == gap
    assert table.window(gap) == (None, gap, gap + HOUR)
    assert table.next_begin(gap - HOUR) == gap


def test_the_repeated_hour_in_autumn() -> None:
    """An hour that daylight saving repeats is worked twice."""
    table = Timetable(BERLIN, days((2, 2.75)), [])
    first = ms("2026-10-25T02:00:00+02:00")
    quarter = HOUR // 4
    assert table.window(first) == (None, first, first + 3 * quarter)
    assert table.window(first + 3 * quarter) == (Exclusion.OUTSIDE_HOURS, first + 3 * quarter, first + HOUR)
    assert table.window(first + HOUR) == (None, first + HOUR, first + HOUR + 3 * quarter)
    assert table.next_begin(first) == first + HOUR


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "UTC"]
)
def test_as_in_zoneinfo(zone: str) -> None:
    """Through a year, every quarter of an hour, it is as the wall clock of `zoneinfo` says."""
    spans = [(0, 1.75), (2.25, 2.5), (9, 17.5), (23, 24)]
    table = Timetable(ZoneInfo(zone), days(*spans, on="0236"), [])
    at, end = ms("2026-01-01T00:07:00Z"), ms("2027-01-01T00:00:00Z")
    window = table.window(at)
    while at < end:
        local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone))
        hour = local.hour + local.minute / 60
        works = local.weekday() in {0, 2, 3, 6} and any(start <= hour < stop for start, stop in spans)
        if not window.since <= at < window.until:
            assert at >= window.until
            window = table.window(at)
        assert (window.excluded_by is None) is works, local
        at += HOUR // 4


def test_absences_cut_shifts() -> None:
    """An absence takes its part out of a shift; outside working hours it is not the reason."""
    away = (ms("2026-11-23T12:00:00+01:00"), ms("2026-11-24T10:00:00+01:00"))
    table = Timetable(BERLIN, days((9, 17)), [away])
    assert table.window(away[0] - 1).until == away[0]
    assert table.window(away[0]) == (Exclusion.ABSENT, away[0], ms("2026-11-23T17:00:00+01:00"))
    assert table.window(ms("2026-11-23T20:00:00+01:00")).excluded_by == Exclusion.OUTSIDE_HOURS
    assert table.next_begin(away[0]) == away[1]


MONTH_OFF = ("2026-11-23T20:00:00Z", "2026-12-22T20:00:00Z")
DAY_OFF = ("2026-12-23T20:00:00Z", "2026-12-24T20:00:00Z")


@pytest.mark.parametrize(
    ("week", "absences", "after", "begin"),
    [
        ((9, 17), [], "2026-11-23T08:00:00+01:00", "2026-11-23T09:00:00+01:00"),
        ((9, 17), [], "2026-11-23T09:00:00+01:00", "2026-11-24T09:00:00+01:00"),
        (
            (9, 17),
            [MONTH_OFF],
            "2026-11-23T19:00:00Z",
            "2026-12-23T08:00:00Z",
        ),
        (None, [MONTH_OFF], "2026-11-23T19:00:00Z", "2026-12-22T20:00:00Z"),
        (
            (0, 24),
            [DAY_OFF],
            "2026-11-23T19:00:00Z",
            "2026-12-24T20:00:00Z",
        ),
        ((0, 24), [], "2026-11-23T19:00:00Z", None),
        (None, [], "2026-11-23T19:00:00Z", None),
        (None, [("2026-11-20T20:00:00Z", "2026-11-21T20:00:00Z")], "2026-11-23T19:00:00Z", None),
    ],
)
def test_next_begin(
    week: tuple[float, float] | None, absences: list[tuple[str, str]], after: str, begin: str | None
) -> None:
    """The next moment at which a shift begins or an absence ends, however far away it is."""
    spans = [(ms(start), ms(end)) for start, end in absences]
    table = Timetable(BERLIN, None if week is None else days(week), spans)
    assert table.next_begin(ms(after)) == (FOREVER if begin is None else ms(begin))


def test_once_a_week() -> None:
    """A person who works one morning a week begins a week later again."""
    table = Timetable(BERLIN, days((9, 10), on="0"), [])
    monday = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert table.next_begin(milliseconds(monday)) == milliseconds(monday + timedelta(days=7))


def test_once_a_week_in_the_gap() -> None:
    """A weekly shift that daylight saving skips altogether begins two weeks after the last one."""
    table = Timetable(BERLIN, days((2, 3), on="6"), [])
    assert table.next_begin(ms("2027-03-21T02:00:00+01:00")) == ms("2027-04-04T02:00:00+02:00")
