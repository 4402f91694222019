"""A customer is to be forgotten: their name and addresses leave the state, and what still waits is not sent."""

from msgspec.structs import replace

from schemas.configuration import CustomerErased
from schemas.reasons import IntakeResult, Suppression
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
            _strip(key, data.customer_id, memory)
            continue
        row = memory.read(Waiting, table, key)
        if row is not None and _is_about(row.trigger, data.customer_id):
            memory.delete(table, key)
            facts = replace(row.trigger.facts, customer=None, extra={})
            told.append(replace(row.trigger, facts=facts, reason=Suppression.ERASED))
    return IntakeResult.APPLIED, told


def _erase_choice(data: CustomerErased, at: float, memory: Memory) -> None:
    key = f"customer/{data.customer_id}"
    row = memory.read(Reader, DIRECTORY, key)
    if row is None and data.version is None:
        return
    version = max(-1 if row is None else row.version, -1 if data.version is None else data.version)
    memory.write(DIRECTORY, key, Reader(int(at) + KEPT, version))


def _strip(key: str, customer_id: str, memory: Memory) -> None:
    row: Appointment | Callback | None = memory.read(entity_kind(key), ENTITIES, key)
    if row is None or row.facts is None or row.facts.customer is None or row.facts.customer.id != customer_id:
        return
    memory.write(ENTITIES, key, replace(row, facts=replace(row.facts, customer=None, extra={})))


def _is_about(trigger: Trigger, customer_id: str) -> bool:
    return trigger.facts.customer is not None and trigger.facts.customer.id == customer_id
