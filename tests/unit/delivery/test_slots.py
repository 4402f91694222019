"""Sending slots: what is kept for whom, and how those who ask share them."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import Priority
from streams.policy.delivery.slots import Slots
from tests.unit.delivery.support import Worker, request
from tests.unit.delivery.test_attempts import ACCEPTED

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW
TOPICS = {HIGH: "delivery.email.high", NORMAL: "delivery.email", LOW: "delivery.email.low"}


def ask(worker: Worker, priority: Priority, count: int, name: str = "") -> None:
    """So many messages of one priority, all fetched at once; as many as may be are taken on."""
    records = [
        worker.record(request("co-7", f"{name}{priority}-{number}", priority=priority), TOPICS[priority])
        for number in range(count)
    ]
    worker.send(*worker.picked(records[0].partition, records))


def in_flight(worker: Worker) -> Counter[Any]:
    return Counter(job.delivery.intent.priority for job in worker.jobs)


@pytest.mark.parametrize(
    ("capacity", "normal", "low"), [(1, 1, 1), (2, 1, 1), (3, 2, 1), (10, 9, 5), (20, 18, 10), (100, 90, 50)]
)
def test_what_each_may_have(capacity: int, normal: int, low: int) -> None:
    """Alone, high has all slots, normal all but a tenth (at least one), low half of them."""
    slots = Slots(capacity)
    assert [slots.room(0, priority, {}) for priority in (HIGH, NORMAL, LOW)] == [capacity, normal, low]


def test_high_is_on_its_way_whatever_else_waits() -> None:
    """With thousands of low and normal ones waiting, and all slots that they may have taken, a high one starts at
    once."""
    worker = Worker(concurrency=20)
    ask(worker, LOW, 1000)
    ask(worker, NORMAL, 1000)
    assert in_flight(worker) == {LOW: 10, NORMAL: 8}
    ask(worker, HIGH, 5)
    assert in_flight(worker) == {LOW: 10, NORMAL: 8, HIGH: 2}


def test_one_batch_keeps_the_order_and_the_limits() -> None:
    """Fetched together: high first, then normal, then low, in one batch, and no more on their way than there are
    slots."""
    worker = Worker(concurrency=10)
    records = [
        worker.record(request("co-7", f"{priority}-{number}", priority=priority), TOPICS[priority])
        for priority in (LOW, NORMAL, HIGH)
        for number in range(4)
    ]
    worker.send(*worker.picked(records[0].partition, records))
    assert [job.delivery.intent.priority for job in worker.jobs] == [HIGH] * 4 + [NORMAL] * 4 + [LOW] * 2


def test_a_repetition_keeps_its_priority() -> None:
    """What waits for a slot or for the grace is counted as what it is, also after a crash."""
    worker = Worker(concurrency=2)
    ask(worker, LOW, 1)
    worker.crash()
    worker.tick()
    worker.clock.moment += 120
    ask(worker, NORMAL, 1)
    ask(worker, HIGH, 1)
    worker.tick()
    assert in_flight(worker) == {NORMAL: 1, HIGH: 1}
    normal = next(job for job in worker.jobs if job.delivery.intent.priority is NORMAL)
    worker.answer(normal, ACCEPTED)
    worker.tick()
    assert in_flight(worker) == {LOW: 1, HIGH: 1}


def test_partitions_share_by_priority() -> None:
    """Who has taken all the slots for low gets no more of them than the other partition that waits for some; it
    may still take high ones."""
    slots = Slots(20)
    slots.hold(0, {LOW: 10}, {LOW})
    assert slots.room(1, LOW, {}) == 0
    slots.hold(1, {}, {LOW})
    slots.hold(0, {LOW: 6}, {LOW})
    assert slots.room(0, LOW, {LOW: 6}) == 0
    assert slots.room(0, HIGH, {LOW: 6}) == 14
    assert slots.room(1, LOW, {}) == 4
    slots.hold(1, {LOW: 4})
    assert slots.room(0, LOW, {LOW: 5}) == 1


@pytest.mark.parametrize("partitions", [2, 3, 4, 5, 7, 12, 18, 30])
def test_no_slot_stays_empty(partitions: int) -> None:
    """Where all partitions wait for the same slots, every slot is somebody's, and nobody has two more than
    another."""
    slots, held = Slots(20), Counter[int]()
    for number in range(partitions):
        slots.hold(number, {}, {NORMAL})
    for _ in range(2):
        for number in range(partitions):
            held[number] += slots.room(number, NORMAL, {NORMAL: held[number]})
            slots.hold(number, {NORMAL: held[number]}, {NORMAL})
    assert held.total() == 18
    assert max(held.values()) - min(held.values()) <= 1


moves = st.tuples(st.integers(0, 2), st.sampled_from([HIGH, NORMAL, LOW]), st.integers(0, 30))


@given(st.integers(1, 30), st.lists(moves, max_size=30))
def test_never_more_than_there_are(capacity: int, moves: list[tuple[int, Priority, int]]) -> None:
    """However partitions take what they are given and let go of it: low has at most half, and what is not high
    leaves the tenth alone."""
    slots, held = Slots(capacity), {number: Counter[Priority]() for number in range(3)}
    for number, priority, wanted in moves:
        taken = min(wanted, slots.room(number, priority, held[number]))
        held[number][priority] = held[number][priority] + taken if taken else 0
        slots.hold(number, held[number], {priority} if taken < wanted else ())
        everybody = sum(held.values(), Counter[Priority]())
        assert everybody.total() <= capacity
        assert everybody[LOW] <= max(1, capacity // 2)
        assert capacity == 1 or everybody[LOW] + everybody[NORMAL] <= capacity - max(1, capacity // 10)
