"""A mass on one topic keeps nothing waiting on another."""

import pytest

from schemas.event_types import APPOINTMENTS, DIRECTORY, TIMERS
from streams.lane.queue import PartitionQueue
from streams.policy.notification.notifier import TOPICS
from streams.policy.notification.picking import AT_ONCE
from tests.unit.notification.world import START, FakeRecord, World


def picked(waiting: dict[str, int]) -> dict[str, int]:
    """How many of each topic's waiting records are taken, in the order of application."""
    world, queue = World(), PartitionQueue(TOPICS, 10**9)
    for topic, count in waiting.items():
        queue.put(topic, [FakeRecord(topic, 0, offset, 0, b"", b"") for offset in range(count)])
    runs = world.role.pick(queue, world.state, 5000, START.timestamp())
    return {topic: len(records) for topic, records in runs}


@pytest.mark.parametrize("mass", TOPICS[1:])
def test_a_mass_lets_others_pass(mass: str) -> None:
    """Behind a mass on any one topic a few of all the others are taken at once, except for reminders."""
    waiting = {topic: 10_000 if topic == mass else 10 for topic in TOPICS}
    taken = picked(waiting)
    assert sum(taken.values()) == AT_ONCE
    assert all(taken[topic] == 10 for topic in TOPICS if topic not in (mass, TIMERS))


def test_the_directory_comes_first() -> None:
    """Nothing is told before all is read of how it is to be told."""
    assert picked(dict.fromkeys(TOPICS, 10_000)) == {DIRECTORY: AT_ONCE}
    assert picked({DIRECTORY: 1, APPOINTMENTS: 10_000}) == {DIRECTORY: 1, APPOINTMENTS: AT_ONCE - 1}


def test_in_order() -> None:
    """What is taken together is applied in the fixed order of topics."""
    assert list(picked(dict.fromkeys(reversed(TOPICS), 10))) == list(TOPICS)
