"""Rows and the positions up to which they were read, in one transaction; and never two writers for a partition."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Lock

from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from sinks.database.away import patiently
from sinks.database.facets import Facet, counted_on, merge
from sinks.database.tables import positions
from sinks.database.upsert import upsert
from sinks.database.writing import write
from streams.batch import Effects

OWNER = Facet(positions, ("cluster", "topic", "partition", "next", "epoch"), "next", "first")
"""A position at its beginning; one that is there stays."""

TURN_SECONDS = 1.0
"""After so long, who waits for its turn says that it still does."""


class Fenced(Exception):  # noqa: N818 - not a fault: somebody else does the work
    """Another worker has taken the partition over, or the positions are not those this worker left."""


def _nothing() -> None:
    pass


class RecordStore:
    """A writer for those partitions that it has opened.

    Who opens a partition raises the epoch of its positions and then reads them. A save names the epoch that it was
    opened with and the positions that it begins from, and changes exactly one row for each, or nothing at all. So
    a worker that was paused and replaced cannot write any more, whether or not its successor has written yet.

    A commit whose answer was lost is asked for: the positions, changed in the same transaction, tell whether it
    was carried out.
    """

    def __init__(
        self, engine: Engine, topics: Sequence[str], *, topic_prefix: str = "", cluster_id: str = ""
    ) -> None:
        """`cluster_id` is Kafka's own name for the cluster: offsets mean nothing in another one, so that one is
        recorded from its beginning, and its offsets count on from those of the earlier ones."""
        self._engine = engine
        self._cluster_id = cluster_id
        self._names = {topic: topic_prefix + topic for topic in sorted(topics)}
        self._epochs: dict[int, dict[str, int]] = {}
        self._earlier_clusters = 0
        # SQLite has one writer at a time, and others poll for its lock: a queue of our own is quicker.
        self._queue = Lock() if engine.dialect.name == "sqlite" else None

    def open(self, partition: int, heartbeat: Callable[[], None] = _nothing) -> dict[str, int]:
        """Take the partition over. Contract topic name -> next offset to record, where anything was recorded."""
        held = patiently(lambda: self._claim(partition, heartbeat), heartbeat)
        self._epochs[partition] = {topic: epoch for topic, (_, epoch) in held.items()}
        return {topic: next_offset for topic, (next_offset, _) in held.items() if next_offset}

    def save(
        self,
        partition: int,
        effects: Effects,
        before: Mapping[str, int],
        after: Mapping[str, int],
        heartbeat: Callable[[], None] = _nothing,
    ) -> None:
        """Write `effects.rows` and move the positions from `before` to `after`, both or neither.

        Waits while the database is away. A topic that is in neither mapping stays where it is; one that is missing
        in `before` was at 0. Raises Fenced if this writer is not the partition's owner any more.
        """
        moved = {topic: end for topic, end in sorted(after.items()) if end != before.get(topic, 0)}
        if not moved:
            if effects.rows:
                raise ValueError("rows without a change of positions would not be written exactly once")
            return
        # Outside of the transaction, so that it is short.
        rows = merge(counted_on(effects.rows, self._earlier_clusters))
        attempts = count()

        def attempt() -> None:
            repeated = next(attempts) > 0
            with self._turn(heartbeat), self._engine.begin() as connection:
                if self._move(connection, partition, before, moved, repeated):
                    write(connection, rows)

        patiently(attempt, heartbeat)

    @contextmanager
    def _turn(self, heartbeat: Callable[[], None]) -> Iterator[None]:
        """While the database is away, those before us may each take long to find out."""
        if self._queue is None:
            yield
            return
        while not self._queue.acquire(timeout=TURN_SECONDS):
            heartbeat()
        try:
            yield
        finally:
            self._queue.release()

    def _claim(self, partition: int, heartbeat: Callable[[], None]) -> dict[str, tuple[int, int]]:
        mine = (
            positions.c.cluster == self._cluster_id,
            positions.c.topic.in_(self._names.values()),
            positions.c.partition == partition,
        )
        others = select(func.count(positions.c.cluster.distinct())).where(positions.c.cluster != self._cluster_id)
        beginning = {"cluster": self._cluster_id, "partition": partition, "next": 0, "epoch": 0}
        with self._turn(heartbeat), self._engine.begin() as connection:
            connection.execute(
                upsert(OWNER, connection.dialect.name),
                [{**beginning, "topic": name} for name in self._names.values()],
            )
            connection.execute(update(positions).where(*mine).values(epoch=positions.c.epoch + 1))
            found = connection.execute(select(positions).where(*mine))
            held = {row.topic: (row.next, row.epoch) for row in found}
            self._earlier_clusters = connection.scalar(others) or 0
        return {topic: held[name] for topic, name in self._names.items()}

    def _move(
        self,
        connection: Connection,
        partition: int,
        before: Mapping[str, int],
        moved: Mapping[str, int],
        repeated: bool,
    ) -> bool:
        """Whether the positions were moved now; if not, an earlier attempt of this save had moved them.

        Comes first in the transaction: whoever opens the partition meanwhile waits until this save is whole."""
        for topic, end in moved.items():
            owned = self._owned(partition, topic)
            move = update(positions).where(*owned, positions.c.next == before.get(topic, 0)).values(next=end)
            if connection.execute(move).rowcount == 1:
                continue
            if repeated and self._has_moved(connection, partition, moved):
                return False
            raise Fenced(f"partition {partition} of {self._names[topic]} belongs to another worker")
        return True

    def _has_moved(self, connection: Connection, partition: int, moved: Mapping[str, int]) -> bool:
        return all(
            connection.scalar(select(positions.c.next).where(*self._owned(partition, topic))) == end
            for topic, end in moved.items()
        )

    def _owned(self, partition: int, topic: str) -> tuple[ColumnElement[bool], ...]:
        """Selects the topic's position, provided that nobody opened the partition since this worker did."""
        return (
            positions.c.cluster == self._cluster_id,
            positions.c.topic == self._names[topic],
            positions.c.partition == partition,
            positions.c.epoch == self._epochs[partition][topic],
        )
