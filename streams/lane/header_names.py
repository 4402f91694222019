"""Records with a header whose name is not UTF-8. The protocol asks for it and no broker looks, so such a record
may lie in any topic; aiokafka fails on it, and on all behind it, each time that they are fetched.

What was fetched is then read again from there, by aiokafka's own reader in Python, which is slower: what cannot be
read of a name is U+FFFD, as with the Java clients. Whether such a record can be applied, its role decides.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class KeptRecords(MemoryRecords):  # type: ignore[misc]
    """What a broker has answered for a partition, as it came and as aiokafka reads it."""

    batch: Any
    """The one that was taken last."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.content = content

    def next_batch(self) -> Any:
        self.batch = super().next_batch()
        return self.batch


class PatientRecords:
    """The batches from the one that holds the offset `start`. Has what aiokafka asks of `MemoryRecords`, and
    `batch`."""

    batch: Any

    def __init__(self, content: bytes, start: int) -> None:
        self._batches = deque(batch for batch in _batches(content) if batch.next_offset > start)

    def has_next(self) -> bool:
        return bool(self._batches)

    def next_batch(self) -> Any:
        self.batch = self._batches.popleft()
        return self.batch


class _PatientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _PatientBuffer(self._buffer)


class _PatientBuffer(bytearray):
    """Its slices, of which names are made, are decoded whatever they hold."""

    def __getitem__(self, place: Any) -> Any:
        content = super().__getitem__(place)
        return _PatientBuffer(content) if isinstance(content, bytearray) else content

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def _batches(content: bytes) -> Iterator[_PatientBatch]:
    records = _MemoryRecordsPy(content)
    while (batch := records._next_slice) is not None:
        records._cache_next()
        yield _PatientBatch(batch)
