"""What a role gets of what was fetched."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder as LegacyBuilder
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.lane.header_names import KeptRecords
from streams.lane.records import EARLIEST, LATEST, LanePartitionRecords


def timestamp_read(timestamp: int) -> int:
    builder = Builder(2, 0, 0, -1, -1, -1, 1000)
    builder.append(0, timestamp=timestamp, key=b"co-7", value=b"{}", headers=[])
    place = TopicPartition("booking.callbacks", 0)
    (record,) = LanePartitionRecords(place, KeptRecords(bytes(builder.build())), [], 0, None, None, True, 1)
    return record.timestamp


@pytest.mark.parametrize("timestamp", [-1, 0, 1_795_514_400_000, EARLIEST, LATEST])
def test_a_timestamp_is_what_the_producer_gave(timestamp: int) -> None:
    """A timestamp is used as it is, also from before 1970."""
    assert timestamp_read(timestamp) == timestamp


@pytest.mark.parametrize("timestamp", [-(2**62), -(10**14), 10**15, 2**62])
def test_a_timestamp_is_a_moment(timestamp: int) -> None:
    """Brokers take timestamps that no calendar has; what a role gets has a local time in every zone."""
    moment = datetime.fromtimestamp(timestamp_read(timestamp) / 1000, UTC)
    for hours in (-14, 14):
        moment.astimezone(timezone(timedelta(hours=hours)))


OFFSET, LAST_DELTA, ATTRIBUTES = slice(0, 8), slice(23, 27), slice(21, 23)
CONTROL = 0x20
ABORT, COMMIT = (kind.to_bytes(4) for kind in (0, 1))
"""Keys of markers: their version, and which."""


@dataclass(frozen=True)
class Written:
    """A batch as a broker has it: of some records, of a transaction, its marker, or in an old format."""

    records: int
    compression: int
    producer: int = -1
    marker: bytes | None = None
    magic: int = 2
    lost: int = 0
    """So many records were compacted away at its end."""

    def content(self, first: int) -> bytes:
        if self.magic < 2:
            old = LegacyBuilder(self.magic, self.compression, 1_000_000)
            for number in range(self.records):
                old.append(first + number, timestamp=1000, key=b"co-7", value=str(number).encode())
            return bytes(old.build())
        transactional = int(self.producer >= 0)
        builder = Builder(2, self.compression, transactional, self.producer, 0, 0, 1_000_000)
        for number in range(self.records):
            headers = [("ce_id", b"1")] * (number % 2)
            builder.append(
                number, timestamp=1000 + number, key=self.marker or b"co-7", value=b"value", headers=headers
            )
        content = builder.build()
        content[OFFSET] = first.to_bytes(8)
        content[LAST_DELTA] = (self.records - 1 + self.lost).to_bytes(4)
        if self.marker is not None:
            content[ATTRIBUTES] = (int.from_bytes(content[ATTRIBUTES]) | CONTROL).to_bytes(2)
        return bytes(content)


BATCHES = st.one_of(
    st.builds(Written, st.integers(1, 4), st.sampled_from([0, 1]), lost=st.integers(0, 2)),
    st.builds(Written, st.integers(1, 3), st.sampled_from([0, 1]), producer=st.integers(0, 1)),
    st.builds(Written, st.just(1), st.just(0), st.integers(0, 1), st.sampled_from([ABORT, COMMIT])),
)
OLD_BATCHES = st.builds(Written, st.integers(1, 3), st.sampled_from([0, 1]), magic=st.just(1))


@given(
    batches=st.one_of(st.lists(kind, min_size=1, max_size=6) for kind in (BATCHES, OLD_BATCHES)), data=st.data()
)
def test_the_records_are_those_that_aiokafka_would_give(batches: list[Written], data: st.DataObject) -> None:
    """Whatever lies there: the same records, and after each of them the same place to go on from."""
    content, starts, end = b"", [], 0
    for each in batches:
        starts.append(end)
        content += each.content(end)
        end += each.records + each.lost
    start = data.draw(st.integers(0, batches[0].records - 1), "start")
    of_producers = [(each.producer, at) for each, at in zip(batches, starts, strict=True) if each.producer >= 0]
    aborted = data.draw(st.lists(st.sampled_from(of_producers), unique=True) if of_producers else st.just([]))

    def read(kind: Any) -> tuple[list[Any], int]:
        records = kind(TopicPartition("t", 3), KeptRecords(content), aborted, start, None, None, False, 1)
        found = [
            (each.offset, each.timestamp, each.key, each.value, tuple(each.headers), records.next_fetch_offset)
            for each in records
        ]
        return found, records.next_fetch_offset

    assert read(LanePartitionRecords) == read(LanePartitionRecords.__base__)
