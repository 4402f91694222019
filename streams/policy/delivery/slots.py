"""How many sends a worker may have in flight, shared by its partitions, and by priority."""

from collections.abc import Collection, Mapping

from schemas.reasons import Priority

ORDER = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
"""Which goes first."""

Held = Mapping[Priority, int]
"""Sends in flight, by priority."""


class Slots:
    """A tenth of the slots, at least one, is kept for high, so that it never waits for what is slow; low has at
    most half. A lone slot is everybody's.

    What a partition holds and waits for is stated, never counted up, so that stating it again changes nothing. A
    lone partition may have all that its priority may have. As soon as another one waits for the same priority,
    nobody gets more than an equal share of those who hold or wait: whoever has a long backlog could otherwise
    refill its own slots for ever.
    """

    def __init__(self, capacity: int) -> None:
        kept = max(1, capacity // 10) if capacity > 1 else 0
        self._limits = {
            Priority.HIGH: capacity,
            Priority.NORMAL: capacity - kept,
            Priority.LOW: min(capacity - kept, max(1, capacity // 2)),
        }
        self._held: dict[int, Held] = {}
        self._waiting: dict[int, Collection[Priority]] = {}

    def room(self, partition: int, priority: Priority, held: Held) -> int:
        """How many more of a priority this partition may begin now, while it holds `held`."""
        free = self._free(partition, priority, held)
        if free and any(priority in theirs for other, theirs in self._waiting.items() if other != partition):
            return max(0, min(free, self._share(partition, priority) - held.get(priority, 0)))
        return free

    def hold(self, partition: int, held: Held, waiting: Collection[Priority] = ()) -> None:
        """`waiting`: the priorities of which it would begin more."""
        self._held[partition] = dict(held)
        self._waiting[partition] = waiting

    def clear(self) -> None:
        """Nobody holds or waits: a rebalance lets go of every partition first."""
        self._held.clear()
        self._waiting.clear()

    def _share(self, partition: int, priority: Priority) -> int:
        """What is left over when shares are equal goes to the first ones: no slot stays empty."""
        rivals = {other for other, theirs in self._held.items() if theirs.get(priority)} | {partition}
        rivals |= {other for other, theirs in self._waiting.items() if priority in theirs}
        share, left_over = divmod(self._limits[priority], len(rivals))
        return max(1, share + (sum(other < partition for other in rivals) < left_over))

    def _free(self, partition: int, priority: Priority, held: Held) -> int:
        """How many of a priority are left of all. What is less urgent counts against the limit of what is more
        urgent, not the other way round."""
        others = [theirs for other, theirs in self._held.items() if other != partition]
        totals = [held.get(each, 0) + sum(theirs.get(each, 0) for theirs in others) for each in ORDER]
        left = self._limits[Priority.HIGH] - sum(totals)
        for at in range(1, ORDER.index(priority) + 1):
            left = min(left, self._limits[ORDER[at]] - sum(totals[at:]))
        return max(0, left)
