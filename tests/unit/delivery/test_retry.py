"""The role `retry`: what it picks, where it sends it, and what it does with what it cannot read."""

from typing import Any

import pytest

from agents.retry import Retry
from schemas import Event
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName
from streams.batch import Batch
from streams.clock import utc
from streams.lane.queue import PartitionQueue
from streams.state import State
from tests.unit.delivery.support import LADDER, NOW, PARTITIONS, Record, Worker, read, request


@pytest.fixture
def worker() -> Worker:
    """Makes the records."""
    return Worker()


class Desk:
    """`retry` over one partition: what is fetched, and what it does at a given moment."""

    def __init__(
        self,
        *records: Record,
        ladder: tuple[int, ...] = LADDER,
        channels: tuple[ChannelName, ...] = tuple(ChannelName),
    ) -> None:
        self.role = Retry(PARTITIONS, ladder, channels=channels)
        self.partition = records[0].partition
        self.state, self.queue = State(self.partition, ()), PartitionQueue(self.role.topics, 10**9)
        self.role.recovered(self.state)
        self.counted: dict[tuple[str, ...], int] = {}
        for record in records:
            self.queue.put(record.topic, [record])

    def at(self, seconds: float, limit: int = 100) -> list[tuple[str, Event]]:
        """(topic, event) of what is written so many seconds after NOW."""
        runs = self.role.pick(self.queue, self.state, limit, NOW + seconds)
        effects = self.role.step(Batch(self.state, runs, NOW + seconds), self.state)
        self.counted |= effects.counted
        return [(output.topic, read(output, self.partition)) for output in effects.outputs]

    @property
    def wakes_after(self) -> float | None:
        moment = self.role.next_wakeup(self.state)
        return None if moment is None else round(moment - NOW, 3)


def waiting(worker: Worker, left: float, delay: int, name: str = "n-1", **changes: Any) -> Record:
    """Written now into the topic of this delay, due in `left` seconds."""
    due_at = utc(worker.clock.now() + left).isoformat()
    return worker.record(request("co-7", name, due_at=due_at, attempt=2, **changes), f"delivery.retry.{delay}")


def names(written: list[tuple[str, Event]]) -> list[tuple[str, str]]:
    return [(topic, event.data.notification_id) for topic, event in written if isinstance(event.data, AttemptDue)]


def test_released_at_the_end_of_the_delay(worker: Worker) -> None:
    """Not a moment before; then it goes back to its channel, as it was."""
    desk = Desk(waiting(worker, 10, 10, attempt_channel="email"))
    assert desk.at(9.999) == []
    assert desk.wakes_after == 10
    ((topic, event),) = desk.at(10)
    assert topic == "delivery.email"
    assert (event.id, event.source, event.subject) == ("n-1:1", "/staffetta/notify", None)
    assert isinstance(event.data, AttemptDue)
    assert (event.data.attempt, event.data.due_at) == (2, utc(NOW + 10))
    assert desk.wakes_after is None
    assert desk.counted == {("staffetta_intake_total", "delivery.retry.10", "applied"): 1}


def test_what_is_not_due_goes_on_to_a_shorter_delay(worker: Worker) -> None:
    """Of 75 s a minute is over: 15 are left, so ten more."""
    assert names(Desk(waiting(worker, 75, 60)).at(60)) == [("delivery.retry.10", "n-1")]


def test_each_topic_waits_for_its_own_head(worker: Worker) -> None:
    """Those behind a head that is not released wait with it; other topics do not."""
    long = waiting(worker, 60, 60, "long")
    worker.clock.moment += 1
    behind = waiting(worker, 60, 60, "behind")
    short = waiting(worker, 1, 1, "short")
    desk = Desk(long, behind, short)
    assert names(desk.at(2)) == [("delivery.email", "short")]
    assert desk.wakes_after == 60
    assert names(desk.at(60.5)) == [("delivery.email", "long")]
    assert desk.wakes_after == 61
    assert names(desk.at(61)) == [("delivery.email", "behind")]


def test_a_batch_holds_no_more_than_its_limit(worker: Worker) -> None:
    """What is left is released at once with the next one."""
    desk = Desk(*(waiting(worker, 1, 1, f"n-{number}") for number in range(5)))
    assert len(desk.at(2, limit=3)) == 3
    assert desk.wakes_after == 1
    assert len(desk.at(2, limit=3)) == 2


@pytest.mark.parametrize(("priority", "topic"), [("high", ".high"), ("normal", ""), ("low", ".low")])
def test_priority(worker: Worker, priority: str, topic: str) -> None:
    """It goes back to the topic of its priority."""
    assert names(Desk(waiting(worker, 1, 1, priority=priority)).at(1)) == [(f"delivery.email{topic}", "n-1")]


def test_what_cannot_be_read_or_has_nowhere_to_go(worker: Worker) -> None:
    """A broken record, and one for a channel that does not exist here, are dead letters when they are released."""
    broken = waiting(worker, 1, 1)._replace(value=b"{")
    lost = waiting(worker, 1, 1, "n-2", attempt_channel="push")
    written = Desk(broken, lost, waiting(worker, 1, 1, "n-3"), channels=(ChannelName.EMAIL,)).at(1)
    assert [(topic, event.type) for topic, event in written] == [
        ("intake.dead-letters", "intake.refused"),
        ("intake.dead-letters", "intake.refused"),
        ("delivery.email", "notification.attempt_due"),
    ]
    assert [event.data.role for _, event in written[:2]] == ["retry", "retry"]  # type: ignore[attr-defined]
    assert [event.data.reason for _, event in written[:2]] == ["not_a_cloudevent", "inconsistent"]  # type: ignore[attr-defined]


def test_an_own_ladder(worker: Worker) -> None:
    """The topics follow the setting; what is left below the shortest delay waits that long."""
    assert Retry.reads((5, 30)) == ("delivery.retry.30", "delivery.retry.5")
    assert names(Desk(waiting(worker, 31, 30), ladder=(5, 30)).at(30)) == [("delivery.retry.5", "n-1")]
