"""When a reminder falls due: so long before the start, or days before it by the branch's wall clock."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from schemas.base import is_zone
from schemas.configuration import NotificationConfig

DEFAULT_MINUTES_BEFORE = 1440


class Timing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """As configured; at most one of `minutes_before` and `days_before` is given. `at`: `HH:MM`."""

    minutes_before: int | None = None
    days_before: int | None = None
    at: str | None = None


def timing(config: NotificationConfig) -> Timing:
    return Timing(config.minutes_before, config.days_before, config.at)


def moment(starts_at: datetime, timing: Timing, zone: str) -> datetime | None:
    """In UTC; None where that would not be before the start, or where the zone it depends on is not known.

    Without `at`, `days_before` means the wall-clock time of the start. A time that daylight saving skips or
    repeats is taken as `zoneinfo` does: the skipped one with the offset from before, the repeated one the first
    time.
    """
    try:
        due = _moment(starts_at, timing, zone)
    except OverflowError:  # before the year 1
        return None
    return due if due is not None and due < starts_at else None


def _moment(starts_at: datetime, timing: Timing, zone: str) -> datetime | None:
    if timing.days_before is None:
        minutes = DEFAULT_MINUTES_BEFORE if timing.minutes_before is None else timing.minutes_before
        return starts_at - timedelta(minutes=minutes)
    if not is_zone(zone):
        return None
    start = starts_at.astimezone(ZoneInfo(zone))
    clock = start.time() if timing.at is None else time.fromisoformat(timing.at)
    day = start.date() - timedelta(days=timing.days_before)
    return datetime.combine(day, clock, tzinfo=start.tzinfo).astimezone(starts_at.tzinfo)
