"""Callbacks: what their events and our decisions about them mean for the customer and the colleagues."""

from msgspec.structs import replace

from schemas.base import Notify
from schemas.callbacks import OPEN
from schemas.callbacks import Callback as CallbackEvent
from schemas.decisions import Decision
from schemas.event_types import DECISIONS
from schemas.reasons import IntakeResult, Suppression
from streams.policy.notification import ownership, triggers
from streams.policy.notification.erasure import remembered
from streams.policy.notification.facts import Facts, Urls, of_callback
from streams.policy.notification.memory import Memory
from streams.policy.notification.rows import ENTITIES, KEPT, Callback, Ruling
from streams.policy.notification.triggers import Cause, Heard, Trigger


def snapshot(event_type: str, data: CallbackEvent, cause: Cause, at: float, memory: Memory) -> Heard:
    """A callback event. Decisions that came before the callback itself are applied right after it."""
    key = f"callback/{data.callback_id}"
    row = memory.read(Callback, ENTITIES, key) or Callback(forget_at=0, version=-1)
    if row.facts is not None and data.version <= row.version:
        return triggers.STALE
    facts = remembered(of_callback(data, at), memory)
    told: list[Trigger] = []
    if event_type == "callback.requested" and data.status in OPEN:
        reason = None if data.notify is Notify.ALL else Suppression.NOT_WANTED
        told.append(triggers.customer("callback.received", facts, cause, reason))
    said = ownership.statement(event_type, data, cause.offset)
    owner, news = ownership.after_snapshot(row.owner, said)
    told += [triggers.colleague(what, who, facts, cause, reason) for what, who, reason in news]
    for ruling in row.pending:
        owner, news = ownership.after_decision(owner, ruling)
        told += [triggers.colleague(what, who, facts, _cause(ruling), why) for what, who, why in news]
    forget_at = 0 if data.status in OPEN else int(at) + KEPT
    after = Callback(forget_at, data.version, facts, owner)
    memory.write(ENTITIES, key, after, customer_id=facts.customer.id if facts.customer is not None else None)
    return IntakeResult.APPLIED, told


def decision(event_type: str, data: Decision, cause: Cause, at: float, memory: Memory) -> Heard:
    """A decision of ours; it waits in the callback's row if the callback is still to come."""
    if data.callback_id is None:
        return IntakeResult.APPLIED, ()
    ruling = ownership.ruling(event_type, data, cause.source, cause.offset)
    key = f"callback/{data.callback_id}"
    row = memory.read(Callback, ENTITIES, key) or Callback(forget_at=0, version=-1)
    if ruling.id in {*(known.id for known in row.pending), *row.owner.decided}:
        return triggers.DUPLICATE
    if row.facts is None:
        waiting = Callback(int(at) + KEPT, -1, None, row.owner, (*row.pending, ruling))
        memory.write(ENTITIES, key, waiting)
        return IntakeResult.APPLIED, ()
    owner, news = ownership.after_decision(row.owner, ruling)
    if owner != row.owner:
        memory.write(ENTITIES, key, replace(row, owner=owner))
    return IntakeResult.APPLIED, [triggers.colleague(what, who, row.facts, cause, why) for what, who, why in news]


def given_up(callback_id: str, row: Callback) -> list[Trigger]:
    """What becomes of decisions whose callback never came: the colleagues cannot be told of what."""
    facts = Facts("callback", callback_id, 0, "", "", None, None, None, Urls())
    return [
        triggers.colleague(ownership.ASSIGNED, ruling.staff_id, facts, _cause(ruling), Suppression.TOO_LATE)
        for ruling in row.pending
        if ruling.type in ownership.ASSIGNING and ruling.staff_id is not None
    ]


def _cause(ruling: Ruling) -> Cause:
    return Cause(ruling.source, ruling.id, DECISIONS, ruling.offset)
