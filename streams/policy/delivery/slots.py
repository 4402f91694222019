"""How many sends a worker may have in flight, shared by its partitions."""


class Slots:
    """A partition's holding is stated, never counted up, so that stating it again changes nothing.

    A lone partition may have all of them. As soon as another one asks in vain, nobody gets more than an equal
    share of those who hold or ask: whoever has a long backlog could otherwise refill its own slots for ever.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[int, int] = {}
        self._waiting: set[int] = set()

    def room(self, partition: int) -> int:
        """How many more this partition may take now; 0 remembers that it asked."""
        room = self._room(partition)
        if room > 0:
            self._waiting.discard(partition)
        else:
            self._waiting.add(partition)
        return room

    def free(self, partition: int, held: int) -> int:
        """How many are left of all, if this partition holds `held`."""
        others = sum(self._held.values()) - self._held.get(partition, 0)
        return max(0, self._capacity - others - held)

    def hold(self, partition: int, count: int) -> None:
        if count:
            self._held[partition] = count
        else:
            self._held.pop(partition, None)

    def is_waiting(self, partition: int) -> bool:
        return partition in self._waiting

    def clear(self) -> None:
        """Nobody holds or asks: a rebalance lets go of every partition first."""
        self._held.clear()
        self._waiting.clear()

    def _room(self, partition: int) -> int:
        held = self._held.get(partition, 0)
        free = self.free(partition, held)
        if self._waiting - {partition}:
            share = max(1, self._capacity // len(self._held.keys() | self._waiting | {partition}))
            return max(0, min(free, share - held))
        return free
