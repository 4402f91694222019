"""How many sends a worker may have in flight, shared by its partitions, and by priority."""

from collections import Counter
from collections.abc import Mapping

from schemas.reasons import Priority

ORDER = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
"""Which goes first."""

Held = Mapping[Priority, int]
"""Sends in flight, by priority."""


class Slots:
    """A tenth of the slots, at least one, is kept for high, so that it never waits for what is slow; low has at
    most half. A lone slot is everybody's.

    A partition's holding is stated, never counted up, so that stating it again changes nothing. A lone partition
    may have all that its priority may have. As soon as another one asks for the same priority in vain, nobody gets
    more than an equal share of those who hold or ask: whoever has a long backlog could otherwise refill its own
    slots for ever.
    """

    def __init__(self, capacity: int) -> None:
        kept = max(1, capacity // 10) if capacity > 1 else 0
        self._limits = {
            Priority.HIGH: capacity,
            Priority.NORMAL: capacity - kept,
            Priority.LOW: min(capacity - kept, max(1, capacity // 2)),
        }
        self._held: dict[int, Counter[Priority]] = {}
        self._answered: dict[int, Counter[Priority]] = {}
        self._waiting: dict[Priority, set[int]] = {priority: set() for priority in ORDER}

    def room(self, partition: int, priority: Priority, taking: Held) -> int:
        """How many more of a priority this partition may take now, beside those that it is `taking` already; 0
        remembers that it asked."""
        held = self._held.get(partition, Counter[Priority]()) - self._answered.get(partition, Counter[Priority]())
        held.update(taking)
        room = self._share(partition, priority, held)
        if room > 0:
            self._waiting[priority].discard(partition)
        else:
            self._waiting[priority].add(partition)
        return room

    def free(self, partition: int, priority: Priority, held: Held) -> int:
        """How many of a priority are left of all, if this partition holds `held`. What is less urgent counts
        against the limit of what is more urgent, not the other way round."""
        others = [theirs for other, theirs in self._held.items() if other != partition]
        totals = [held.get(each, 0) + sum(theirs[each] for theirs in others) for each in ORDER]
        left = self._limits[Priority.HIGH] - sum(totals)
        for at in range(1, ORDER.index(priority) + 1):
            left = min(left, self._limits[ORDER[at]] - sum(totals[at:]))
        return max(0, left)

    def answered(self, partition: int, priority: Priority) -> None:
        """One of its sends has its answer. The partition's next step lets go of it, and may take another one in
        the same transaction; for the other partitions it is held until then."""
        self._answered.setdefault(partition, Counter())[priority] += 1

    def hold(self, partition: int, held: Held) -> None:
        self._answered.pop(partition, None)
        counts = +Counter(held)
        if counts:
            self._held[partition] = counts
        else:
            self._held.pop(partition, None)

    def is_waiting(self, partition: int) -> bool:
        return any(partition in waiting for waiting in self._waiting.values())

    def clear(self) -> None:
        """Nobody holds or asks: a rebalance lets go of every partition first."""
        self._held.clear()
        self._answered.clear()
        for waiting in self._waiting.values():
            waiting.clear()

    def _share(self, partition: int, priority: Priority, held: Counter[Priority]) -> int:
        free, waiting = self.free(partition, priority, held), self._waiting[priority]
        if waiting - {partition}:
            rivals = {other for other, theirs in self._held.items() if theirs[priority]} | waiting | {partition}
            share = max(1, self._limits[priority] // len(rivals))
            return max(0, min(free, share - held[priority]))
        return free
