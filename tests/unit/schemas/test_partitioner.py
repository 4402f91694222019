"""Our partitioner is that of the Java clients."""

import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from schemas import murmur2_partition
from schemas.partitioner import murmur2


@pytest.mark.parametrize(
    ("key", "hash"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(key: bytes, hash: int) -> None:
    """The values of Kafka's own test (UtilsTest.java, testMurmur2)."""
    assert murmur2(key) == hash % 2**32


@given(st.binary(max_size=80), st.integers(1, 64))
def test_every_key_lies_where_another_client_puts_it(key: bytes, partitions: int) -> None:
    """An independent client computes the same hash and the same partition for any key."""
    assert murmur2(key) == reference(key) % 2**32
    everywhere = list(range(partitions))
    assert murmur2_partition(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)
