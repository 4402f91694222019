"""Quiet hours: when they end, and whose they are.

The customer's, else the branch's, else the company's; by the customer's own wall clock if their zone is known,
else by the branch's. Colleagues have none.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.base import is_zone
from schemas.reasons import Audience, Priority
from streams.policy.notification import rows
from streams.policy.notification.triggers import Trigger

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
    """What quiet hours do to a message. `not_before` is None where it need not wait now."""

    hours: Quiet | None
    not_before: datetime | None

    def is_too_late(self, trigger: Trigger) -> bool:
        """Whether it would wait until it has become pointless."""
        until = trigger.not_after
        return self.not_before is not None and until is not None and self.not_before >= until

    def fields(self) -> dict[str, Any]:
        """What a request says of it."""
        hours = self.hours._asdict() if self.hours is not None else None
        return {"not_before": self.not_before, "quiet_hours": hours}


def held(
    trigger: Trigger,
    priority: Priority,
    at: datetime,
    reader: rows.Reader,
    branch: rows.Branch,
    company: rows.Company | None,
) -> Held:
    """By the quiet hours at `at`, the record's time."""
    hours = hours_for(trigger, priority, reader, branch, company)
    ends = hours.ends(at) if hours is not None else at
    return Held(hours, ends if ends > at else None)


def hours_for(
    trigger: Trigger, priority: Priority, reader: rows.Reader, branch: rows.Branch, company: rows.Company | None
) -> Quiet | None:
    """Those that a message has to keep; None: it may be sent at any time."""
    person = trigger.facts.customer
    if priority is Priority.HIGH or trigger.audience is not Audience.CUSTOMER or person is None:
        return None
    hours = reader.quiet or branch.quiet or (company.quiet if company is not None else None)
    if hours is None or hours[0] == hours[1]:
        return None
    zones = (reader.zone, person.zone, branch.zone)
    zone = next((zone for zone in zones if zone and is_zone(zone)), None)
    return Quiet(*hours, zone) if zone is not None else None
