"""What passes between the lane and a role: a batch of records in, effects out."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from streams.state import State


class Record(Protocol):
    """A Kafka record as the consumer hands it over. `timestamp` is in milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to write. `topic`: the contract's name, without prefix; partition -1: it follows from the key.

    A batch may make thousands: this is quicker to make than a tuple, and nothing for the garbage collector.
    """

    topic: str
    key: bytes | None
    value: bytes
    partition: int = -1


Runs = list[tuple[str, Sequence[Record]]]
"""(contract topic name, its records in offset order), in the order of application."""


class Fetched(Protocol):
    """What one partition number has fetched and not applied yet, as a role sees it when it picks."""

    def waiting(self, topic: str) -> Collection[Record]:
        """The topic's records in offset order; they stay where they are."""
        ...

    def take(self, limit: int, topics: Sequence[str] | None = None) -> Runs:
        """At most `limit` records from the heads of these topics (None: of all), in their order."""
        ...


@dataclass(slots=True)
class Effects:
    """What a step wants done: written in one transaction with the changed rows and the input's positions."""

    outputs: list[Output] = field(default_factory=list)
    jobs: list[Any] = field(default_factory=list)
    """Started once the transaction is committed; what `Role.perform` returns for each comes back in a later
    batch as a completion."""
    rows: list[Any] = field(default_factory=list)
    """For a role whose effects go to a database instead of Kafka: what its store saves."""
    ignored: set[tuple[str, str]] = field(default_factory=set)
    """(topic, event type) of records whose type nobody here knows: named in the log now and then."""
    counted: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """(metric name, label values...) -> increment, added to the counters of `streams.metrics` after the commit."""


@dataclass(slots=True)
class Batch:
    """Fetched records of one partition number, topics in the role's order, and what else woke the role.

    Iterating applies: each record's offset enters `state.positions` before it is yielded, and the batch
    remembers which record is being worked on, so that one that raises can be named.
    """

    state: State
    runs: Runs
    now: float
    """The clock when the batch was formed, seconds since the epoch. For timers; never for a decision."""
    completions: Sequence[Any] = ()
    skip: frozenset[tuple[str, int]] = frozenset()
    """(topic, offset) of records that must not be applied again: they are dead-lettered."""
    may_begin: bool = True
    """False while the partition is being let go: what is under way comes to its end, nothing is begun."""
    at: tuple[str, Record] | None = None
    """What is being worked on. A role that applies a record which it had kept names it here itself, and heeds
    `skip`."""

    def __iter__(self) -> Iterator[tuple[str, Record]]:
        positions, skip = self.state.positions, self.skip
        for topic, records in self.runs:
            for record in records:
                positions[topic] = record.offset + 1
                if skip and (topic, record.offset) in skip:
                    continue
                self.at = item = (topic, record)
                yield item
        self.at = None

    def __len__(self) -> int:
        return sum(len(records) for _, records in self.runs)


class Role(Protocol):
    """Everything that the lane asks of a role. `streams.lane` runs it; a test may call it directly."""

    @property
    def name(self) -> str: ...
    @property
    def topics(self) -> tuple[str, ...]:
        """Input topics, contract names, in the order in which a batch applies them."""
        ...

    @property
    def tables(self) -> tuple[str, ...]: ...

    def step(self, batch: Batch, state: State) -> Effects:
        """The role's whole work: a pure function of the batch and the state."""
        ...

    def recovered(self, state: State) -> None:
        """Called once when the rows are loaded and before the first batch: build `state.shared`."""
        ...

    def next_wakeup(self, state: State) -> float | None:
        """When to be called with an empty batch at the latest, or asked to `pick` again (clock time); must be
        cheap."""
        ...

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        """Take what is to form the next batch: at most `limit` records. `now` is the batch's. Asked whenever
        something is fetched that was not applied; what is left stays, and is offered again."""
        ...

    async def perform(self, job: Any) -> Any:
        """Do one job of `Effects.jobs`; must not raise for anything that can be expected."""
        ...

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        """Dead-letter, and count, a record on which `step` raised, or died."""
        ...
