"""How long a batch may take to become durable."""

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from streams.batch import Effects
from streams.lane.group import Member
from streams.lane.lane import Lane
from streams.lane.settings import LaneSettings
from streams.state import State
from tests.support.lane_records import Noting


class HangingStore:
    """Comes back from saving when it is told to."""

    commits_offsets = True

    def __init__(self, save_seconds: float | None) -> None:
        self.save_seconds = save_seconds
        self.may_end = threading.Event()

    def save(self, *_: Any) -> None:
        self.may_end.wait(30)


def create_lane(tmp_path: Path, store: HangingStore) -> Lane:
    settings = LaneSettings(brokers="", group="group", data_dir=tmp_path, partitions=1)
    lane = Lane(Noting(), settings, cast(Any, store), lambda *_: None, lambda _: None)
    lane.member = lambda: Member(1, "member")
    return lane


async def test_a_commit_that_does_not_come_back_is_an_error(tmp_path: Path) -> None:
    """The client library may ignore its own time-out: the lane does not wait for it."""
    store = HangingStore(save_seconds=0.05)
    try:
        with pytest.raises(TimeoutError):
            await create_lane(tmp_path, store)._save(State(0, Noting.tables), Effects())
    finally:
        store.may_end.set()


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """Where saving has no limit it may take what it takes: the watchdog looks after it."""
    store = HangingStore(save_seconds=None)
    threading.Timer(0.3, store.may_end.set).start()
    await create_lane(tmp_path, store)._save(State(0, Noting.tables), Effects())
    assert store.may_end.is_set()
