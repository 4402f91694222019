"""Tasks too large for one transaction: done in parts, while what comes later for that company waits in line.

Of every other company the records are applied meanwhile. The line keeps each record with the `basis` of its
arrival, so that the decisions are the same as if the task had been done at once.
"""

from collections.abc import Sequence

import msgspec

from schemas import needed_headers
from streams.batch import Record
from streams.policy.assignment import rows
from streams.policy.assignment.cause import Cause
from streams.policy.assignment.tasks import Progress, Task
from streams.state import State

TASK, PROGRESS = "task", "task/progress"
_LINE = "line/"


class Unfinished(msgspec.Struct, array_like=True):
    cause: Cause
    task: Task


class Parked(msgspec.Struct, array_like=True):
    """A record in line: all of it that is needed to apply it. Its value, which was read, has its limit."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    basis: dict[str, int]

    @property
    def offset(self) -> int:
        return self.basis[self.topic]

    @classmethod
    def of(cls, topic: str, record: Record, basis: dict[str, int]) -> "Parked":
        headers = needed_headers(record)
        return cls(topic, record.partition, record.timestamp, record.key, record.value, headers, basis)


_decode_unfinished = msgspec.msgpack.Decoder(Unfinished).decode
_decode_progress = msgspec.msgpack.Decoder(Progress).decode
_decode_parked = msgspec.msgpack.Decoder(Parked).decode


class Agenda:
    """That of one company."""

    __slots__ = ("_state", "company_id")

    def __init__(self, state: State, company_id: str) -> None:
        self._state = state
        self.company_id = company_id

    @property
    def busy(self) -> bool:
        return bool(self._state.rows(rows.AGENDA, self.company_id))

    def put_off(self, cause: Cause, task: Task, progress: Progress) -> None:
        """Go on with this task in a later transaction."""
        if self._state.get(rows.AGENDA, self.company_id, TASK) is None:
            self._put(TASK, Unfinished(cause, task))
        self._put(PROGRESS, progress)

    def unfinished(self) -> tuple[Unfinished, Progress] | None:
        task = self._state.get(rows.AGENDA, self.company_id, TASK)
        progress = self._state.get(rows.AGENDA, self.company_id, PROGRESS)
        if task is None or progress is None:
            return None
        return _decode_unfinished(task), _decode_progress(progress)

    def finish(self) -> None:
        for key in (TASK, PROGRESS):
            self._state.delete(rows.AGENDA, self.company_id, key)

    def park(self, number: int, record: Parked) -> None:
        """Put a record in line; `number` grows from record to record."""
        self._put(f"{_LINE}{number:020d}", record)

    def line(self) -> Sequence[str]:
        """The keys of the records in line, in order."""
        return sorted(key for key in self._state.rows(rows.AGENDA, self.company_id) if key.startswith(_LINE))

    def take(self, key: str) -> Parked:
        """Take a record out of the line."""
        value = self._state.get(rows.AGENDA, self.company_id, key)
        assert value is not None
        self._state.delete(rows.AGENDA, self.company_id, key)
        return _decode_parked(value)

    def _put(self, key: str, value: msgspec.Struct) -> None:
        self._state.put(rows.AGENDA, self.company_id, key, rows.encode(value))
