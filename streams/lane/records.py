"""What a fetched record becomes: only what a role reads of it, in a form that costs little to make and to keep.

aiokafka makes an object of eleven fields of each record, through four Python calls; this is less than half of its
cost, and less for the garbage collector to look through.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import PartitionRecords

from streams.lane.header_names import KeptRecords, PatientRecords

EARLIEST, LATEST = -62_104_060_800_000, 253_370_160_000_000
"""Milliseconds, from the year 2 to the year 9998: brokers take any timestamp in the past, and some any at all, but
not every one of them is a moment with a local time everywhere."""


class FetchedRecord(msgspec.Struct, frozen=True, gc=False):
    """See `streams.batch.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class LanePartitionRecords(PartitionRecords):  # type: ignore[misc]
    """Which batches count, and from which record on, is aiokafka's to say: it is asked for the first of each, and
    the others are read here."""

    _records: Any

    def __iter__(self) -> Iterator[FetchedRecord]:
        records: Iterator[FetchedRecord] = self._records_iterator
        return records

    def _unpack_records(self) -> Iterator[FetchedRecord]:
        topic, partition = self._tp
        while True:
            try:
                first = next(super()._unpack_records(), None)
                if first is None:
                    return
                self.next_fetch_offset = first.offset
                batch = self._records.batch
                # One in a format from before Kafka 0.11 begins anew: what is known of it is passed over.
                rest = iter(batch.__next__, None) if hasattr(batch, "__next__") else batch
                for record in chain((first,), rest):
                    offset, timestamp = record.offset, record.timestamp
                    if offset < self.next_fetch_offset:
                        continue
                    self.next_fetch_offset = offset + 1
                    if not EARLIEST <= timestamp <= LATEST:
                        timestamp = EARLIEST if timestamp < EARLIEST else LATEST
                    yield FetchedRecord(
                        topic, partition, offset, timestamp, record.key, record.value, tuple(record.headers)
                    )
                self.next_fetch_offset = batch.next_offset
            except UnicodeDecodeError:
                if isinstance(self._records, PatientRecords):
                    raise
                self._records = PatientRecords(self._records.content, self.next_fetch_offset)

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record


def install() -> None:
    """Let aiokafka's consumers give these records from now on."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = LanePartitionRecords
