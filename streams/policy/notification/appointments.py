"""Appointments: which of their events are told, and to whom."""

from collections.abc import Iterator

from msgspec.structs import replace

from schemas.appointments import Appointment as AppointmentEvent
from schemas.appointments import AppointmentDeleted
from schemas.base import Notify
from schemas.reasons import IntakeResult, Suppression
from streams.policy.notification import replanning, triggers
from streams.policy.notification.erasure import remembered
from streams.policy.notification.facts import Facts, of_appointment
from streams.policy.notification.memory import Memory
from streams.policy.notification.rows import ENTITIES, KEPT, Appointment
from streams.policy.notification.triggers import ENDED, Cause, Heard, Trigger


def heard(
    event_type: str, data: AppointmentEvent | AppointmentDeleted, cause: Cause, at: float, memory: Memory
) -> Heard:
    """An appointment event; `at` is its record's time in seconds. It is remembered until it is long past."""
    key = f"appointment/{data.appointment_id}"
    row = memory.read(Appointment, ENTITIES, key)
    if row is not None and data.version <= row.version:
        return triggers.STALE
    before = None if row is None else row.facts
    facts = _facts(event_type, data, before, at)
    facts = facts and remembered(facts, memory)
    ends = facts.starts_at.timestamp() if facts is not None and facts.starts_at is not None else 0
    after = Appointment(int(max(at, ends)) + KEPT, data.version, facts)
    customer_id = facts.customer.id if facts is not None and facts.customer is not None else None
    memory.write(ENTITIES, key, after, customer_id=customer_id)
    replanning.of_appointment(data.appointment_id, before, facts, at, memory)
    if facts is None:
        return IntakeResult.APPLIED, ()
    return IntakeResult.APPLIED, tuple(_triggers(event_type, facts, before, data.notify, cause))


def _facts(
    event_type: str, data: AppointmentEvent | AppointmentDeleted, before: Facts | None, at: float
) -> Facts | None:
    """A bare deletion speaks of the appointment as it was known; None if it never was."""
    if isinstance(data, AppointmentDeleted):
        return None if before is None else replace(before, version=data.version, status=ENDED[event_type])
    facts = of_appointment(data, at)
    previous = facts.previous_starts_at or (before.starts_at if before is not None else None)
    return replace(
        facts,
        status=ENDED.get(event_type, facts.status),
        previous_starts_at=None if previous == facts.starts_at else previous,
    )


def _triggers(
    event_type: str, facts: Facts, before: Facts | None, notify: Notify, cause: Cause
) -> Iterator[Trigger]:
    if notify is Notify.NONE:
        yield triggers.customer(event_type, facts, cause, Suppression.NOT_WANTED)
    elif event_type == "appointment.updated" and before and before.seen_by_customer() == facts.seen_by_customer():
        yield triggers.customer(event_type, facts, cause, Suppression.NO_VISIBLE_CHANGE)
    else:
        reason = Suppression.NOT_WANTED if notify is Notify.STAFF else None
        yield triggers.customer(event_type, facts, cause, reason)
        if facts.staff_id is not None:
            yield triggers.colleague(event_type, facts.staff_id, facts, cause)
