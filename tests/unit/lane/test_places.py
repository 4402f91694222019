"""Which offsets are sought, fetched and committed."""

from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from streams.lane import assignor, fetching
from streams.lane.assignor import LaneAssignor
from streams.lane.fetching import LaneConsumer, LaneThread
from streams.lane.lane import Lane
from streams.lane.partition import Partition, Surroundings
from streams.lane.progress import APPLIED
from streams.lane.settings import LaneSettings
from streams.metrics import REGISTRY
from streams.state import State
from tests.support.lane_records import FakeRecord, Noting

EVENTS = ("test-events", 0)


def create_lane(tmp_path: Path) -> Lane:
    settings = LaneSettings(brokers="", group="group", data_dir=tmp_path, partitions=1, topic_prefix="test-")
    state, nothing = State(0, Noting.tables), cast(Any, None)
    lane = Lane(Noting(), settings, nothing, lambda *_: None, lambda _: None)
    state.positions = {"events": 10}
    around = Surroundings(lane.role, settings, lane.watchdog, nothing, nothing, nothing, nothing, nothing)
    lane.partitions[0] = Partition(around, state, Noting.topics)
    return lane


def progress(lane: Lane, fetched: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    consumer: Any = LaneConsumer.__new__(LaneConsumer)
    consumer.lane, consumer._fetched, consumer._committed = lane, fetched, {}
    return {place: offset for place, (offset, _) in consumer._progress(lane.partitions).items()}


async def test_only_what_is_durable_is_committed(tmp_path: Path) -> None:
    """The group's offsets are never ahead of what is durable: not while something fetched waits or is under way,
    and not when it was dropped because the partition had to go. With nothing left, they are beyond a marker."""
    lane = create_lane(tmp_path)
    partition, commands = lane.partitions[0], ("test-commands", 0)
    assert progress(lane, {EVENTS: 12}) == {EVENTS: 12}
    lane.put("test-events", 0, [FakeRecord(12)])
    assert progress(lane, {EVENTS: 13, commands: 4}) == {EVENTS: 10, commands: 4}
    batch = partition._next_batch()
    assert batch is not None
    list(batch)  # applied, not durable
    assert partition.state.positions == {"events": 13}
    assert progress(lane, {EVENTS: 14}) == {EVENTS: 10}
    partition.durable = dict(partition.state.positions)
    assert progress(lane, {EVENTS: 14}) == {EVENTS: 14}
    lane.put("test-events", 0, [FakeRecord(14)])
    await partition.let_go()
    assert progress(lane, {EVENTS: 15}) == {EVENTS: 13}


def test_records_that_come_again_are_not_applied_again(tmp_path: Path) -> None:
    """A consumer that stands before what is applied already is a fault, not a reason to apply it twice."""
    lane = create_lane(tmp_path)
    with pytest.raises(ValueError, match="was fetched before"):
        lane.put("test-events", 0, [FakeRecord(9)])
    lane.put("test-events", 0, [FakeRecord(10), FakeRecord(14)])
    with pytest.raises(ValueError, match="was fetched before"):
        lane.put("test-events", 0, [FakeRecord(14)])


class Ended(Exception):  # noqa: N818
    pass


def end_process(why: str) -> None:
    raise Ended(why)


class FakeKafkaConsumer:
    def __init__(self, assigned: set[TP]) -> None:
        self.assigned = assigned
        self._coordinator = self
        self.sought: dict[TP, int] = {}
        self.committed = OffsetAndMetadata(-1, "")
        """Of each place, as the group has it; -1: it has none."""

    def assignment(self) -> set[TP]:
        return self.assigned

    async def fetch_committed_offsets(self, places: list[TP]) -> dict[TP, OffsetAndMetadata]:
        return dict.fromkeys(places, self.committed) if self.committed.offset >= 0 else {}

    async def beginning_offsets(self, places: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(places, 5)

    async def end_offsets(self, places: list[TP]) -> dict[TP, int]:
        return dict.fromkeys(places, 50)

    def seek(self, place: TP, offset: int) -> None:
        self.sought[place] = offset


def create_thread(consumer: FakeKafkaConsumer) -> Any:
    thread: Any = LaneThread.__new__(LaneThread)
    thread._ensure_consumer = lambda: consumer
    return thread


@pytest.mark.parametrize(("committed", "start"), [((-1, ""), 5), ((7, ""), 7), ((7, APPLIED), 5)])
@pytest.mark.parametrize("is_void", [False, True])
async def test_a_seek_that_a_rebalance_overtook_does_nothing(
    tmp_path: Path, is_void: bool, committed: tuple[int, str], start: int
) -> None:
    """Inputs are sought to where the rows end, without rows to where an operator has set the group, or to their
    beginning, also if we have applied them before; a seek that comes too late does nothing."""
    events, commands, changelog = TP("test-events", 0), TP("test-commands", 0), TP("changelog", 0)
    consumer, lane = FakeKafkaConsumer({events, commands, changelog}), create_lane(tmp_path)
    thread = create_thread(consumer)
    consumer.committed = OffsetAndMetadata(*committed)
    await thread.seek_to({EVENTS: 42}, lane.claim + is_void, lane)
    assert consumer.sought == ({} if is_void else {events: 42, commands: start})
    assert thread.claim == (LaneThread.claim if is_void else lane.claim)


@pytest.mark.parametrize(
    ("position", "committed", "missed"),
    [(2, (-1, ""), 3), (2, (4, APPLIED), 1), (2, (5, APPLIED), 0), (5, (-1, ""), 0)],
)
async def test_what_was_deleted_unread_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, position: int, committed: tuple[int, str], missed: int
) -> None:
    """Where retention was quicker than a role, it goes on, but says how many records it has never seen, and counts
    them. The markers of transactions, up to what the group has committed, are none."""
    consumer, lane = FakeKafkaConsumer({TP(*EVENTS)}), create_lane(tmp_path)
    consumer.committed = OffsetAndMetadata(*committed)
    before = counted()
    await create_thread(consumer).seek_to({EVENTS: position}, lane.claim, lane)
    assert consumer.sought == {TP(*EVENTS): 5}
    assert counted() == before + missed
    told = f"partition 0 of test-events begins at offset 5: {missed} records were deleted that were never read"
    assert [each.getMessage() for each in caplog.records] == ([told] if missed else [])


def counted() -> float:
    return REGISTRY.get_sample_value("staffetta_records_missed_total", {"topic": "events"}) or 0.0


async def test_a_topic_that_is_shorter_than_what_was_read_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a topic ends before a role's position, its process ends and says so, instead of applying whatever
    comes."""
    monkeypatch.setattr(fetching, "end_process", end_process)
    consumer, lane = FakeKafkaConsumer({TP(*EVENTS)}), create_lane(tmp_path)
    with pytest.raises(Ended, match="test-events was read up to offset 51 and now ends at 50"):
        await create_thread(consumer).seek_to({EVENTS: 51}, lane.claim, lane)
    await create_thread(consumer).seek_to({EVENTS: 50}, lane.claim, lane)
    assert consumer.sought == {TP(*EVENTS): 50}


def test_the_groups_leader_does_not_assign_blindly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leader whose metadata lacks a topic ends its process instead of giving nobody anything."""

    class Cluster:
        def partitions_for_topic(self, topic: str) -> set[int] | None:
            return {0} if topic == "test-events" else None

    class App:
        tables: dict[str, Any] = {}  # noqa: RUF012

    monkeypatch.setattr(assignor, "end_process", end_process)
    leader: Any = LaneAssignor.__new__(LaneAssignor)
    leader.lane, leader.app = create_lane(tmp_path), App
    with pytest.raises(Ended, match="test-commands"):
        leader.assign(Cluster(), {})
