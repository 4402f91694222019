"""Records whose headers have names that are not UTF-8, as a fetch brings them."""

from typing import Any

import pytest
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder
from aiokafka.structs import TopicPartition

from streams.lane.header_names import KeptRecords
from streams.lane.records import LanePartitionRecords
from tests.support.odd_headers import ODD, ODD_AS_READ, AnyBytes

PLAIN, GZIP = 0, 1
GOOD = "ce_id"


def batch(first: int, names: list[str], compression: int) -> bytes:
    """A record batch as the broker keeps it, a record for each name of a header."""
    builder = Builder(2, compression, 0, -1, -1, -1, 1_000_000)
    for number, name in enumerate(names):
        offset = str(first + number).encode()
        builder.append(number, timestamp=1000, key=b"co-7", value=offset, headers=[(AnyBytes(name), offset)])
    content = builder.build()
    content[0:8] = first.to_bytes(8)  # which the broker sets, and no checksum covers
    return bytes(content)


def fetched(content: bytes, start: int = 0) -> Any:
    place = TopicPartition("booking.callbacks", 0)
    return LanePartitionRecords(place, KeptRecords(content), [], start, None, None, True, 1)


@pytest.mark.parametrize("compression", [PLAIN, GZIP])
@pytest.mark.parametrize("odd", [{0}, {3}, {5}, {8}, {2, 3, 7}, set(range(9))])
@pytest.mark.parametrize("start", [0, 4])
def test_each_record_is_read_once(odd: set[int], compression: int, start: int) -> None:
    """Wherever such a record lies, it and all around it are read once, in order; of its name what can be read."""
    names = [ODD if number in odd else GOOD for number in range(9)]
    content = b"".join(
        batch(first, names[first : first + 3], compression) for first in (0, 3, 6) if first + 3 > start
    )
    records = fetched(content, start)
    read = list(records)
    assert [(record.offset, record.value) for record in read] == [(n, str(n).encode()) for n in range(start, 9)]
    expected = [ODD_AS_READ if number in odd else GOOD for number in range(start, 9)]
    assert [record.headers[0][0] for record in read] == expected
    assert all(record.headers[0][1] == record.value for record in read)
    assert records.next_fetch_offset == 9
