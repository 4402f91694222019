"""`staffetta worker` as a supervisor: real processes, signals and HTTP, with roles that do nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.waiting import wait_until


class Worker:
    """A supervisor over dummy roles; `told` is what each role is to do, by name."""

    def __init__(self, folder: Path, told: dict[str, str], environment: dict[str, str]) -> None:
        self.folder = folder
        self.errors = folder / "stderr"
        for role, what in told.items():
            self.tell(role, what)
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.dummy_worker", str(folder), *told],
                stderr=errors,
                env={**os.environ, "STAFFETTA_WEB_PORT": "0", **environment},
            )

    def tell(self, role: str, what: str) -> None:
        (self.folder / role).write_text(what)

    def pids(self, role: str) -> list[int]:
        with suppress(FileNotFoundError):
            return [int(line) for line in (self.folder / f"{role}.pids").read_text().split()]
        return []

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Log lines of that event, complete ones only."""
        lines = [line for line in self.errors.read_text().splitlines(keepends=True) if line.endswith("}\n")]
        return [entry for line in lines if (entry := json.loads(line))["event"] == event]

    @property
    def url(self) -> str:
        url: str = wait_until(lambda: self.logged("worker started"), "the start")[0]["url"]
        return url

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def readiness(self) -> tuple[int, Any]:
        status, body = self.get("/readyz")
        return status, json.loads(body)

    def wait_ready(self) -> None:
        wait_until(lambda: self.readiness()[0] == 200, "readiness")

    def exit_code(self) -> int:
        return self.process.wait(30)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def start(environment: dict[str, str] | None = None, **told: str) -> Worker:
        workers.append(Worker(tmp_path, told, environment or {}))
        return workers[-1]

    yield start
    for each in workers:
        with suppress(ProcessLookupError):
            each.process.kill()
        each.process.wait(10)


def gone(pid: int) -> bool:
    """Ended, or at least a zombie that waits for whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_ready_when_every_role_is(worker: Callable[..., Worker]) -> None:
    """`/readyz` is 503 while a role recovers and 200 once all are ready, and names each role's state."""
    running = worker(assign="run", notify="recover")
    wait_until(lambda: running.readiness()[1]["roles"]["notify"]["state"] == "recovering", "recovery")
    wait_until(lambda: running.readiness()[1]["roles"]["assign"]["ready"], "assign to be ready")
    status, body = running.readiness()
    assert status == 503
    assert body["ready"] is False
    running.tell("notify", "run")
    os.kill(running.pids("notify")[-1], signal.SIGKILL)
    running.wait_ready()
    assert running.readiness()[1] == {
        "ready": True,
        "roles": {
            "assign": {"ready": True, "state": "running", "restarts": 0, "pid": running.pids("assign")[-1]},
            "notify": {"ready": True, "state": "running", "restarts": 1, "pid": running.pids("notify")[-1]},
        },
    }
    assert running.get("/livez")[0] == 200


def test_metrics_of_all_roles_on_one_port(worker: Callable[..., Worker]) -> None:
    """`/metrics` has every role's samples with its name as a label, and goes on when one of them is down."""
    running = worker(assign="run", notify="run")
    running.wait_ready()

    def samples(name: str) -> dict[str, float]:
        families = text_string_to_metric_families(running.get("/metrics")[1])
        return {s.labels["role"]: s.value for family in families for s in family.samples if s.name == name}

    assert samples("staffetta_intake_total") == {"assign": 3.0, "notify": 3.0}
    assert samples("staffetta_role_up") == {"assign": 1.0, "notify": 1.0}
    running.tell("notify", "exit 70")
    os.kill(running.pids("notify")[-1], signal.SIGKILL)
    wait_until(lambda: samples("staffetta_role_up") == {"assign": 1.0, "notify": 0.0}, "notify to be down")
    assert samples("staffetta_intake_total") == {"assign": 3.0}
    wait_until(lambda: samples("staffetta_role_restarts_total")["notify"] >= 2, "restarts to be counted")


def test_a_role_that_hangs_is_not_ready(worker: Callable[..., Worker]) -> None:
    """A role that is stopped makes the worker not ready, and the other roles go on answering."""
    running = worker(assign="run", notify="run")
    running.wait_ready()
    os.kill(running.pids("notify")[0], signal.SIGSTOP)
    status, body = running.readiness()
    assert status == 503
    assert body["roles"]["notify"]["state"] == "not answering"
    assert body["roles"]["assign"]["ready"] is True


