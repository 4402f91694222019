"""Rows that stay in memory while their partition comes and goes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streams.lane import store
from streams.lane.settings import LaneSettings
from streams.topics.specs import changelog


class Clocks:
    """A machine's clocks; `asleep`: for how long it was suspended."""

    CLOCK_MONOTONIC, CLOCK_BOOTTIME = 1, 7

    def __init__(self) -> None:
        self.awake, self.asleep = 1000.0, 0.0

    def monotonic(self) -> float:
        return self.awake

    def clock_gettime(self, clock: int) -> float:
        return self.awake + (self.asleep if clock == self.CLOCK_BOOTTIME else 0.0)


@pytest.mark.parametrize(("awake", "asleep", "start"), [(60, 60, 42), (2 * store.REMEMBERED, 0, 0), (0, 1e6, 0)])
def test_rows_are_loaded_anew_after_a_long_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, awake: float, asleep: float, start: int
) -> None:
    """A process that was out of touch for long, be it that the machine was suspended, reads all of the changelog
    again; else only what is new."""
    clocks, started = Clocks(), []

    def load(settings: LaneSettings, changelog: str, loaded: Mapping[int, int], *_: Any) -> dict[int, int]:
        started.append(loaded[0])
        return {0: 42}

    monkeypatch.setattr(store, "time", clocks)
    monkeypatch.setattr(store, "load", load)
    monkeypatch.setattr(store, "check", lambda *_: None)
    monkeypatch.setattr(store.KafkaStore, "_fence", lambda *_: {})
    settings = LaneSettings(brokers="", group="group", data_dir=tmp_path, partitions=1)
    rows = store.KafkaStore(settings, (), [])
    rows.prepare([0], lambda: None)
    clocks.awake += awake
    clocks.asleep += asleep
    rows.prepare([0], lambda: None)
    assert started == [0, start]


def test_tombstones_are_kept_for_longer_than_rows_are_remembered() -> None:
    """Whoever goes on from the rows in memory still finds which were deleted meanwhile."""
    assert int(changelog("assign").config["delete.retention.ms"]) >= 10 * 1000 * store.REMEMBERED
