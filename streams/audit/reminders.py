"""Reminders: each that is still to be was written when it was due, once and not before, and told somebody.

Judged are those that follow from the log without more ado: so many minutes before the start, configured once and
for the whole company, of appointments that have stayed as they were booked.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from schemas.appointments import Appointment
from schemas.commands import ReminderDue
from schemas.configuration import CustomerErased, NotificationConfig, NotificationConfigDeleted
from schemas.directory import Branch
from schemas.event_types import APPOINTMENTS, DIRECTORY, TIMERS
from schemas.reasons import Audience, Level, NotificationType
from streams.audit.findings import Finding, lost, wrong
from streams.audit.reading import Log, readable
from streams.audit.stories import Ledger
from streams.policy.notification.triggers import ENDED
from streams.topics import CONTRACT_TOPICS

DEFAULT_MINUTES = 1440


class Configured(NamedTuple):
    config_id: str
    audience: Audience
    minutes: int
    since_ms: int


class Written(NamedTuple):
    event_id: str
    timestamp_ms: int


Key = tuple[str, str, str, int]
"""(company id, appointment id, configuration id, when it is due in milliseconds)"""


def check(log: Log, ledger: Ledger, partitions: int) -> Iterator[Finding]:
    written = dict(_written(log, partitions))
    for (_, appointment_id, _, due_ms), each in written.items():
        if each.timestamp_ms < due_ms:
            yield wrong(f"the reminder {each.event_id} of {appointment_id} was written too early")
    for key, audience in _expected(log, partitions):
        company_id, appointment_id, config_id, _ = key
        timer = written.get(key)
        if timer is None:
            yield lost(f"the reminder of {appointment_id} by {config_id} was never written")
        elif audience not in ledger.told[company_id, timer.event_id]:
            yield lost(f"the reminder {timer.event_id} of {appointment_id} told no {audience}")


def _milliseconds(moment: datetime) -> int:
    """As a record's timestamp has it: no later than the moment."""
    return int(moment.timestamp() * 1000)


def _written(log: Log, partitions: int) -> Iterator[tuple[Key, Written]]:
    for entry, event in readable(log, TIMERS, partitions):
        data = cast(ReminderDue, event.data)
        due_ms = _milliseconds(data.due_at)
        yield (data.company_id, data.appointment_id, data.config_id, due_ms), Written(event.id, entry.timestamp)


def _expected(log: Log, partitions: int) -> Iterator[tuple[Key, Audience]]:
    """Of every reminder that has fallen due since its appointment was booked."""
    configured, branches, erased = _configured(log, partitions), set(), set()
    for _, event in readable(log, DIRECTORY, partitions):
        if isinstance(event.data, Branch):
            branches.add((event.company_id, event.data.branch_id))
        if isinstance(event.data, CustomerErased):
            erased.add((event.company_id, event.data.customer_id))
    end_ms = _end(log)
    for booked_ms, appointment in _unchanged(log, partitions):
        company_id, starts_at = appointment.company_id, appointment.starts_at
        is_known = (company_id, appointment.branch_id) in branches
        if not is_known or (company_id, appointment.customer.customer_id) in erased:
            continue
        for each in configured.get(company_id, ()):
            due_ms = _milliseconds(starts_at - timedelta(minutes=each.minutes))
            has_somebody = each.audience is Audience.CUSTOMER or appointment.staff_id is not None
            if each.minutes and has_somebody and max(booked_ms, each.since_ms) < due_ms < end_ms:
                yield (company_id, appointment.appointment_id, each.config_id, due_ms), each.audience


def _end(log: Log) -> int:
    """How far the system's clock has come, in milliseconds. A changelog's timestamps are of another one, the
    machine's, which may be days away from a clock that plays a day."""
    told = (log.get(spec.name, ()) for spec in CONTRACT_TOPICS)
    return max((entry.timestamp for entries in told for entry in entries), default=0)


def _configured(log: Log, partitions: int) -> dict[str, list[Configured]]:
    """Company -> its reminders, where each was configured once, for the company and in minutes."""
    said: dict[str, list[tuple[int, NotificationConfig | NotificationConfigDeleted]]] = defaultdict(list)
    for entry, event in readable(log, DIRECTORY, partitions):
        data = event.data
        is_one = isinstance(data, NotificationConfig) and data.event_type is NotificationType.APPOINTMENT_REMINDER
        if is_one or isinstance(data, NotificationConfigDeleted):
            said[event.company_id].append((entry.timestamp, cast(NotificationConfig, data)))
    return {company_id: [*map(_reminder, each)] for company_id, each in said.items() if _is_plain(each)}


def _is_plain(said: list[tuple[int, NotificationConfig | NotificationConfigDeleted]]) -> bool:
    return len({data.config_id for _, data in said}) == len(said) and all(
        isinstance(data, NotificationConfig) and data.level is Level.COMPANY and data.days_before is None
        for _, data in said
    )


def _reminder(said: tuple[int, NotificationConfig | NotificationConfigDeleted]) -> Configured:
    since_ms, data = said
    config = cast(NotificationConfig, data)
    minutes = DEFAULT_MINUTES if config.minutes_before is None else config.minutes_before
    return Configured(config.config_id, config.told, minutes, since_ms)


def _unchanged(log: Log, partitions: int) -> Iterator[tuple[int, Appointment]]:
    """(the time of its first record in milliseconds, appointment) of those that were only ever booked, for one
    time, customer and colleague."""
    first: dict[tuple[str, str], tuple[int, Appointment]] = {}
    forms: dict[tuple[str, str], set[object]] = defaultdict(set)
    for entry, event in readable(log, APPOINTMENTS, partitions):
        data = event.data
        key = event.company_id, getattr(data, "appointment_id", "")
        if isinstance(data, Appointment):
            first.setdefault(key, (entry.timestamp, data))
            said = event.type in ENDED, data.status, data.starts_at, data.branch_id, data.staff_id
            forms[key].add((*said, data.customer.customer_id))
        else:
            forms[key].add("deleted")
    for key, found in first.items():
        (form, *others) = forms[key]
        if not others and isinstance(form, tuple) and form[:2] == (False, "booked"):
            yield found
