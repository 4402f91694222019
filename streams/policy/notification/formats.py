"""Dates, times and durations as the reader writes them, in the branch's time zone.

German `22.11.2026`, `14:30`, `45 Minuten`; English `22 November 2026`, `14:30`, `45 minutes`.
"""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.units import format_unit

DATE_PATTERNS = {"de": "dd.MM.yyyy", "en": "d MMMM yyyy"}
TIME_PATTERN = "HH:mm"


def local(moment: datetime, zone: str) -> datetime:
    """`moment` on the wall clock of `zone`, an IANA name."""
    return moment.astimezone(ZoneInfo(zone))


@lru_cache(maxsize=4096)
def date_text(moment: datetime, zone: str, locale: str) -> str:
    return format_date(local(moment, zone).date(), DATE_PATTERNS[locale], locale=locale)


@lru_cache(maxsize=4096)
def time_text(moment: datetime, zone: str, locale: str) -> str:
    return format_time(local(moment, zone).time(), TIME_PATTERN, locale=locale)


@lru_cache(maxsize=1024)
def duration_text(minutes: int, locale: str) -> str:
    """Always in minutes; none are no duration."""
    return format_unit(minutes, "duration-minute", "long", locale=locale) if minutes else ""
