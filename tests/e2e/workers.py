"""`staffetta worker` as its users start it: a supervisor and its roles, each a process that can be hurt."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streams.supervisor.child import die_with_parent
from tests.support.waiting import wait_until

SLOW_SECONDS = 90.0
"""For what takes a second or two on an idle machine."""


class Worker:
    """One worker with all roles, or one of them; its log in a file."""

    def __init__(self, environment: Mapping[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        self._port: int | None = None
        self.has_webhooks = "--role" not in arguments or "deliver" in arguments
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker", *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                preexec_fn=die_with_parent,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def plain_lines(self) -> list[str]:
        """What is in the log and no log line: said to a person."""
        return [line for line in self.log.splitlines() if line and not line.startswith("{")]

    def logged(self, event: str = "", **fields: Any) -> list[dict[str, Any]]:
        """Log lines whose event begins like this, and with these fields; complete ones only."""
        lines = [
            line for line in self.log.splitlines(keepends=True) if line.startswith("{") and line.endswith("}\n")
        ]
        entries = [json.loads(line) for line in lines]
        return [
            entry
            for entry in entries
            if entry["event"].startswith(event) and all(entry.get(key) == value for key, value in fields.items())
        ]

    def wait_for_log(self, event: str, times: int = 1, **fields: Any) -> list[dict[str, Any]]:
        def enough() -> list[dict[str, Any]]:
            found = self.logged(event, **fields)
            return found if len(found) >= times else []

        return self.wait(enough, f"{times} x {event!r} in the log")

    def wait(self, condition: Any, what: str, timeout_seconds: float = SLOW_SECONDS) -> Any:
        """As `wait_until`; what the worker said last is in the failure."""
        try:
            return wait_until(condition, what, timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the log ends:\n{self.log[-3000:]}") from None

    @property
    def url(self) -> str:
        url: str = self.wait_for_log("worker started")[0]["url"]
        return url

    @property
    def port(self) -> int | None:
        """Where it listens; None before it does, and once it has ended."""
        if self.process.poll() is not None:
            return None
        if self._port is None and (started := self.logged("worker started")):
            self._port = urlsplit(started[0]["url"]).port
        return self._port

    def get(self, path: str) -> tuple[int, str]:
        """(status, body); status 0 while nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def roles(self) -> dict[str, dict[str, Any]]:
        """As `/readyz` tells them; empty while nobody answers."""
        body = self.get("/readyz")[1]
        found: dict[str, dict[str, Any]] = json.loads(body)["roles"] if body else {}
        return found

    def is_ready(self) -> bool:
        assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log[-3000:]}"
        return self.get("/readyz")[0] == 200

    def wait_until_ready(self) -> None:
        self.wait(self.is_ready, "readiness")

    def pid(self, role: str) -> int:
        """Of the role's process, awaited while it is being restarted."""
        pid: int = self.wait(lambda: self.roles.get(role, {}).get("pid"), f"a process for {role}")
        return pid

    def kill_role(self, role: str) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may end by itself at this very moment
            os.kill(self.pid(role), signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to the supervisor."""
        self.process.kill()
        self.process.wait()

    def leave(self) -> None:
        """SIGTERM to the supervisor."""
        self.process.terminate()

    def ended(self, timeout_seconds: float = SLOW_SECONDS) -> int:
        """Its exit status, awaited."""
        try:
            return self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running; the log ends:\n{self.log[-3000:]}") from None
