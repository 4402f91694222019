"""The demo's workers are ready before its day begins."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from streams.demo import stage

STARTED_AT = "STAFFETTA_CLOCK_STARTED_AT"


def begins() -> datetime:
    return datetime.fromisoformat(os.environ[STARTED_AT])


class Worker:
    """One that is slow when it is the first time."""

    made: "list[Worker]"

    def __init__(self, number: int, port: int, folder: Path) -> None:
        self.place = number, port
        self.has_stopped = False
        self.is_first = len(self.made) < 2
        self.made.append(self)

    def is_ready(self) -> bool:
        return not self.is_first or datetime.now(UTC) > begins()

    def stop(self) -> None:
        self.has_stopped = True


def test_a_slow_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it took the workers longer than the day waited, they start again with a day that waits longer."""
    monkeypatch.setattr(Worker, "made", [], raising=False)
    monkeypatch.setattr(stage, "Worker", Worker)
    monkeypatch.setattr(stage, "START_SECONDS", 2.0)
    monkeypatch.setenv(STARTED_AT, "")
    with stage._two_workers((1, 2), {}, tmp_path, Console(quiet=True)) as workers:
        assert datetime.now(UTC) < begins()
        assert [worker.has_stopped for worker in Worker.made] == [True, True, False, False]
        assert workers == Worker.made[2:]
        assert [worker.place for worker in workers] == [(1, 1), (2, 2)]
        assert (tmp_path / stage.EXPORTS).read_text() == f"export {STARTED_AT}={begins().isoformat()}\n"
    assert all(worker.has_stopped for worker in Worker.made)
