"""Faust's consumer, with fetching, seeking and committing as the lane needs them.

Records are fetched in the consumer's own thread, whole batches at a time, and appended to the queue of their
partition number; the fetch never waits for processing, so neither heartbeats nor other partitions do.

**Seeks and claims.** Records that were fetched before a seek must be dropped, and those fetched after it must not
be, not even while the lane is still closed: the consumer stands behind them. The claim for which the consumer was
sought is written and read in the consumer's thread, in the same step as seeking and fetching, with no await in
between. Records that come under the lane's present claim are kept; those under an earlier one are dropped, and the
present one's seek, without which the lane does not open, makes up for them.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import aiokafka
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streams import metrics
from streams.batch import Record
from streams.lane.crash import FENCED, end_process
from streams.lane.group import Member
from streams.lane.lane import Lane
from streams.lane.partition import Partition
from streams.lane.progress import APPLIED

log = logging.getLogger("staffetta.lane")

FETCH_SECONDS = 1.0
"""How long a fetch waits for records."""
FETCH_SECONDS_WHEN_FULL = 0.1
"""The same while some topic-partition has no room: it may have room again soon."""
COMMIT_SECONDS = 5.0
"""How long to try to commit the group's offsets: the next round will do as well."""

Place = tuple[str, int]


class Fetched(NamedTuple):
    claim: int
    """The lane's claim for which the consumer was sought last, when these were fetched."""
    records: Mapping[TP, list[Record]]
    positions: Mapping[Place, int]
    """The consumer's position after these records: beyond the markers of transactions."""


class LaneThread(driver.AIOKafkaConsumerThread):
    """What runs in the consumer's own thread."""

    claim = -1
    """The lane's claim for which the consumer was sought last."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        for name in ("_isolation_level", "_fetch_max_wait_ms"):
            if not hasattr(consumer, name):
                end_process(f"aiokafka's consumer has no {name} any more")
        # Faust sets it only together with its own transactions, which are not used here.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = 500
        return consumer

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        # The changelogs are loaded elsewhere. Here they would be fetched too, and kept for nobody.
        lane = cast(LaneConsumer, self.consumer).lane
        inputs = lane.topics
        lane.assigned()
        changelogs = [aiokafka.TopicPartition(*tp) for tp in assigned if tp.topic not in inputs]
        try:
            self._ensure_consumer().pause(*changelogs)
            await super().on_partitions_assigned(assigned, generation_id)
        except Exception as error:  # aiokafka would log it and go on, with nobody working
            end_process("partitions were assigned", error)

    async def fetch(self, wanted: frozenset[TP], seconds: float) -> Fetched:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError()
        if not self.consumer.flow_active or not wanted:
            return Fetched(self.claim, {}, {})
        with fetcher._subscriptions.fetch_context():
            # A frozen set, never an empty one: an empty filter means "no filter" there. And all that has come, for
            # the main thread asks seldom while it is busy.
            records = await fetcher.fetched_records(wanted, timeout=seconds)
        subscription = fetcher._subscriptions.subscription
        positions = {}
        if subscription is not None and subscription.assignment is not None:
            assignment = subscription.assignment
            for tp in wanted & assignment.tps:
                state = assignment.state_value(tp)
                if state is not None and state.has_valid_position:
                    positions[tp.topic, tp.partition] = state.position
        return Fetched(self.claim, records, positions)

    async def seek_to(self, starts: Mapping[Place, int], claim: int, lane: Lane) -> None:
        """Seek every input to its start, for this claim of the lane. One without a start is sought to where an
        operator has set the group, or to its beginning. What is missing at a start is told, see `_check_topic`.

        Nothing happens if a rebalance was quicker: it comes with a seek of its own, which this one must not undo.
        """
        consumer = self._ensure_consumer()
        inputs = [tp for tp in consumer.assignment() if tp.topic in lane.topics]
        beginnings = await consumer.beginning_offsets(inputs)
        ends = await consumer.end_offsets(inputs)
        committed = await consumer._coordinator.fetch_committed_offsets(inputs)
        # No await from here on.
        if lane.claim != claim:
            return
        for tp in inputs:
            start, beginning = starts.get((tp.topic, tp.partition)), beginnings[tp]
            offset, metadata = committed.get(tp, (-1, ""))
            if start is None:
                # Our own word does not count: a new database is filled from the beginning.
                start = beginning if metadata == APPLIED else offset
            else:
                # What we committed lies beyond the markers of transactions, which no position counts.
                read = max(start, offset) if metadata == APPLIED else start
                _check_topic(tp, read, beginning, ends[tp], lane.contract_name(tp.topic))
            consumer.seek(tp, max(start, beginning))
        self.claim = claim

    async def commit_positions(self, offsets: Mapping[Place, tuple[int, str]]) -> None:
        """Offset and metadata of each, as far as it is still ours to say."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        wanted = {aiokafka.TopicPartition(*place): content for place, content in offsets.items()}
        wanted = {tp: content for tp, content in wanted.items() if tp in assigned}
        if wanted:
            async with asyncio.timeout(COMMIT_SECONDS):
                await consumer.commit(wanted)

    async def check_coordination(self) -> None:
        """Raises what aiokafka's coordinator gave up on; it would wait for ever to be asked."""
        self._ensure_consumer()._coordinator.check_errors()


