"""The demo's workers are ready before its day begins."""

import os
import subprocess
import sys
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


def test_its_environment_for_a_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The commands that the demo names work where `staffetta` is not on the path."""
    monkeypatch.setattr(os, "environ", {"PATH": "/usr/bin:/bin"})
    stage._export({"STAFFETTA_TOPIC_PREFIX": "a b"}, tmp_path)
    line = f'. {tmp_path / stage.EXPORTS} && command -v staffetta && echo "$STAFFETTA_TOPIC_PREFIX"'
    done = subprocess.run(["sh", "-c", line], env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(Path(sys.executable).parent / "staffetta"), "a b"]


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
        exports = (tmp_path / stage.EXPORTS).read_text().splitlines()
        assert f"export {STARTED_AT}={begins().isoformat()}" in exports
    assert all(worker.has_stopped for worker in Worker.made)
