"""A customer is to be forgotten: their name and addresses leave the state, and what still waits is not sent.

An erasure has a place in time, not in the order of reading: what the booking system said before it is not told,
though it may be read later; what it says afterwards is, for the customer may have come back.
"""

from msgspec.structs import replace

from schemas.configuration import CustomerErased
from schemas.reasons import IntakeResult, Suppression
from streams.policy.notification.facts import Facts
from streams.policy.notification.memory import Memory
from streams.policy.notification.rows import (
    DIRECTORY,
    ENTITIES,
    KEPT,
    Appointment,
    Callback,
    Reader,
    Waiting,
    entity_kind,
)
from streams.policy.notification.triggers import Heard, Trigger


def erased(data: CustomerErased, at: float, memory: Memory) -> Heard:
    """Takes effect whatever versions are known. The versions themselves stay, so that an older event that comes
    once more is not taken for news and told."""
    _erase_choice(data, at, memory)
    told: list[Trigger] = []
    for table, key in memory.about(data.customer_id):
        if table == ENTITIES:
            _strip(key, memory)
            continue
        row = memory.read(Waiting, table, key)
        if row is not None and (facts := remembered(row.trigger.facts, memory)) is not row.trigger.facts:
            memory.delete(table, key)
            told.append(replace(row.trigger, facts=facts, reason=Suppression.ERASED))
    return IntakeResult.APPLIED, told


def remembered(facts: Facts, memory: Memory) -> Facts:
    """Without the customer, if they were erased since it stood so; else the very same."""
    person = facts.customer
    return facts.without_person() if person is not None and is_erased(person.id, facts.at, memory) else facts


def is_erased(customer_id: str, as_of: float, memory: Memory) -> bool:
    """Whether what was said of the customer at `as_of`, in seconds of record time, is to be forgotten."""
    row = memory.read(Reader, DIRECTORY, f"customer/{customer_id}")
    return row is not None and row.erased_at is not None and as_of <= row.erased_at


def _erase_choice(data: CustomerErased, at: float, memory: Memory) -> None:
    key = f"customer/{data.customer_id}"
    row = memory.read(Reader, DIRECTORY, key) or Reader(0, -1)
    version = max(row.version, -1 if data.version is None else data.version)
    erased_at = max(at, row.erased_at or at)
    memory.write(DIRECTORY, key, Reader(int(erased_at) + KEPT, version, erased_at=erased_at))


def _strip(key: str, memory: Memory) -> None:
    row: Appointment | Callback | None = memory.read(entity_kind(key), ENTITIES, key)
    if row is None or row.facts is None:
        return
    facts = remembered(row.facts, memory)
    if facts is not row.facts:
        memory.write(ENTITIES, key, replace(row, facts=facts))
