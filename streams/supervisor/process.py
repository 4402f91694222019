"""One role: its process, started again whenever it ends by itself."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog

from streams import metrics
from streams.errors import UserError
from streams.supervisor import link
from streams.supervisor.backoff import Backoff
from streams.supervisor.exits import Exit, describe

log = structlog.get_logger(__name__)

_DUPLICATE = (
    "another worker has the same STAFFETTA_INSTANCE_ID and has taken over: each needs one of its own. "
    "Example: STAFFETTA_INSTANCE_ID=worker-2"
)
_LAST_WORDS_SECONDS = 1.0
"""For what an ended child wrote before, unless somebody else holds its end of the link open."""


class RoleProcess:
    """Keeps `command` running until it ends for good or `stop` is called.

    `port` is where the running child answers, or None.
    """

    def __init__(
        self, role: str, command: Sequence[str], environment: Mapping[str, str], backoff: Backoff
    ) -> None:
        self.role = role
        self.port: int | None = None
        self._failure: str | None = None
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._backoff = backoff
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    @property
    def state(self) -> str:
        """For people, while no child answers."""
        running = self._process is not None and self._process.returncode is None
        return "starting" if running else "waiting to be restarted"

    async def run(self) -> None:
        """Return after `stop`.

        Raises UserError with what the role said that a person must mend, or if it was fenced.
        """
        while True:
            started = time.monotonic()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            if self._failure is not None:
                raise UserError(self._failure, status)
            if status == Exit.FENCED:
                raise UserError(_DUPLICATE, exit_code=2)
            delay = self._backoff.after(time.monotonic() - started)
            log.warning("role ended", ended=self.role, how=describe(status), restart_seconds=delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                return
            self.restarts += 1
            metrics.ROLE_RESTARTS.labels(self.role).inc()

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    def stop(self) -> None:
        """Ask the child to finish what it is at and leave."""
        self._stopping.set()
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, which: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(which)

    async def _run_once(self) -> int:
        ours, theirs = socket.socketpair()
        with theirs:
            # A process group of its own, so that Ctrl-C reaches the supervisor alone and children end in order.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **self._environment, link.VARIABLE: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        if self._stopping.is_set():
            self._process.terminate()
        reader, writer = await asyncio.open_connection(sock=ours)
        listening = asyncio.create_task(self._listen(reader))
        try:
            status = await self._process.wait()
            self.port = None
            await asyncio.wait([listening], timeout=_LAST_WORDS_SECONDS)
        finally:
            listening.cancel()
            writer.close()
        return status

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = link.Message.parse(line)
            self.port = message.port or self.port
            self._failure = message.failed or self._failure
