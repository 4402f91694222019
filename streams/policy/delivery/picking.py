"""Which of the fetched records `deliver` takes next: what it hears of, then as many messages as have a slot."""

from collections import Counter
from collections.abc import Mapping, Sequence

from schemas.reasons import Priority
from streams.batch import Fetched, Runs
from streams.policy.delivery.known import hearing
from streams.policy.delivery.ledger import Ledger
from streams.policy.delivery.slots import ORDER, Slots

Topics = Mapping[Priority, Sequence[str]]
"""The topics of each priority, the most urgent first."""


def pick(
    fetched: Fetched, topics: Topics, ledger: Ledger, slots: Slots, partition: int, limit: int, now: float
) -> Runs:
    """What is heard needs no slot, and comes first; of a mass of it half a batch, so that sending goes on."""
    runs = fetched.take(max(1, limit // 2), hearing.TOPICS)
    left, taking = limit - _count(runs), Counter[Priority]()
    for priority, names in topics.items():
        if left > 0 and any(fetched.waiting(name) for name in names):
            room = 0 if _comes_later(priority, ledger, now) else slots.room(partition, priority, taking)
            taken = fetched.take(min(left, room), names)
            runs += taken
            left -= _count(taken)
            taking[priority] = _count(taken)
    return runs


def _comes_later(priority: Priority, ledger: Ledger, now: float) -> bool:
    """What was taken on before goes first, unless it is less urgent."""
    return any(ledger.is_due(each, now) for each in ORDER[: ORDER.index(priority) + 1])


def _count(runs: Runs) -> int:
    return sum(len(records) for _, records in runs)