def _check_topic(tp: TP, read: int, beginning: int, end: int, contract_name: str) -> None:
    """Whether it is still the topic that was read up to this offset, with all that follows. One that was created
    anew ends the process: which of its records were applied, nobody knows."""
    if read > end:
        end_process(
            f"partition {tp.partition} of {tp.topic} was read up to offset {read} and now ends at {end}: it is "
            'another topic. Bring the first one back, or see "A topic was created anew" in docs/operations.md'
        )
    if read < beginning:
        metrics.MISSED.labels(contract_name).inc(beginning - read)
        log.error(
            "partition %d of %s begins at offset %d: %d records were deleted that were never read",
            tp.partition,
            tp.topic,
            beginning,
            beginning - read,
        )


class LaneConsumer(driver.Consumer):
    """Faust's consumer on the lane. The application sets `lane` on a subclass of it."""

    lane: Lane
    _thread: LaneThread

    def _new_consumer_thread(self) -> LaneThread:
        self._fetched: dict[Place, int] = {}
        self._committed: dict[Place, tuple[int, str]] = {}
        self.lane.member = self._member
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def generation(self) -> int:
        return self._member().generation

    def _member(self) -> Member:
        coordinator = self._thread._ensure_consumer()._coordinator
        return Member(coordinator.generation, coordinator.member_id)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        return False  # the lane commits; Faust's acknowledgements never do

    async def perform_seek(self) -> None:
        lane, claim = self.lane, self.lane.claim
        await self._thread.call_thread(self._thread.seek_to, lane.positions(), claim, lane)
        self._fetched.clear()
        self._committed.clear()
        lane.sought(claim)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        try:
            self.lane.revoked()
            if revoked and not self._member().id and await asyncio.to_thread(self.lane.is_taken_over):
                # To join again would take the place of the other one, who would do the same, in turns for ever.
                end_process("another worker uses the same static member id", status=FENCED)
            await self.lane.let_go()
            await super().on_partitions_revoked(revoked)
        except Exception as error:  # aiokafka would log it and go on
            end_process("partitions were revoked", error)

    async def on_task_error(self, exc: BaseException) -> None:
        """Faust calls this when an agent raises."""
        if not isinstance(exc, asyncio.CancelledError):
            end_process("the agent raised", exc)

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._fetch_once()
        except self.consumer_stopped_errors as error:
            if not self.app.should_stop:
                end_process("the consumer has stopped", error)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.lane.fail("fetching", error)

    async def _fetch_once(self) -> None:
        lane, thread = self.lane, self._thread
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
            return
        if not lane.opened.is_set():
            await self.wait(lane.opened.wait())
            return
        active = lane.inputs(self._get_active_partitions())
        wanted = [place for place in active if lane.has_room(*place)]
        if not wanted:
            lane.space.clear()
            await self.wait(lane.space.wait(), timeout=FETCH_SECONDS_WHEN_FULL)
            return
        seconds = FETCH_SECONDS if len(wanted) == len(active) else FETCH_SECONDS_WHEN_FULL
        tps = frozenset(TP(*place) for place in wanted)
        fetched: Fetched = await thread.call_thread(thread.fetch, tps, seconds)
        if fetched.claim != lane.claim:
            return  # the present claim's seek makes up for them
        for tp, records in fetched.records.items():
            if tp.partition not in lane.partitions:
                end_process(f"records of {tp} arrived, which was never prepared")
            lane.put(tp.topic, tp.partition, records)
        self._fetched.update(fetched.positions)
        await asyncio.sleep(0)

    @Service.task
    async def _attend_group(self) -> None:
        """Commit offsets, for lag and for those who look from outside; notice when the group has put us out."""
        lane, thread = self.lane, self._thread
        while not self.should_stop:
            await self.sleep(lane.settings.commit_interval)
            try:
                await thread.call_thread(thread.check_coordination)
            except KafkaError as error:
                lane.fail("the group", error)
            if lane.opened.is_set():
                await self._commit_progress(lane.partitions)

    async def stop_lane(self) -> None:
        """Finish what is in flight, and say how far it came."""
        partitions = dict(self.lane.partitions)
        await self.lane.stop()
        await self._commit_progress(partitions)

    async def _commit_progress(self, partitions: Mapping[int, Partition]) -> None:
        offsets = self._progress(partitions)
        if not offsets:
            return
        try:
            await self._thread.call_thread(self._thread.commit_positions, offsets)
        except (KafkaError, TimeoutError) as error:  # a rebalance, or a broker that is away
            self.log.info("offsets were not committed this time: %r", error)
        else:
            self._committed.update(offsets)

    def _progress(self, partitions: Mapping[int, Partition]) -> dict[Place, tuple[int, str]]:
        """Of what was fetched: the offset after the last record whose effects are durable, or, where all are, the
        consumer's position, which lies beyond the marker of a transaction. Only what is news to the group."""
        offsets = {}
        for (name, number), position in self._fetched.items():
            partition, topic = partitions.get(number), self.lane.contract_name(name)
            if partition is not None:
                durable = partition.durable.get(topic)
                offset = position if partition.has_applied(topic) else durable
                if offset is not None:
                    offsets[name, number] = offset, "" if durable is None else APPLIED
        return {place: content for place, content in offsets.items() if self._committed.get(place) != content}
