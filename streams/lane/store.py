"""Where the effects of a batch become durable together with the positions: Kafka's transactions, or a database."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import orjson
from confluent_kafka import TopicPartition

from streams.batch import Effects
from streams.lane.loading import Place, load
from streams.lane.plain import PlainWriter
from streams.lane.settings import LaneSettings
from streams.lane.transaction import Headers, Transactions
from streams.state import State

REMEMBERED = 3600.0
"""Seconds without a transaction after which rows are loaded anew. A process that was stopped for longer than the
changelogs keep tombstones (a day) would never hear of the rows that others deleted meanwhile."""
POSITIONS = "positions"
"""The lane's own table: per partition number one record, the next offset of each input topic."""


class Store(Protocol):
    """Blocking; called in executors, for one partition number never twice at once."""

    @property
    def commits_offsets(self) -> bool:
        """Whether `save` commits the group's offsets too."""
        ...

    @property
    def save_seconds(self) -> float | None:
        """How long `save` may take before the process ends; None: as long as it makes progress."""
        ...

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        """Fence whoever wrote these partition numbers before, then read all they did. Forgets all others."""
        ...

    def save(self, state: State, effects: Effects, metadata: bytes, progress: Callable[[], None]) -> None:
        """Make changed rows, effects and positions durable as one. Raises: nobody knows, end the process."""
        ...


class KafkaStore:
    """Rows on compacted changelogs, written in the partition's transactions. Rows stay in memory while their
    partition stays here, so that a rebalance reads only what is new."""

    commits_offsets = True

    def __init__(self, settings: LaneSettings, tables: tuple[str, ...], headers: Headers) -> None:
        self._settings = settings
        self._tables = tables
        self._headers = headers
        self._changelogs = {table: f"{settings.group}-{table}-changelog" for table in (*tables, POSITIONS)}
        self._names = {topic: table for table, topic in self._changelogs.items()}
        self._states: dict[int, State] = {}
        self._loaded: dict[Place, int] = {}
        self._writers: dict[int, Transactions] = {}
        self._in_touch = 0.0

    @property
    def save_seconds(self) -> float:
        """After that the broker has given the transaction up. librdkafka may not come back from
        `send_offsets_to_transaction` for a minute, whatever its time-out, when the group's coordinator has died:
        https://github.com/confluentinc/librdkafka/issues/5456."""
        return self._settings.transaction_timeout

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        self._writers = self._fence(partitions)
        progress()
        if time.monotonic() - self._in_touch > REMEMBERED:
            self._states, self._loaded = {}, {}
        self._states = {number: self._states.get(number) or State(number, self._tables) for number in partitions}
        self._loaded = {place: end for place, end in self._loaded.items() if place[1] in self._states}
        places = [(topic, number) for topic in self._names for number in partitions]
        self._loaded = load(self._settings, places, self._loaded, self._restore, progress)
        for state in self._states.values():
            state.derived.clear()
            state.committed()
        self._in_touch = time.monotonic()
        return self._states

    def save(self, state: State, effects: Effects, metadata: bytes, progress: Callable[[], None]) -> None:
        prefix, number = self._settings.topic_prefix, state.partition
        changelog: dict[str, list[tuple[bytes, bytes | None]]] = {
            self._changelogs[POSITIONS]: [(b"/", orjson.dumps(state.positions))]
        }
        for table, scope, key, value in state.changes():
            changelog.setdefault(self._changelogs[table], []).append((f"{scope}/{key}".encode(), value))
        self._writers[number].commit(
            changelog,
            effects.outputs,
            # Those that stayed where they were may have been committed beyond the marker of a transaction since.
            [TopicPartition(prefix + topic, number, offset) for topic, offset in state.moved().items()],
            metadata,
            int(self._settings.clock.now() * 1000),
            lambda topic, offset: self._loaded.__setitem__((topic, number), offset),
        )
        self._in_touch = time.monotonic()

    def _fence(self, partitions: Sequence[int]) -> dict[int, Transactions]:
        def fenced(number: int) -> Transactions:
            writer = Transactions(self._settings, number, self._headers)
            writer.fence()
            return writer

        if not partitions:
            return {}
        with ThreadPoolExecutor(len(partitions), "fence") as pool:
            return dict(zip(partitions, pool.map(fenced, partitions), strict=True))

    def _restore(self, topic: str, number: int, key: bytes, value: bytes | None) -> None:
        table = self._names[topic]
        if table == POSITIONS:
            self._states[number].positions = orjson.loads(value) if value else {}
        else:
            scope, _, name = key.decode().partition("/")
            self._states[number].restore(table, scope, name, value)


class RowStore(Protocol):
    """A database that keeps rows and positions in one transaction of its own, and waits while it is away."""

    def open(self, partition: int, heartbeat: Callable[[], None]) -> dict[str, int]: ...

    def save(
        self,
        partition: int,
        effects: Effects,
        before: dict[str, int],
        after: dict[str, int],
        heartbeat: Callable[[], None],
    ) -> None: ...


class DatabaseStore:
    """For the role whose effects are rows in a database: its positions live there too.

    What it has to write to Kafka, dead letters alone, comes before the rows: after a crash in between it is
    written again, with the same id.
    """

    commits_offsets = False
    save_seconds = None

    def __init__(self, rows: RowStore, writer: PlainWriter) -> None:
        self._rows = rows
        self._writer = writer
        self._saved: dict[int, dict[str, int]] = {}

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        states = {}
        for number in partitions:
            states[number] = state = State(number, ())
            state.positions = self._rows.open(number, progress)
            state.committed()
            self._saved[number] = dict(state.positions)
            progress()
        return states

    def save(self, state: State, effects: Effects, metadata: bytes, progress: Callable[[], None]) -> None:
        number, after = state.partition, dict(state.positions)
        if effects.outputs:
            self._writer.write(effects.outputs, progress)
        self._rows.save(number, effects, self._saved[number], after, progress)
        self._saved[number] = after
