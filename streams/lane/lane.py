"""The lane itself: which partition numbers it has, whether it is open, and how it takes and lets go of them."""

import asyncio
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeVar

from streams.batch import Batch, Effects, Record, Role
from streams.lane.crash import CRASHED, FENCED, end_process
from streams.lane.group import Member, is_taken_over
from streams.lane.partition import HandOver, Partition, Surroundings
from streams.lane.settings import LaneSettings
from streams.lane.store import Store
from streams.lane.watchdog import Watchdog
from streams.state import State

log = logging.getLogger("staffetta.lane")

T = TypeVar("T")

TAKING = "taking over the partitions"


class Void(Exception):  # noqa: N818 - nothing is wrong: a rebalance was quicker
    """The partitions went while they were being loaded."""


class Lane:
    """Between Faust, which calls `assigned`, `revoked`, `prepare`, `sought`, `open`, `put` and `let_go`, and the
    partitions."""

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
        self.hand_over: HandOver
        """Set by the application: through Faust's agent."""
        self.member: Callable[[], Member]
        """Set by the consumer: what it is to the group, as of now."""
        self.prepared = False
        self.claim = 0
        """Counts each taking and letting go: what began under another number is void."""
        self._sought = False
        self._stopping = False
        self._loading = threading.Lock()
        self._applied = applied
        self._recovered = recovered
        self._pool = ThreadPoolExecutor(settings.partitions + 1, "lane")
        self._names = {settings.topic_prefix + topic: topic for topic in role.topics}

    @property
    def topics(self) -> tuple[str, ...]:
        """Full names of the input topics, in the order of application."""
        return tuple(self._names)

    # -- what the group says; `assigned` comes from the consumer's thread

    def assigned(self) -> None:
        """The group has given us partitions: `open` must come of it, or the next revocation. Between the two lies
        much that is Faust's, and a worker that got stuck there would keep its partitions and do nothing."""
        self.watchdog.begin(TAKING)

    def revoked(self) -> None:
        """Nothing has to come any more of what was assigned before."""
        self.watchdog.end(TAKING)

    # -- taking: called in Faust's recovery task, while heartbeats go on

    async def prepare(self, partitions: Sequence[int]) -> None:
        """Fence, then load. Nothing is fetched or applied until `open`."""
        await self.let_go()  # of what Faust never revoked
        if self._stopping:
            return
        claim, started = self.claim, time.monotonic()
        try:
            with self.watchdog.watching("the recovery"):
                states = await self._in_thread(self._load, claim, partitions)
        except Void:
            return
        if claim != self.claim:
            return
        around = Surroundings(
            self.role,
            self.settings,
            self.watchdog,
            self.hand_over,
            self._save,
            self._applied,
            self.space.set,
            self.fail,
        )
        for number in partitions:
            states[number].owned = len(partitions)
            self.role.recovered(states[number])
            self.partitions[number] = Partition(around, states[number], self.role.topics)
        self.prepared = True
        self._sought = not partitions
        took = time.monotonic() - started
        self._recovered(took)
        log.info("partitions %s are ours, recovered in %.2f s", list(partitions), took)

    def _load(self, claim: int, partitions: Sequence[int]) -> dict[int, State]:
        def progress() -> None:
            if claim != self.claim:
                raise Void
            self.watchdog.progress("the recovery")
            self.watchdog.progress(TAKING)

        with self._loading:  # one that became void may still be at it
            progress()
            return self.store.prepare(partitions, progress)

    def sought(self, claim: int) -> None:
        """The consumer stands at `positions`, asked for under `claim`."""
        self._sought = self._sought or claim == self.claim

    def open(self) -> None:
        """Fetch and apply from now on; not when the partitions went meanwhile."""
        if self.prepared and self._sought:
            for partition in self.partitions.values():
                partition.start()
            self.opened.set()
            self.watchdog.end(TAKING)

    # -- letting go: on revocation and at the end

    async def let_go(self) -> None:
        """Close, drop what is queued, finish what is in flight, forget all. In time, or the process ends."""
        self.claim += 1
        self.opened.clear()
        self.prepared = self._sought = False
        going = dict(self.partitions)
        try:
            async with asyncio.timeout(self.settings.let_go_timeout):
                await asyncio.gather(*(partition.let_go() for partition in going.values()))
        except TimeoutError as error:
            end_process("what was in flight did not finish before the partitions had to go", error)
        for number in going:
            self.partitions.pop(number, None)
        if going:
            log.info("let go of partitions %s", list(going))

    async def stop(self) -> None:
        """Let go for good: a rebalance that comes while Faust stops brings nothing back."""
        self._stopping = True
        self.revoked()
        await self.let_go()

    def fail(self, why: str, error: BaseException) -> NoReturn:
        """End the process; with a status of its own when another process has taken our place in the group."""
        end_process(why, error, FENCED if self.is_taken_over() else CRASHED)

    def is_taken_over(self) -> bool:
        """Whether another process uses our static member id. Blocking."""
        return bool(self.settings.instance_id) and is_taken_over(self.settings, self.member())

    # -- fetching

    def inputs(self, assigned: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those of `assigned` that are ours to fetch."""
        return [
            (topic, number) for topic, number in assigned if topic in self._names and number in self.partitions
        ]

    def contract_name(self, topic: str) -> str:
        """Without the prefix."""
        return self._names[topic]

    def has_room(self, topic: str, number: int) -> bool:
        return self.partitions[number].queue.has_room(self._names[topic])

    def put(self, topic: str, number: int, records: Sequence[Record]) -> None:
        self.partitions[number].put(self._names[topic], records)

    def positions(self) -> Mapping[tuple[str, int], int]:
        """What is durable, so where to start: (full topic name, partition) -> the next offset to apply."""
        return {
            (self.settings.topic_prefix + topic, number): offset
            for number, partition in self.partitions.items()
            for topic, offset in partition.durable.items()
        }

    # -- committing

    async def _save(self, state: State, effects: Effects) -> None:
        what = f"the batch of partition {state.partition}"
        progress = functools.partial(self.watchdog.progress, what)
        await self._in_thread(self.store.save, state, effects, progress)

    async def _in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
