"""A database server as a child process: stopped and started by tests, and gone when they are, however they end."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.waiting import wait_until

# The shell holds the reading end of a pipe; when this process is gone, SIGKILL included, it ends the server and
# removes its folder. $1: the folder, $2: the signal.
_ENDS_WITH_PARENT = """
exec 3<&0
folder=$1; signal=$2; shift 2
"$@" </dev/null 3<&- >>"$folder/log" 2>&1 &
server=$!
echo $server
{ read -r _ <&3; touch "$folder/orphaned"; kill -$signal $server; } >&2 &
watch=$!
wait $server
kill $watch
[ ! -e "$folder/orphaned" ] || rm -rf "$folder"
"""


class Server:
    """A server on a folder of its own, on a free port of the loopback."""

    def __init__(self, name: str, *, stop_signal: signal.Signals, user: str | None = None) -> None:
        """Root runs the server as `user`, if given."""
        self.folder = Path(tempfile.mkdtemp(prefix=f"staffetta-{name}-"))
        self.port = _free_port()
        self._stop_signal = stop_signal
        self._account = pwd.getpwnam(user) if user and os.getuid() == 0 else None
        self.hand_over(self.folder)
        self._shell: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def hand_over(self, *paths: Path) -> None:
        """Make them the server's user's own, so that it can also remove them."""
        if self._account is not None:
            for path in paths:
                os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)

    def run(self, command: Sequence[str | Path]) -> None:
        """A preparation, as the server's user."""
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **self._as_user())
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def launch(self, command: Sequence[str | Path], is_ready: Callable[[], bool]) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _ENDS_WITH_PARENT, "sh", self.folder, self._stop_signal.name[3:], *command],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as_user(),
        )
        assert self._shell.stdout is not None
        self._pid = int(self._shell.stdout.readline())
        wait_until(lambda: is_ready() or self._has_ended(), f"a server on port {self.port}")
        assert not self._has_ended(), (self.folder / "log").read_text()

    def stop(self) -> None:
        """End the process and wait until it is gone. Its data stay."""
        if self._shell is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, self._stop_signal)
        self._shell.wait(30)
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                pipe.close()
        self._shell = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _has_ended(self) -> bool:
        return self._shell is None or self._shell.poll() is not None

    def _as_user(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": ()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
