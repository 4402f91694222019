"""The role without Kafka: `Assign.step` on rows in memory, fed directly, as often as one core can."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from agents.assign import Assign
from bench.kafka import Made
from schemas import CONTENT_TYPE_HEADER, murmur2_partition
from streams.batch import Batch, Record
from streams.lane.records import FetchedRecord
from streams.state import State, row_key

BATCH = 2000
HEADERS = (CONTENT_TYPE_HEADER,)


class Alone:
    def __init__(self, partitions: int, now: float) -> None:
        """`now`: the business clock, which stands still."""
        self.states = [State(number, Assign.tables) for number in range(partitions)]
        self._role = Assign(partitions)
        self._now = now
        self.counted: Counter[tuple[str, ...]] = Counter()
        """What the role counted: see `streams.batch.Effects`."""
        for state in self.states:
            self._role.recovered(state)

    def apply(self, events: Iterable[Made]) -> float:
        """CPU seconds that the role took for them."""
        taken = 0.0
        for number, made in self._by_partition(events).items():
            for start in range(0, len(made), BATCH):
                taken += self._step(self.states[number], made[start : start + BATCH])
        return taken

    def row_bytes(self) -> int:
        """What all rows weigh, keys included."""
        return sum(len(key) + len(row) for _, key, row in self.changelog())

    def changelog(self) -> Iterator[tuple[int, bytes, bytes]]:
        """(partition, key, value) of every row, as the lane writes them."""
        for state in self.states:
            for table in Assign.tables:
                for scope in state.scopes(table):
                    for key, row in state.rows(table, scope).items():
                        yield state.partition, row_key(table, scope, key), row

    def _by_partition(self, events: Iterable[Made]) -> dict[int, list[Made]]:
        sorted_out: dict[int, list[Made]] = {}
        for made in events:
            sorted_out.setdefault(murmur2_partition(made.key, len(self.states)), []).append(made)
        return sorted_out

    def _step(self, state: State, events: list[Made]) -> float:
        runs: list[tuple[str, Sequence[Record]]] = []
        for topic in Assign.topics:
            start = state.positions.get(topic, 0)
            of_topic = (made for made in events if made.topic == topic)
            records = [
                FetchedRecord(topic, state.partition, offset, made.timestamp, made.key, made.value, HEADERS)
                for offset, made in enumerate(of_topic, start)
            ]
            if records:
                runs.append((topic, records))
        began = time.process_time()
        effects = self._role.step(Batch(state, runs, self._now), state)
        taken = time.process_time() - began
        self.counted += effects.counted
        state.committed()
        return taken
