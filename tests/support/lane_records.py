"""Records and a small role for unit tests of the lane."""

from dataclasses import dataclass, field
from typing import Any

from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.state import State


@dataclass(frozen=True, slots=True)
class FakeRecord:
    offset: int
    value: bytes | None = b"value"
    key: bytes | None = b"company"
    topic: str = "events"
    partition: int = 0
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Noting:
    """Appends each record's place to one row, and raises on those in `bad`."""

    name = "noting"
    topics = ("events", "commands")
    tables = ("rows",)
    bad: set[tuple[str, int]] = field(default_factory=set)

    def step(self, batch: Batch, state: State) -> Effects:
        effects = Effects()
        for topic, record in batch:
            place = f"{topic}/{record.offset} ".encode()
            state.put("rows", "company", "all", (state.get("rows", "company", "all") or b"") + place)
            if (topic, record.offset) in self.bad:
                raise ValueError("bad")
            effects.outputs.append(Output("answers", record.key, place))
        return effects

    def recovered(self, state: State) -> None: ...

    def next_wakeup(self, state: State) -> float | None:
        return None

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return fetched.take(limit)

    async def perform(self, job: Any) -> Any:
        return job

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        effects.outputs.append(Output("dead", record.key, f"{topic}/{record.offset} {detail}".encode()))
        effects.counted["dead", topic] += 1
