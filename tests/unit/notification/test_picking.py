"""A mass on one topic keeps nothing waiting on another."""

import pytest

from schemas.event_types import APPOINTMENTS, DIRECTORY, TIMERS
from streams.lane.queue import PartitionQueue
from streams.policy.notification.notifier import TOPICS
from streams.policy.notification.picking import AT_ONCE, FAR_BEHIND_SECONDS
from tests.unit.notification.world import START, FakeRecord, World


def picked(waiting: dict[str, int], seconds: float = 0.0) -> dict[str, int]:
    """How many of each topic's waiting records are taken, in the order of application, so long after they were
    written."""
    world, queue = World(), PartitionQueue(TOPICS, 10**9)
    written_ms = int(START.timestamp() * 1000)
    for topic, count in waiting.items():
        queue.put(topic, [FakeRecord(topic, 0, offset, written_ms, b"", b"") for offset in range(count)])
    runs = world.role.pick(queue, world.state, 5000, START.timestamp() + seconds)
    return {topic: len(records) for topic, records in runs}


@pytest.mark.parametrize("mass", TOPICS)
def test_a_mass_lets_others_pass(mass: str) -> None:
    """Behind a mass on any one topic a few of all the others are taken at once, except for reminders."""
    waiting = {topic: 10_000 if topic == mass else 10 for topic in TOPICS}
    taken = picked(waiting)
    assert sum(taken.values()) == AT_ONCE
    assert all(taken[topic] == 10 for topic in TOPICS if topic not in (mass, TIMERS))


def test_the_directory_comes_first() -> None:
    """With masses everywhere it has half, and it has all that others do not need."""
    assert picked(dict.fromkeys(TOPICS, 10_000))[DIRECTORY] == AT_ONCE / 2
    assert picked({DIRECTORY: 10_000, APPOINTMENTS: 1}) == {DIRECTORY: AT_ONCE - 1, APPOINTMENTS: 1}


def test_a_directory_that_is_far_behind() -> None:
    """A role that was off tells nothing before it has read how it is to be told."""
    assert picked(dict.fromkeys(TOPICS, 10_000), FAR_BEHIND_SECONDS + 1) == {DIRECTORY: AT_ONCE}


def test_in_order() -> None:
    """What is taken together is applied in the fixed order of topics."""
    assert list(picked(dict.fromkeys(reversed(TOPICS), 10))) == list(TOPICS)