def test_restart_with_growing_delays(worker: Callable[..., Worker]) -> None:
    """A role that crashes again and again is started again after delays that double."""
    running = worker(assign="exit 70")
    ended = wait_until(lambda: running.logged("role ended")[4:], "five crashes") and running.logged("role ended")
    delays = [entry["restart_seconds"] for entry in ended[:5]]
    assert delays == [0.05, 0.1, 0.2, 0.4, 0.8]
    assert {entry["how"] for entry in ended} == {"exit status 70"}


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_children_end_with_a_killed_supervisor(worker: Callable[..., Worker], stopped: bool) -> None:
    """When the supervisor is killed with SIGKILL its children end, even one that is stopped."""
    running = worker(assign="run", notify="stubborn")
    running.wait_ready()
    children = running.pids("assign") + running.pids("notify")
    if stopped:
        os.kill(children[0], signal.SIGSTOP)
    running.process.kill()
    running.process.wait(10)
    wait_until(lambda: all(map(gone, children)), "the children's end")


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_orderly_end(worker: Callable[..., Worker], which: signal.Signals) -> None:
    """SIGTERM and Ctrl-C let every role finish and leave; the exit status is 0."""
    running = worker(assign="run", notify="run")
    running.wait_ready()
    running.process.send_signal(which)
    assert running.exit_code() == 0
    assert all((running.folder / f"{role}.left").exists() for role in ("assign", "notify"))


def test_a_role_that_does_not_leave_is_killed(worker: Callable[..., Worker]) -> None:
    """A role that ignores the request to leave is killed after the time it was given."""
    running = worker(assign="stubborn")
    running.wait_ready()
    running.process.terminate()
    assert running.exit_code() == 0
    assert running.logged("role did not leave in time and is killed")[0]["killed"] == "assign"


def test_second_interrupt_kills(worker: Callable[..., Worker]) -> None:
    """A second Ctrl-C does not wait for anybody."""
    running = worker(assign="stubborn")
    running.wait_ready()
    for _ in range(2):
        running.process.send_signal(signal.SIGINT)
        wait_until(lambda: running.logged("worker stops; a second signal kills"), "the first signal to be taken")
    assert running.exit_code() == 0
    assert not running.logged("role did not leave in time and is killed")


@pytest.mark.parametrize(("status", "name"), [(1, "failed"), (2, "usage")])
def test_a_mistake_is_said_once_and_ends_the_worker(worker: Callable[..., Worker], status: int, name: str) -> None:
    """What a person must mend ends the whole worker with that exit status, in one line, without a restart."""
    running = worker(assign=f"fail {status} the schema is missing: {name}", record="run")
    assert running.exit_code() == status
    assert running.errors.read_text().count(f"the schema is missing: {name}\n") == 1
    assert len(running.pids("assign")) == 1
    wait_until(lambda: all(map(gone, running.pids("record"))), "the other role's end")


def test_a_mistake_found_by_all_roles_is_said_once(worker: Callable[..., Worker]) -> None:
    """A mistake that every role runs into is shown once, not once a role."""
    mistake = "booking.callbacks has 3 partitions, not 12"
    running = worker(**dict.fromkeys(("assign", "notify", "deliver", "record"), f"fail 1 {mistake}"))
    assert running.exit_code() == 1
    assert running.errors.read_text().count(mistake) == 1


def test_only_an_explained_mistake_ends_the_worker(worker: Callable[..., Worker]) -> None:
    """An exit status of 1 or 2 without an explanation is a crash like any other: the role is started again."""
    running = worker(assign="exit 1")
    wait_until(lambda: len(running.pids("assign")) >= 2, "a restart")
    assert running.process.poll() is None


def test_a_fenced_duplicate_is_not_restarted(worker: Callable[..., Worker]) -> None:
    """A worker whose static member id was taken over ends as with any wrong setting, in one line that names it; a
    restart would take it back, in turns for ever."""
    running = worker(assign="exit 75", notify="run")
    assert running.exit_code() == 2
    assert running.errors.read_text().count("STAFFETTA_INSTANCE_ID and has taken over") == 1
    assert len(running.pids("assign")) == 1


def test_port_in_use(worker: Callable[..., Worker]) -> None:
    """A port that is taken ends the start with one line that names the variable, and no child was started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = worker({"STAFFETTA_WEB_PORT": str(port)}, assign="run")
        assert running.exit_code() == 1
    said = running.errors.read_text()
    assert said.count("\n") == 1
    assert said.startswith(f"STAFFETTA_WEB_PORT={port} on 127.0.0.1 cannot be used: address already in use")
    assert running.pids("assign") == []


def test_all_processes_share_one_clock(worker: Callable[..., Worker]) -> None:
    """A compressed clock's start is fixed once and passed on, so that a restarted role agrees with the others."""
    running = worker({"STAFFETTA_CLOCK_SPEED": "600"}, assign="run")
    running.wait_ready()
    started = running.logged("worker started")[0]
    environment = Path(f"/proc/{running.pids('assign')[0]}/environ").read_bytes().split(b"\0")
    for name in ("STAFFETTA_CLOCK_ORIGIN", "STAFFETTA_CLOCK_STARTED_AT"):
        assert f"{name}={started[name]}".encode() in environment
