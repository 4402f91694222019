"""One partition number: forms batches, hands each to the role's agent, makes its effects durable, starts its jobs.

One batch is in flight at a time; partitions overlap. Nothing here ever waits for a job: what a job says comes
back as a completion in a later batch.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from streams.batch import Batch, Effects, Record, Role, Runs
from streams.lane import poison
from streams.lane.deaths import DeathNote
from streams.lane.queue import PartitionQueue
from streams.lane.settings import LaneSettings
from streams.lane.watchdog import Watchdog
from streams.state import State

FEW = 64
"""With fewer records waiting than this, it pays to gather for a moment."""
IDLE_TICK = 0.05
"""Seconds until a role that asked to be woken, and then did nothing, is woken again."""
KILLED = "the worker died each time this record was applied"

HandOver = Callable[[Batch, Callable[[Batch], Effects]], Awaitable[Effects]]
"""The batch goes to the Faust agent with the step to do on it, and its effects come back."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a partition number needs of the lane around it."""

    role: Role
    settings: LaneSettings
    watchdog: Watchdog
    hand_over: HandOver
    save: Callable[[State, Effects], Awaitable[None]]
    applied: Callable[[Batch, Effects, float], None]
    """Called after the commit, with the seconds that the batch took."""
    has_room: Callable[[], None]
    fail: Callable[[str, BaseException], NoReturn]


class Partition:
    """Prepared, then started, then let go."""

    def __init__(self, around: Surroundings, state: State, topics: Sequence[str]) -> None:
        settings = around.settings
        self.state = state
        self.durable = dict(state.positions)
        """Contract topic name -> offset after the last record whose effects are durable."""
        self._fetched = dict(state.positions)
        self.queue = PartitionQueue(topics, settings.buffer_bytes // settings.partitions)
        self._around = around
        self._note = DeathNote(settings.data_dir / settings.group, state.partition)
        self._completions: list[Any] = []
        self._jobs: set[asyncio.Task[Any]] = set()
        self._awaited: set[asyncio.Task[Any]] = set()
        """Jobs that were begun together with one whose completion waits here."""
        self._wake = asyncio.Event()
        self._taking = True
        self._last_commit = 0.0
        self._not_before = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"partition-{self.state.partition}")

    def has_applied(self, topic: str) -> bool:
        """Whether everything that was fetched of it is durable."""
        return self._fetched.get(topic) == self.durable.get(topic)

    def put(self, topic: str, records: Sequence[Record]) -> None:
        """Raises ValueError when records come again: the consumer stands where nobody has put it."""
        if records[0].offset < self._fetched.get(topic, 0):
            raise ValueError(f"{topic}/{self.state.partition}/{records[0].offset} was fetched before")
        self._fetched[topic] = records[-1].offset + 1
        self.queue.put(topic, records)
        self._wake.set()

    async def let_go(self) -> None:
        """Take nothing new, finish the batch in flight, await the jobs and commit what they say."""
        self._taking = False
        self.queue.clear()
        self._wake.set()
        if self._task is not None:
            await self._task
        self._note.close()

    def step(self, batch: Batch) -> Effects:
        """Called by the agent. A process that dies in here died of what it was applying: the note tells."""
        if batch.runs:
            self._note.applying(batch)
        effects = poison.apply(self._around.role, batch, self.state, self.queue.put_back)
        if batch.runs:
            self._note.applied()
        return effects

    async def _run(self) -> None:
        try:
            while self._taking or self._jobs or self._completions:
                await self._hear_all()
                batch = self._next_batch()
                if batch is None:
                    await self._sleep()
                else:
                    await self._apply(batch)
                    await self._gather()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._around.fail(f"partition {self.state.partition}", error)

    def _next_batch(self) -> Batch | None:
        self._wake.clear()
        now = self._around.settings.clock.now()
        runs = self._pick(now) if self._taking and self.queue.count else []
        due = self._taking and self._seconds_to_tick() == 0
        if not runs and not self._completions and not due:
            return None
        completions, self._completions = self._completions, []
        self._awaited.clear()
        return Batch(self.state, runs, now, completions, may_begin=self._taking)

    def _pick(self, now: float) -> Runs:
        limit = self._note.limit or self._around.settings.max_batch
        return self._around.role.pick(self.queue, self.state, limit, now)

    def _seconds_to_tick(self) -> float | None:
        moment = self._around.role.next_wakeup(self.state)
        if moment is None:
            return None
        return max(self._around.settings.clock.seconds_until(moment), self._not_before - time.monotonic(), 0.0)

    async def _sleep(self) -> None:
        timeout = self._seconds_to_tick() if self._taking else None
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            pass  # the moment that the role asked for

    async def _hear_all(self) -> None:
        """Jobs that were begun together end much at the same time: what they say, and what takes their places, is
        one transaction instead of several."""
        if self._taking and (under_way := self._awaited & self._jobs):
            await asyncio.wait(under_way, timeout=self._around.settings.gather_answers)

    async def _gather(self) -> None:
        """Many transactions of one record each cost more than one of many: wait a moment for company."""
        if self._taking and self.queue.count < FEW:
            rest = self._last_commit + self._around.settings.gather - time.monotonic()
            if rest > 0:
                await asyncio.sleep(rest)

    async def _apply(self, batch: Batch) -> None:
        around, started = self._around, time.monotonic()
        with around.watchdog.watching(f"the batch of partition {self.state.partition}"):
            killer = self._killer(batch)
            effects = await around.hand_over(batch, self.step)
            if killer is not None:
                around.role.poison(*killer, KILLED, effects)
            changed = any(True for _ in self.state.changes())
            if batch.runs or changed or effects.outputs or effects.rows:
                await around.save(self.state, effects)
                self.state.committed()
                self.durable = dict(self.state.positions)
        self._last_commit = time.monotonic()
        self._not_before = 0.0 if batch.runs or changed or effects.outputs else self._last_commit + IDLE_TICK
        self._start(effects.jobs)
        around.has_room()
        around.applied(batch, effects, self._last_commit - started)

    def _killer(self, batch: Batch) -> tuple[str, Record] | None:
        """(topic, record) of one that must not be applied again, and which the batch then skips."""
        if self._note.limit is None or not batch.runs:
            return None
        topic, (record, *_) = batch.runs[0]
        if not self._note.kills(topic, record):
            return None
        batch.skip = frozenset({(topic, record.offset)})
        return topic, record

    def _start(self, jobs: Sequence[Any]) -> None:
        together: set[asyncio.Task[Any]] = set()
        together |= {asyncio.create_task(self._perform(job, together)) for job in jobs}
        self._jobs |= together

    async def _perform(self, job: Any, together: set[asyncio.Task[Any]]) -> None:
        try:
            completion = await self._around.role.perform(job)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._around.fail(f"a job of partition {self.state.partition}", error)
        finally:
            self._jobs.difference_update({asyncio.current_task()})
        # Not under way any more when the loop wakes, or it would wait for one more answer.
        self._completions.append(completion)
        self._awaited |= together
        self._wake.set()
