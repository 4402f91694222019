"""The lane itself: which partition numbers it has, whether it is open, and how it takes and lets go of them."""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from streams.batch import Batch, Effects, Record, Role
from streams.lane.crash import end_process
from streams.lane.partition import Partition, Surroundings
from streams.lane.settings import LaneSettings
from streams.lane.store import Store
from streams.lane.watchdog import Watchdog
from streams.state import State

log = logging.getLogger("staffetta.lane")

T = TypeVar("T")
Member = Callable[[], bytes]
"""The group metadata of the consumer, as it is now."""


class Lane:
    """Between Faust's consumer, which calls `prepare`, `open`, `put` and `let_go`, and the partitions."""

    def __init__(
        self,
        role: Role,
        settings: LaneSettings,
        store: Store,
        applied: Callable[[Batch, Effects, float], None],
        recovered: Callable[[float], None],
    ) -> None:
        self.role = role
        self.settings = settings
        self.store = store
        self.watchdog = Watchdog(settings.watchdog)
        self.partitions: dict[int, Partition] = {}
        self.opened = asyncio.Event()
        self.space = asyncio.Event()
        self.hand_over: Callable[[Batch], Awaitable[Effects]]
        """Set by the application: through Faust's agent."""
        self.member: Member
        """Set by the consumer."""
        self.prepared = False
        self._applied = applied
        self._recovered = recovered
        self._pool = ThreadPoolExecutor(settings.partitions + 1, "lane")
        self._names = {settings.topic_prefix + topic: topic for topic in role.topics}

    @property
    def topics(self) -> tuple[str, ...]:
        """Full names of the input topics, in the order of application."""
        return tuple(self._names)

    # -- taking: called in Faust's recovery task, while heartbeats go on

    async def prepare(self, partitions: Sequence[int]) -> None:
        """Fence, then load. Afterwards the partitions exist, but nothing is fetched until `open`."""
        if self.partitions:
            await self.let_go()
        started = time.monotonic()
        with self.watchdog.watching("the recovery"):
            progress = functools.partial(self.watchdog.progress, "the recovery")
            states = await self._in_thread(self.store.prepare, partitions, progress)
            around = Surroundings(
                self.role,
                self.settings,
                self.watchdog,
                self.hand_over,
                self._save,
                self._applied,
                self.space.set,
            )
            for number in partitions:
                self.role.recovered(states[number])
                self.partitions[number] = Partition(around, states[number], self.role.topics)
        self.prepared = True
        took = time.monotonic() - started
        self._recovered(took)
        log.info("partitions %s are ours, recovered in %.2f s", list(partitions), took)

    def open(self) -> None:
        """Fetch from now on; not when the partitions were revoked while a seek was under way."""
        if self.prepared:
            self.opened.set()

    # -- letting go: on revocation and at the end

    async def let_go(self) -> None:
        """Close, drop what is queued, finish what is in flight, forget all. In time, or the process ends."""
        self.opened.clear()
        self.prepared = False
        try:
            async with asyncio.timeout(self.settings.let_go_timeout):
                await asyncio.gather(*(partition.let_go() for partition in self.partitions.values()))
        except TimeoutError as error:
            end_process("what was in flight did not finish before the partitions had to go", error)
        if self.partitions:
            log.info("let go of partitions %s", list(self.partitions))
        self.partitions.clear()

    # -- fetching

    def wanted(self, assigned: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """The topic-partitions among `assigned` for which there is room."""
        return [
            (topic, number)
            for topic, number in assigned
            if topic in self._names
            and number in self.partitions
            and self.partitions[number].queue.has_room(self._names[topic])
        ]

    def put(self, topic: str, number: int, records: Sequence[Record]) -> None:
        self.partitions[number].put(self._names[topic], records)

    def positions(self) -> Mapping[tuple[str, int], int]:
        """Where to start: (full topic name, partition) -> the next offset to apply."""
        return {
            (self.settings.topic_prefix + topic, number): offset
            for number, partition in self.partitions.items()
            for topic, offset in partition.state.positions.items()
        }

    # -- committing

    async def _save(self, state: State, effects: Effects) -> None:
        what = f"the batch of partition {state.partition}"
        progress = functools.partial(self.watchdog.progress, what)
        await self._in_thread(self.store.save, state, effects, self.member(), progress)

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
