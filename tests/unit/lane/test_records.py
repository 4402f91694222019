"""What a role gets of what was fetched."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.structs import TopicPartition

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
