"""Reminders fall due: the timer says so in the log, and what is read there is decided like anything else.

`write_due` writes `reminder.due` to `notification.timers`; `due` is what comes of it when it is read.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from schemas.commands import ReminderDue
from schemas.event_types import TIMERS
from schemas.reasons import IntakeResult, Suppression
from streams.policy.notification import rows, triggers
from streams.policy.notification.alarms import Alarm
from streams.policy.notification.forgetting import Hints
from streams.policy.notification.memory import Memory
from streams.policy.notification.messages import Message
from streams.policy.notification.planning import REMINDER, Planner, mark, marks, to_come
from streams.policy.notification.replanning import booked, has_reminders
from streams.policy.notification.rows import ENTITIES, Mark
from streams.policy.notification.triggers import Cause, Heard, Trigger
from streams.state import State

WRITTEN_AT_ONCE = 500
"""At most about so many in one transaction: what else there is to tell must not wait for a mass of them."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "staffetta:reminder")
_json = msgspec.json.Encoder().encode


def recovered(state: State, hints: Hints) -> None:
    """Set the alarms of all appointments; once after the rows were loaded."""
    hints.alarms.fill(_alarms(state, hints))


def _alarms(state: State, hints: Hints) -> Iterator[Alarm]:
    for company_id in state.scopes(ENTITIES):
        memory = Memory(state, hints, company_id)
        if not has_reminders(memory):
            continue
        planner = Planner(memory)
        for appointment_id, facts in booked(memory):
            for moment, _ in to_come(planner.plan(facts), marks(appointment_id, memory))[:1]:
                yield moment.timestamp(), company_id, appointment_id


def write_due(state: State, hints: Hints, now: float) -> list[Message]:
    """Every `reminder.due` whose moment is not after `now` (seconds) and that was not written yet. To be called
    before a batch changes anything."""
    alarms, written = hints.alarms, list[Message]()
    while len(written) < WRITTEN_AT_ONCE and (alarm := alarms.ring(now)) is not None:
        _, company_id, appointment_id = alarm
        messages = _write(appointment_id, Memory(state, hints, company_id), now)
        if messages:
            alarms.taken.append(alarm)
        written += messages
    return written


def _write(appointment_id: str, memory: Memory, now: float) -> list[Message]:
    row = memory.read(rows.Appointment, ENTITIES, f"appointment/{appointment_id}")
    if row is None:
        return []
    expected = to_come(Planner(memory).plan(row.facts), marks(appointment_id, memory))
    ripe = [each for each in expected if each[0].timestamp() <= now]
    if ripe:
        mark(appointment_id, memory, [Mark(config_id, moment) for moment, config_id in ripe])
        for moment, _ in expected[len(ripe) :][:1]:
            memory.wake(moment.timestamp(), appointment_id)
    return [_message(memory.company_id, appointment_id, config_id, moment) for moment, config_id in ripe]


def _message(company_id: str, appointment_id: str, config_id: str, moment: datetime) -> Message:
    """Its id is a function of its data, so that it is the same whoever writes it."""
    name = _json((company_id, appointment_id, config_id, moment))
    data: dict[str, Any] = {
        "company_id": company_id,
        "appointment_id": appointment_id,
        "config_id": config_id,
        "due_at": moment,
    }
    event_id = str(uuid.uuid5(_NAMESPACE, name.decode()))
    return Message(TIMERS, "reminder.due", event_id, f"appointment/{appointment_id}", moment, data)


def due(event_type: str, data: ReminderDue, cause: Cause, at: float, memory: Memory) -> Heard:
    """A reminder has fallen due. It is told if the appointment, as it stands now, has it at this moment and nobody
    was reminded yet."""
    row = memory.read(rows.Appointment, ENTITIES, f"appointment/{data.appointment_id}")
    facts = row.facts if row is not None else None
    planned = Planner(memory).plan(facts).get(data.config_id)
    if facts is None or planned is None or planned.due != data.due_at:
        return triggers.STALE
    this = data.config_id, data.due_at
    if any(each.is_told for each in marks(data.appointment_id, memory) if (each.config_id, each.due) == this):
        return triggers.DUPLICATE
    mark(data.appointment_id, memory, [Mark(*this, is_told=True)])
    trigger = Trigger(REMINDER, planned.audience, planned.person, facts, cause, config_id=data.config_id)
    if triggers.is_past(trigger.not_after, at):
        trigger = msgspec.structs.replace(trigger, reason=Suppression.TOO_LATE)
    return IntakeResult.APPLIED, (trigger,)
