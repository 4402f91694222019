"""The fetched records of one partition number that are not applied yet, by topic, within a budget of bytes."""

from collections import deque
from collections.abc import Collection, Sequence

from streams.batch import Record, Runs

OVERHEAD = 600
"""About what a record costs in memory beyond what it says."""


class PartitionQueue:
    """Takes records as they are fetched, gives them in the order of topics that the role asked for.

    Each topic has its own share of the budget, so that a full one never keeps another from being fetched.
    """

    def __init__(self, topics: Sequence[str], budget: int) -> None:
        self._records: dict[str, deque[Record]] = {topic: deque() for topic in topics}
        self._bytes = dict.fromkeys(topics, 0)
        self._share = max(1, budget // max(1, len(topics)))
        self.count = 0

    def put(self, topic: str, records: Sequence[Record]) -> None:
        self._records[topic].extend(records)
        self._bytes[topic] += _size(records)
        self.count += len(records)

    def has_room(self, topic: str) -> bool:
        return self._bytes[topic] < self._share

    def waiting(self, topic: str) -> Collection[Record]:
        """The topic's records in offset order."""
        return self._records[topic]

    def take(self, limit: int, topics: Sequence[str] | None = None) -> Runs:
        """At most `limit` records: (topic, records in offset order), in the order of topics; None: of all."""
        runs: Runs = []
        for topic in self._records if topics is None else topics:
            queue = self._records[topic]
            if not queue or limit <= 0:
                continue
            if len(queue) <= limit:
                taken = list(queue)
                queue.clear()
                self._bytes[topic] = 0
            else:
                taken = [queue.popleft() for _ in range(limit)]
                self._bytes[topic] -= _size(taken)
            limit -= len(taken)
            self.count -= len(taken)
            runs.append((topic, taken))
        return runs

    def put_back(self, runs: Runs) -> None:
        """What was taken last, and is not to be applied yet."""
        for topic, records in runs:
            self._records[topic].extendleft(reversed(records))
            self._bytes[topic] += _size(records)
            self.count += len(records)

    def clear(self) -> None:
        for topic, queue in self._records.items():
            queue.clear()
            self._bytes[topic] = 0
        self.count = 0


def _size(records: Sequence[Record]) -> int:
    """Headers too: whoever writes there could fill the memory with them."""
    size = OVERHEAD * len(records)
    for record in records:
        size += len(record.value or b"") + len(record.key or b"")
        for name, value in record.headers:
            size += len(name) + len(value or b"")
    return size
