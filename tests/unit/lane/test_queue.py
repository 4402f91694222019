"""What is fetched and not applied yet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.lane.queue import OVERHEAD, PartitionQueue
from tests.support.lane_records import FakeRecord

TOPICS = ("events", "commands")
moves = st.tuples(st.sampled_from(["put", "take", "put back"]), st.sampled_from(TOPICS), st.integers(0, 5))


@given(st.lists(moves))
def test_nothing_is_lost_or_reordered(moves: list[tuple[str, str, int]]) -> None:
    """However records are put, taken and put back, each topic's come out once, in the order of their offsets."""
    queue = PartitionQueue(TOPICS, 10_000)
    written = dict.fromkeys(TOPICS, 0)
    taken: dict[str, list[int]] = {topic: [] for topic in TOPICS}
    for move, topic, size in moves:
        if move == "put":
            queue.put(topic, [FakeRecord(written[topic] + n) for n in range(size)])
            written[topic] += size
            continue
        runs = queue.take(size)
        assert sum(len(records) for _, records in runs) <= size
        if move == "put back":
            queue.put_back(runs)
            continue
        for name, records in runs:
            taken[name] += [record.offset for record in records]
    assert queue.count == sum(written.values()) - sum(map(len, taken.values()))
    for name, records in queue.take(queue.count):
        taken[name] += [record.offset for record in records]
    assert taken == {topic: list(range(end)) for topic, end in written.items()}
    assert queue.count == 0
    assert queue.has_room("events")


def test_topics_are_given_in_the_roles_order() -> None:
    """What the role wants first comes first, whatever was fetched first."""
    queue = PartitionQueue(TOPICS, 10_000)
    queue.put("commands", [FakeRecord(0), FakeRecord(1)])
    queue.put("events", [FakeRecord(7)])
    assert [(topic, len(records)) for topic, records in queue.take(2)] == [("events", 1), ("commands", 1)]


def test_a_role_may_choose_among_topics() -> None:
    """It sees what waits without taking it, and takes from those topics alone, in the order that it names."""
    queue = PartitionQueue(TOPICS, 10_000)
    queue.put("events", [FakeRecord(0), FakeRecord(1)])
    queue.put("commands", [FakeRecord(7)])
    assert [record.offset for record in queue.waiting("events")] == [0, 1]
    assert [(topic, [each.offset for each in found]) for topic, found in queue.take(1, ("events",))] == [
        ("events", [0])
    ]
    assert [topic for topic, _ in queue.take(9, ("commands", "events"))] == ["commands", "events"]
    assert queue.count == 0
    assert list(queue.waiting("events")) == []


def test_a_full_topic_leaves_room_for_the_other() -> None:
    """Each topic has its own share of the bytes: one that is full keeps no other from being fetched."""
    queue = PartitionQueue(TOPICS, 2 * 1000)
    queue.put("commands", [FakeRecord(0, value=b"x" * (1000 - OVERHEAD))])
    assert not queue.has_room("commands")
    assert queue.has_room("events")
    queue.take(1)
    assert queue.has_room("commands")


@pytest.mark.parametrize(
    "part", [{"value": b"x" * 9_000}, {"key": b"x" * 9_000}, {"headers": (("a", b"x" * 9_000),)}]
)
def test_all_that_a_record_says_counts(part: dict[str, Any]) -> None:
    """A topic has no room when its records are large, wherever in the record that is; it has again when they are
    taken."""
    queue = PartitionQueue(TOPICS, 18_000)
    queue.put("events", [FakeRecord(0)])
    assert queue.has_room("events")
    queue.put("events", [FakeRecord(1, **part)])
    assert not queue.has_room("events")
    assert queue.has_room("commands")
    queue.take(2)
    assert queue.has_room("events")
