"""Messages that cannot be written yet: an event has overtaken its branch, or a colleague, on another topic.

They wait until the message has become pointless, at most as long as anything is remembered.
"""

from msgspec.structs import replace

from schemas.reasons import Suppression
from streams.policy.notification.memory import Memory
from streams.policy.notification.rows import KEPT, WAITING, Waiting
from streams.policy.notification.triggers import Trigger, is_past


def keep(trigger: Trigger, need: str, at: float, memory: Memory) -> None:
    """Until `need`, a key of the directory, is there."""
    ends = int(at) + KEPT
    if trigger.not_after is not None:
        ends = min(ends, int(trigger.not_after.timestamp()) + 1)
    cause, customer = trigger.cause, trigger.facts.customer
    key = f"{need}/{cause.topic}/{cause.offset}/{trigger.event_type}/{trigger.audience}/{trigger.person}"
    customer_id = customer.id if customer is not None else None
    memory.write(WAITING, key, Waiting(ends, at, trigger), customer_id=customer_id)


def released(need: str, at: float, memory: Memory) -> list[Trigger]:
    """What waited for `need`, in the order in which it came."""
    rows = []
    for key in memory.under(WAITING, f"{need}/"):
        row = memory.read(Waiting, WAITING, key)
        if row is not None:
            rows.append(row)
            memory.delete(WAITING, key)
    rows.sort(key=lambda row: (row.since, row.trigger.cause.offset))
    return [_in_time(row.trigger, at) for row in rows]


def _in_time(trigger: Trigger, at: float) -> Trigger:
    return replace(trigger, reason=Suppression.TOO_LATE) if is_past(trigger.not_after, at) else trigger
