"""Where the effects of a batch become durable together with the positions: Kafka's transactions, or a database."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import orjson

from streams.batch import Effects
from streams.lane.hanging import end_hanging
from streams.lane.loading import load
from streams.lane.plain import PlainWriter
from streams.lane.progress import check
from streams.lane.settings import LaneSettings
from streams.lane.transaction import Headers, Transactions
from streams.state import State, read_row_key, row_key

REMEMBERED = 3600.0
"""Seconds without a transaction after which rows are loaded anew. A process that was stopped for longer than the
changelog keeps tombstones (a day, see `streams.topics.specs`) would never hear of the rows that others deleted
meanwhile."""
CHANGELOG = "state"
"""The one table that Faust knows of: all rows, and the positions, are on its changelog. A broker answers a
connection's requests one by one, so each further partition of a transaction adds a millisecond or two."""
POSITIONS = "positions"
"""The lane's own table there: one record, the next offset of each input topic."""


def _now() -> float:
    """Seconds, those too for which the machine was suspended. Linux does not count them in its monotonic clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Store(Protocol):
    """Blocking; called in executors, for one partition number never twice at once."""

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        """Fence whoever wrote these partition numbers before, then read all they did. Forgets all others."""
        ...

    def save(self, state: State, effects: Effects, progress: Callable[[], None]) -> None:
        """Make changed rows, effects and positions durable as one. Raises: nobody knows, end the process."""
        ...


class KafkaStore:
    """Rows on a compacted changelog, written in the partition's transactions. Rows stay in memory while their
    partition stays here, so that a rebalance reads only what is new."""

    def __init__(self, settings: LaneSettings, tables: tuple[str, ...], headers: Headers) -> None:
        self._settings = settings
        self._tables = tables
        self._headers = headers
        self._changelog = f"{settings.group}-{CHANGELOG}-changelog"
        self._states: dict[int, State] = {}
        self._loaded: dict[int, int] = {}
        self._writers: dict[int, Transactions] = {}
        self._in_touch = 0.0

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        self._writers = self._fence(partitions)
        progress()
        end_hanging(self._settings, self._changelog, self._writers, row_key(POSITIONS, "", ""), progress)
        if _now() - self._in_touch > REMEMBERED:
            self._states, self._loaded = {}, {}
        self._states = {number: self._states.get(number) or State(number, self._tables) for number in partitions}
        self._loaded = {number: self._loaded.get(number, 0) for number in partitions}
        self._loaded = load(self._settings, self._changelog, self._loaded, self._restore, progress)
        progress()
        check(self._settings, self._changelog, [n for n, state in self._states.items() if not state.positions])
        for state in self._states.values():
            state.derived.clear()
            state.committed()
        self._in_touch = _now()
        return self._states

    def save(self, state: State, effects: Effects, progress: Callable[[], None]) -> None:
        rows = [(row_key(table, scope, key), value) for table, scope, key, value in state.changes()]
        rows.append((row_key(POSITIONS, "", ""), orjson.dumps(state.positions)))
        now = int(self._settings.clock.now() * 1000)
        self._loaded[state.partition] = self._writers[state.partition].commit(rows, effects.outputs, now)
        self._in_touch = _now()

    def _fence(self, partitions: Sequence[int]) -> dict[int, Transactions]:
        def fenced(number: int) -> Transactions:
            writer = Transactions(self._settings, self._changelog, number, self._headers)
            writer.fence()
            return writer

        if not partitions:
            return {}
        with ThreadPoolExecutor(len(partitions), "fence") as pool:
            return dict(zip(partitions, pool.map(fenced, partitions), strict=True))

    def _restore(self, number: int, key: bytes, value: bytes | None) -> None:
        table, scope, name = read_row_key(key)
        if table == POSITIONS:
            self._states[number].positions = orjson.loads(value) if value else {}
        else:
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

    def save(self, state: State, effects: Effects, progress: Callable[[], None]) -> None:
        number, after = state.partition, dict(state.positions)
        if effects.outputs:
            self._writer.write(effects.outputs, progress)
        self._rows.save(number, effects, self._saved[number], after, progress)
        self._saved[number] = after
