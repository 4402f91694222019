"""Quiet hours: until when somebody is not to be written to."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.base import is_zone
from streams.clock import utc


def quiet_until(now: float, start: str, end: str, zone: str) -> float | None:
    """When the quiet hours in which `now` lies are over; None: it lies in none.

    `start` and `end` are wall-clock times ("21:00") in `zone`. The same for both means none; an unknown zone too,
    for nobody could say when they are.
    """
    if start == end or not is_zone(zone):
        return None
    begins, ends, local = time.fromisoformat(start), time.fromisoformat(end), utc(now).astimezone(ZoneInfo(zone))
    wall = local.time()
    is_quiet = begins <= wall < ends if begins < ends else wall >= begins or wall < ends
    return _next(ends, local, now) if is_quiet else None


def _next(ends: time, local: datetime, now: float) -> float:
    """The next instant at which the wall clock shows `ends`; where it is skipped, as much later."""
    for days in (0, 1):
        for fold in (0, 1):
            end = datetime.combine(local.date() + timedelta(days=days), ends, local.tzinfo).replace(fold=fold)
            if end.timestamp() > now:
                return end.timestamp()
    raise AssertionError("no day has an end")
