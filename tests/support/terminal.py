"""A person at a terminal: what a program writes there can be read, and answered."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO

from tests.support.waiting import wait_until


def _at_the_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a script's background job, such as this run may be, ignores it


class Terminal:
    """`staffetta` as a child on a pseudo-terminal that is its own: keys that end programs end it alone. `output`
    is where its stdout goes, if not there."""

    def __init__(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], output: IO[bytes] | None = None
    ) -> None:
        self._ours, theirs = pty.openpty()
        self._shown = ""
        try:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", *arguments],
                env=dict(environment),
                stdin=theirs,
                stdout=theirs if output is None else output,
                stderr=theirs,
                start_new_session=True,
                preexec_fn=_at_the_terminal,
            )
        finally:
            os.close(theirs)

    def waits_for(self, text: str) -> None:
        """Until that is on the screen."""
        wait_until(lambda: text in self._read(), f"{text!r} on the terminal", 60)

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def ended(self) -> tuple[int, str]:
        """The exit status, and all that was on the screen, once it has ended by itself."""
        wait_until(self._has_ended, "the end of the program", 60)
        return self._program.wait(), self._read()

    def close(self) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._ours)

    def _has_ended(self) -> bool:
        self._read()  # who writes much is not to wait for a reader
        return self._program.poll() is not None

    def _read(self) -> str:
        while select.select([self._ours], [], [], 0)[0]:
            try:
                self._shown += os.read(self._ours, 65_536).decode()
            except OSError:  # nobody has the other end open any more
                break
        return self._shown


@contextmanager
def terminal(
    *arguments: str, environment: Mapping[str, str], output: IO[bytes] | None = None
) -> Iterator[Terminal]:
    opened = Terminal(arguments, environment, output)
    try:
        yield opened
    finally:
        opened.close()
