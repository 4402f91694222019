"""The demo's workers: real `staffetta worker` processes, whose roles can be killed and paused on purpose."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from streams.errors import UserError
from streams.supervisor.child import die_with_parent


class Worker:
    """One `staffetta worker` with all roles, by the settings in this process's environment; its log in a file."""

    def __init__(self, number: int, port: int, folder: Path) -> None:
        self.number = number
        self.log = folder / f"worker-{number}.log"
        self.url = f"http://127.0.0.1:{port}"
        own = {"STAFFETTA_WEB_PORT": str(port), "STAFFETTA_DATA_DIR": str(folder / f"worker-{number}")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker"],
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )

    def is_ready(self) -> bool:
        """Raises UserError, with the end of the log, when the worker has ended."""
        if self._process.poll() is not None:
            raise UserError(f"worker {self.number} ended with status {self._process.returncode}:\n{self.tail()}")
        return bool(self._ask().get("ready"))

    def tail(self) -> str:
        """What it said last."""
        return self.log.read_text(errors="replace")[-1500:]

    def kill(self, role: str) -> None:
        os.kill(self._pid(role), signal.SIGKILL)

    def pause(self, role: str) -> int:
        """Returns the process id, for `resume`."""
        process = self._pid(role)
        os.kill(process, signal.SIGSTOP)
        return process

    @staticmethod
    def resume(process: int) -> None:
        """The process may have been given up and ended by its supervisor meanwhile."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _pid(self, role: str) -> int:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            process = self._ask().get("roles", {}).get(role, {}).get("pid")
            if process:
                return int(process)
            time.sleep(0.1)
        raise UserError(f"worker {self.number} has no process for {role}; see {self.log}")

    def _ask(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=3) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {}
