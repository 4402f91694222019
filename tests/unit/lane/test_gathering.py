"""What jobs say is gathered into few transactions, and nobody waits for a slow one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

from streams.batch import Batch, Effects, Fetched, Record, Runs
from streams.lane.partition import Partition, Surroundings
from streams.lane.records import FetchedRecord
from streams.lane.settings import LaneSettings
from streams.lane.watchdog import Watchdog
from streams.state import State

TOPIC = "mails"


class Sender:
    """A role with one job for each record; `do` says what becomes of it."""

    name = "sender"
    topics = (TOPIC,)
    tables = ()

    def __init__(self, do: Callable[[int], Awaitable[None]]) -> None:
        self.answered: list[list[int]] = []
        """The jobs whose answers came together, batch by batch."""
        self.heard = asyncio.Event()
        self._do = do

    def step(self, batch: Batch, state: State) -> Effects:
        if batch.completions:
            self.answered.append(list(batch.completions))
            self.heard.set()
        return Effects(jobs=[record.offset for _, record in batch])

    def recovered(self, state: State) -> None:
        pass

    def next_wakeup(self, state: State) -> float | None:
        return None

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return fetched.take(limit)

    async def perform(self, job: int) -> int:
        await self._do(job)
        return job

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        raise AssertionError(detail)


def partition(role: Sender, folder: Path, gather_answers: float) -> Partition:
    settings = LaneSettings(
        brokers="", group="group", partitions=1, data_dir=folder, gather=0, gather_answers=gather_answers
    )

    async def hand_over(batch: Batch, step: Callable[[Batch], Effects]) -> Effects:
        return step(batch)

    async def save(state: State, effects: Effects) -> None:
        await asyncio.sleep(0)

    def fail(why: str, error: BaseException) -> NoReturn:
        raise AssertionError(why) from error

    nothing: Any = lambda *_: None  # noqa: E731
    around = Surroundings(role, settings, Watchdog(60), hand_over, save, nothing, nothing, fail)
    return Partition(around, State(0, ()), role.topics)


def records(number: int) -> list[Record]:
    return [FetchedRecord(TOPIC, 0, offset, 0, b"co-1", b"", ()) for offset in range(number)]


async def test_answers_come_together(tmp_path: Path) -> None:
    """Ten jobs that answer one after the other, but soon: one batch."""

    async def soon(job: int) -> None:
        for _ in range(5 * job):
            await asyncio.sleep(0)

    role = Sender(soon)
    lone = partition(role, tmp_path, gather_answers=30)
    lone.put(TOPIC, records(10))
    lone.start()
    async with asyncio.timeout(20):
        await role.heard.wait()
    await lone.let_go()
    assert [sorted(each) for each in role.answered] == [list(range(10))]


async def test_nobody_waits_for_a_slow_one(tmp_path: Path) -> None:
    """While one job takes long, the others' answers are applied."""
    told = asyncio.Event()

    async def slow(job: int) -> None:
        if job == 0:
            await told.wait()

    role = Sender(slow)
    lone = partition(role, tmp_path, gather_answers=0.005)
    lone.put(TOPIC, records(3))
    lone.start()
    async with asyncio.timeout(20):
        await role.heard.wait()
    assert [sorted(each) for each in role.answered] == [[1, 2]]
    told.set()
    await lone.let_go()
    assert role.answered[-1] == [0]


async def test_nobody_waits_for_what_was_begun_at_another_time(tmp_path: Path) -> None:
    """An answer is applied at once while jobs of an earlier batch take their time."""
    began, told = asyncio.Event(), asyncio.Event()

    async def slow(job: int) -> None:
        if job < 2:
            began.set()
            await told.wait()

    role = Sender(slow)
    lone = partition(role, tmp_path, gather_answers=30)
    lone.put(TOPIC, records(3)[:2])
    lone.start()
    await began.wait()
    lone.put(TOPIC, records(3)[2:])
    async with asyncio.timeout(20):
        await role.heard.wait()
    assert role.answered == [[2]]
    told.set()
    await lone.let_go()
    assert sorted(role.answered[-1]) == [0, 1]


async def test_the_last_answer_may_change_nothing(tmp_path: Path) -> None:
    """A partition that is let go of while a job is under way ends with its answer, also if nothing comes of it."""
    began, told = asyncio.Event(), asyncio.Event()

    async def slow(job: int) -> None:
        began.set()
        await told.wait()

    role = Sender(slow)
    lone = partition(role, tmp_path, gather_answers=0)
    lone.put(TOPIC, records(1))
    lone.start()
    await began.wait()
    leaving = asyncio.create_task(lone.let_go())
    for _ in range(20):  # until it has nothing left but to wait for the job
        await asyncio.sleep(0)
    told.set()
    async with asyncio.timeout(20):
        await leaving
    assert role.answered == [[0]]
