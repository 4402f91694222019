"""Partitions that come and go while they are being loaded."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from streams.lane.lane import TAKING, Lane
from streams.lane.settings import LaneSettings
from streams.state import State
from tests.support.lane_records import Noting


class SlowStore:
    """Loads until it is told that it may end, or must."""

    def __init__(self) -> None:
        self.under_way: list[Sequence[int]] = []
        self.most_at_once = 0
        self.began = threading.Event()
        self.may_end = threading.Event()

    def prepare(self, partitions: Sequence[int], progress: Callable[[], None]) -> dict[int, State]:
        self.under_way.append(partitions)
        self.most_at_once = max(self.most_at_once, len(self.under_way))
        self.began.set()
        try:
            while not self.may_end.wait(0.01):
                progress()
            return {number: State(number, Noting.tables) for number in partitions}
        finally:
            self.under_way.pop()


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def lane(tmp_path: Path, store: SlowStore) -> Lane:
    settings = LaneSettings(brokers="", group="group", data_dir=tmp_path, partitions=2)
    lane = Lane(Noting(), settings, cast(Any, store), lambda *_: None, lambda _: None)
    lane.hand_over = cast(Any, None)
    return lane


async def test_what_was_loaded_for_an_assignment_that_is_gone_is_void(lane: Lane, store: SlowStore) -> None:
    """A rebalance during the loading ends it; nothing is taken, and nothing opens on its account."""
    loading = asyncio.create_task(lane.prepare([0, 1]))
    await asyncio.to_thread(store.began.wait, 10)
    await lane.let_go()
    await asyncio.wait_for(loading, 10)
    lane.open()
    assert (lane.partitions, lane.prepared, lane.opened.is_set()) == ({}, False, False)


async def test_one_loading_at_a_time(lane: Lane, store: SlowStore) -> None:
    """The next loading begins when the one before has ended, also when Faust has given that one up."""
    first = asyncio.create_task(lane.prepare([0, 1]))
    await asyncio.to_thread(store.began.wait, 10)
    first.cancel()
    second = asyncio.create_task(lane.prepare([1]))
    store.began.clear()
    await asyncio.to_thread(store.began.wait, 10)
    store.may_end.set()
    await asyncio.wait_for(second, 10)
    assert (list(lane.partitions), store.most_at_once) == ([1], 1)


async def test_it_opens_when_the_consumer_stands_where_it_must(lane: Lane, store: SlowStore) -> None:
    """Nothing is fetched before the rows are loaded and the consumer was sought to where they end; a seek for an
    earlier assignment does not count."""
    store.may_end.set()
    await lane.prepare([0])
    before = lane.claim
    await lane.prepare([0, 1])
    lane.sought(before)
    lane.open()
    assert not lane.opened.is_set()
    lane.sought(lane.claim)
    lane.open()
    assert lane.opened.is_set()
    await lane.let_go()
    assert not lane.opened.is_set()


async def test_a_worker_without_partitions_is_ready(lane: Lane, store: SlowStore) -> None:
    """Who gets no partition has nothing to wait for."""
    store.may_end.set()
    await lane.prepare([])
    lane.open()
    assert lane.opened.is_set()


async def test_a_worker_that_stops_takes_nothing_any_more(lane: Lane, store: SlowStore) -> None:
    """A rebalance that comes while the worker is stopping gives it no partitions."""
    store.may_end.set()
    await lane.prepare([0])
    await lane.stop()
    await lane.prepare([0])
    assert (lane.partitions, lane.prepared) == ({}, False)


async def test_a_takeover_is_watched_until_it_opens(lane: Lane, store: SlowStore) -> None:
    """From the moment that the group gives it partitions a worker must get to open them, or it is ended: one that
    got stuck in between would keep them and do nothing. A loading that is void does not count as arrived."""
    store.may_end.set()
    lane.assigned()
    before = lane.claim
    await lane.prepare([0])
    lane.sought(before)
    lane.open()
    assert lane.watchdog.is_watching(TAKING)
    lane.sought(lane.claim)
    lane.open()
    assert not lane.watchdog.is_watching(TAKING)
