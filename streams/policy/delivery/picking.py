"""Which of the fetched records `deliver` takes next: what it hears of, then messages: as many as have a slot, and
some ahead of that, so that it sees who else is waiting."""

from collections import Counter
from collections.abc import Mapping, Sequence

from schemas.reasons import Priority
from streams.batch import Fetched, Runs
from streams.policy.delivery.ahead import Ahead
from streams.policy.delivery.known import hearing
from streams.policy.delivery.ledger import Ledger
from streams.policy.delivery.slots import Slots

Topics = Mapping[Priority, Sequence[str]]
"""The topics of each priority, the most urgent first."""


def pick(
    fetched: Fetched,
    topics: Topics,
    ledger: Ledger,
    slots: Slots,
    ahead: Ahead,
    partition: int,
    limit: int,
    now: float,
) -> Runs:
    """What is heard needs no slot, and comes first; of a mass of it half a batch, so that sending goes on."""
    runs = fetched.take(max(1, limit // 2), hearing.TOPICS)
    left, taking = limit - _count(runs), Counter[Priority]()
    for priority, names in topics.items():
        if left > 0 and any(fetched.waiting(name) for name in names):
            room = 0 if ledger.goes_first(priority, now) else slots.room(partition, priority, taking)
            taken = fetched.take(min(left, room + ahead.room(partition, priority)), names)
            runs += taken
            left -= _count(taken)
            taking[priority] = min(room, _count(taken))
    return runs


def _count(runs: Runs) -> int:
    return sum(len(records) for _, records in runs)
