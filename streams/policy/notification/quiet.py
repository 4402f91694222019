"""Quiet hours: when they end, and whose they are.

The customer's, else the branch's, else the company's; by the customer's own wall clock if their zone is known,
else by the branch's. Colleagues have none, and what is urgent keeps none.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.base import is_zone
from schemas.reasons import Audience, Priority
from streams.policy.notification import rows
from streams.policy.notification.triggers import Trigger, is_past

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


class Quiet(NamedTuple):
    """From `start` to `end`, wall-clock times as `HH:MM`, past midnight if `end` is the smaller."""

    start: str
    end: str
    timezone: str

    def ends(self, at: datetime) -> datetime:
        """The first moment not before `at` that is outside, in UTC: `at` itself if that is."""
        zone, end = ZoneInfo(self.timezone), time.fromisoformat(self.end)
        moment = at.astimezone(UTC)
        while self._is_within(local := moment.astimezone(zone)):
            day = local.date() if local.time() < end else local.date() + DAY
            moment = _next(datetime.combine(day, end), zone, moment)
        return moment

    def _is_within(self, local: datetime) -> bool:
        clock = local.strftime("%H:%M")
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


def _next(wall: datetime, zone: tzinfo, after: datetime) -> datetime:
    """When it is `wall` next after `after`, in UTC. A time that is skipped is there when the clocks have moved on,
    a repeated one twice."""
    earlier, later = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if later < earlier:
        return _change(later, earlier, zone)
    return earlier if earlier > after else later


def _change(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """The second in which the clocks move on, which lies after `low` and not after `high`."""
    moved = high.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + SECOND * ((high - low) // SECOND // 2)
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == moved else (middle, high)
    return high


class Held(NamedTuple):
    """What quiet hours do to a message. `not_before` is None where it need not wait now, `zone` where none is
    known or needed."""

    hours: Quiet | None
    zone: str | None
    not_before: datetime | None

    def is_too_late(self, not_after: datetime | None) -> bool:
        """Whether it would wait until it has become pointless."""
        return self.not_before is not None and is_past(not_after, self.not_before.timestamp())

    def fields(self) -> dict[str, Any]:
        """What a request says of it."""
        hours = self.hours._asdict() if self.hours is not None else None
        return {"not_before": self.not_before, "quiet_hours": hours, "timezone": self.zone}


class Whose(NamedTuple):
    """Where quiet hours and their zone are looked for, as far as it is known; `zone` is what the event says of the
    customer."""

    reader: rows.Reader
    zone: str | None
    branch: rows.Branch | None
    company: rows.Company | None


def held(trigger: Trigger, priority: Priority, at: datetime, whose: Whose) -> Held:
    """By the quiet hours at `at`, the record's time."""
    if not keeps_any(trigger.audience, priority) or trigger.facts.customer is None:
        return Held(None, None, None)
    zone = zone_of(whose)
    hours = hours_of(whose, zone)
    ends = hours.ends(at) if hours is not None else at
    return Held(hours, zone, ends if ends > at else None)


def keeps_any(audience: Audience, priority: Priority) -> bool:
    """Whether a message waits for any quiet hours at all."""
    return priority is not Priority.HIGH and audience is Audience.CUSTOMER


def hours_of(whose: Whose, zone: str | None) -> Quiet | None:
    """Those that a message has to keep; None: it may be sent at any time."""
    asked = (each.quiet for each in (whose.reader, whose.branch, whose.company) if each is not None)
    hours = next((each for each in asked if each is not None), None)
    if hours is None or hours[0] == hours[1]:
        return None
    return Quiet(*hours, zone) if zone is not None else None


def zone_of(whose: Whose) -> str | None:
    """By whose wall clock: the customer's own, else the branch's, else, where that is not known, the company's."""
    near = (each.zone for each in (whose.branch, whose.company) if each is not None)
    return next((zone for zone in (whose.reader.zone, whose.zone, *near) if zone and is_zone(zone)), None)
