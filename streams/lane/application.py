"""The Faust application of one role on the lane: one agent, its table, and our parts in Faust's places."""

import asyncio
import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import faust
from faust.contrib.asgi import bind_to_running_loop
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, StreamT
from faust.types.tuples import ConsumerMessage

from streams.batch import Batch, Effects
from streams.lane import guard, records
from streams.lane.assignor import LaneAssignor
from streams.lane.crash import end_process
from streams.lane.fetching import LaneConsumer
from streams.lane.lane import Lane
from streams.lane.recovery import LaneTableManager
from streams.lane.store import CHANGELOG

DAY = 86_400.0
LEAVE_SECONDS = 5.0
"""How long leaving the group may take. Who cannot tell it is missed when the session ends."""


@dataclass(slots=True, eq=False)
class Turn:
    """A batch on its way through the agent, with the step to do on it and the promise of its effects."""

    batch: Batch
    step: Callable[[Batch], Effects]
    effects: asyncio.Future[Effects]


class TurnSchema(faust.Schema[Any, Any]):
    """The value of a Faust event is the whole turn, untouched."""

    def loads_key(self, app: Any, message: Any, **options: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:
        return message.value


class LaneApp(faust.App):
    lane: Lane

    def _crash(self, reason: BaseException) -> None:
        end_process("a service of Faust crashed", reason)


def create_app(lane: Lane, **options: Any) -> LaneApp:
    """A Faust app whose one agent turns batches into effects. `options`: more Faust settings, as credentials."""
    guard.check()
    settings = lane.settings
    folder = settings.data_dir / settings.group
    folder.mkdir(parents=True, exist_ok=True)
    app = LaneApp(
        settings.group,
        broker=[f"kafka://{broker.strip()}" for broker in settings.brokers.split(",")],
        datadir=str(folder),
        store="memory://",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=min(1.0, settings.session_timeout / 4),
        broker_rebalance_timeout=settings.rebalance_timeout,
        broker_request_timeout=max(60.0, settings.session_timeout),
        broker_max_poll_interval=DAY,
        broker_commit_interval=3600.0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance_id or None,
        consumer_max_fetch_size=_fetch_size(lane),
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        TableManager=type("TableManager", (LaneTableManager,), {"lane": lane}),
        PartitionAssignor=type("PartitionAssignor", (LaneAssignor,), {"lane": lane}),
        **options,
    )
    app.lane = lane
    driver.Transport.Consumer = type("Consumer", (LaneConsumer,), {"lane": lane})
    records.install()
    app.Table(CHANGELOG, partitions=settings.partitions)
    _add_agent(app, lane)
    return app


async def run(app: LaneApp) -> None:
    """Run until SIGTERM or SIGINT, then finish what is in flight and leave the group.

    Faust's own worker would take over the terminal, the log and the signals, and wait a second before it ends.
    """
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    bind_to_running_loop(app)
    app.finalize()
    calm_collector()
    watch = asyncio.create_task(app.lane.watchdog.run())
    start = asyncio.create_task(app.start())  # until the first recovery is done
    stop = asyncio.create_task(told.wait())
    await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
    if start.done() and (error := start.exception()):
        end_process("the start", error)
    await stop
    app.lane.watchdog.begin("the end of the process")
    start.cancel()
    await cast(LaneConsumer, app.consumer).stop_lane()  # while the agent still runs
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await app.stop()
    except TimeoutError:
        end_process("the brokers do not answer; everything is durable", status=0)
    watch.cancel()


def calm_collector() -> None:
    """Batches make many objects and hardly any cycles; as Python is set, looking for them takes a fifth of
    the time. What has been imported by now stays, and is left out of it for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _add_agent(app: LaneApp, lane: Lane) -> None:
    inputs = app.topic(*lane.topics, partitions=lane.settings.partitions, schema=TurnSchema(), acks=False)

    @app.agent(inputs, name=lane.role.name)
    async def agent(stream: StreamT[Turn]) -> None:
        async for turn in stream:
            turn.effects.set_result(turn.step(turn.batch))

    async def hand_over(batch: Batch, step: Callable[[Batch], Effects]) -> Effects:
        turn = Turn(batch, step, asyncio.get_running_loop().create_future())
        consumer = cast(LaneConsumer, app.consumer)
        await consumer.callback(_message(lane.topics[0], turn, app.consumer_generation_id))
        return await turn.effects

    lane.hand_over = hand_over


def _message(topic: str, turn: Turn, generation: int) -> ConsumerMessage:
    number, value = turn.batch.state.partition, cast(Any, turn)
    tp = TP(topic, number)
    return ConsumerMessage(topic, number, 0, 0.0, 0, [], None, value, None, 0, 0, tp, generation_id=generation)


def _fetch_size(lane: Lane) -> int:
    """Bytes that one answer of a broker may hold of one topic-partition: half of what may wait in the queue."""
    share = lane.settings.buffer_bytes // lane.settings.partitions // len(lane.topics)
    return min(1024 * 1024, max(64 * 1024, share // 2))
