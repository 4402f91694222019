"""Faust's recovery, with our fence and our loader in the place of its own.

Faust's reads a changelog through the consumer until the last offset, which on a changelog written by
transactions is a marker that no consumer ever sees: it would wait for ever. It is also the one place where Faust
is past the rebalance, sends heartbeats, and has not started the streams: here we fence and load.
"""

import asyncio
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery, ServiceStopped
from faust.types import TP

from streams.lane.crash import end_process
from streams.lane.lane import Lane


class LaneRecovery(Recovery):
    lane: Lane

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        # A time-out in here would end Faust's recovery task for ever, silently. Progress is the watchdog's.
        try:
            await super()._wait(coro)
        except ServiceStopped:
            if not self.should_stop:
                end_process("Faust's recovery stopped")
            raise

    async def _build_offsets(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        if title != "active":
            await super()._build_offsets(consumer, tps, destination, title)
            return
        try:
            await self._prepare(consumer, tps)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.lane.fail("recovery", error)
        for tp in tps:  # loaded: Faust has nothing left to read
            destination[tp] = self.active_highwaters.get(tp, -1)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        await super().on_recovery_completed(generation_id)
        # Only now: when Faust resumes its flow, it drops what is on its way to the agents.
        self.lane.open()

    async def _prepare(self, consumer: Any, changelogs: set[TP]) -> None:
        inputs = self.lane.topics
        numbers = sorted({tp.partition for tp in consumer.assignment() if tp.topic in inputs})
        names = {table.changelog_topic.get_topic_name() for table in self.app.tables.values()}
        expected = {(name, number) for name in names for number in numbers}
        assigned = {(tp.topic, tp.partition) for tp in changelogs}
        if consumer.generation != self._generation_id:
            await self.signal_recovery_start.wait()
            return  # the next rebalance is under way: what we see is half of it
        if expected != assigned:
            end_process(f"changelog partitions are not assigned with their inputs: {sorted(expected ^ assigned)}")
        await self.lane.prepare(numbers)


class LaneTableManager(TableManager):
    lane: Lane

    async def on_start(self) -> None:
        # Faust's own first sleeps for a second, for tables that are declared late. All of ours are declared.
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        if self._recovery is None:
            self._recovery = LaneRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
            self._recovery.lane = self.lane
        return self._recovery
