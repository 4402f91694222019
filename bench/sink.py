"""A mail server that takes everything and keeps nothing but counts, in a process of its own.

As little SMTP as a client needs, so that what is measured is the client. How many mails it has taken lies in a
file that is mapped by both sides: asking costs the server nothing.
"""

import asyncio
import mmap
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import uvloop

SIZE = mmap.PAGESIZE
SLOW_DOMAIN = "slow.example"
SLOW_SECONDS = 0.5
"""How long the answer to a mail for that domain takes."""
NAMED_DOMAIN = "named.example"
"""Mails for it are written down one by one: when, and for whom."""


class Pace(NamedTuple):
    answer_seconds: float
    """How long the answer to a mail takes: a server that writes it to a disk needs some time."""
    distance_seconds: float
    """Round-trip time, which every answer takes."""


AT_ONCE = Pace(0.0, 0.0)
_GREETING = b"220 sink ESMTP\r\n"
_EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_OK = b"250 OK\r\n"


class Sink:
    """The server seen from outside. `folder` is for its counter and its log."""

    def __init__(self, folder: Path, pace: Pace = AT_ONCE) -> None:
        self._pace = pace
        self._counter, self._log = folder / "sink.count", folder / "sink.log"
        self._counter.write_bytes(bytes(SIZE))
        self._log.touch()
        with self._counter.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listens when this returns; on the same port as before."""
        given = self._counter, self._log, self.port, *self._pace
        command = [sys.executable, "-m", "bench.sink", *map(str, given)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def taken(self) -> int:
        """Mails so far, also those of earlier processes."""
        count: int = struct.unpack_from("Q", self._map)[0]
        return count

    def named(self) -> dict[str, list[float]]:
        """Recipient in the named domain -> when mails for it were taken (`time.time()`)."""
        found: dict[str, list[float]] = {}
        for line in self._log.read_text().splitlines():
            at, recipient = line.split()
            found.setdefault(recipient, []).append(float(at))
        return found


@contextmanager
def sink(folder: Path, pace: Pace = AT_ONCE) -> Iterator[Sink]:
    made = Sink(folder, pace)
    made.start()
    try:
        yield made
    finally:
        made.kill()


class _Session(asyncio.Protocol):
    def __init__(self, counter: mmap.mmap, log: Path, pace: Pace) -> None:
        self._counter, self._log, self._pace = counter, log, pace
        self._rest = b""
        self._in_mail = False
        self._recipient = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._answer(_GREETING)

    def data_received(self, data: bytes) -> None:
        data, answers = self._rest + data, b""
        while data:
            if self._in_mail:
                end = data.find(b"\r\n.\r\n")
                if end < 0:
                    break
                data, self._in_mail = data[end + 5 :], False
                answers += self._take()
            else:
                line, found, rest = data.partition(b"\r\n")
                if not found:
                    break
                data = rest
                answers += self._command(line)
        self._rest = data
        if answers:
            self._answer(answers)

    def _answer(self, answers: bytes) -> None:
        if self._pace.distance_seconds:
            asyncio.get_running_loop().call_later(self._pace.distance_seconds, self._transport.write, answers)
        else:
            self._transport.write(answers)

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"DATA":
            self._in_mail = True
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return _EXTENSIONS
        if verb == b"QUIT":
            return b"221 bye\r\n"
        if verb == b"RCPT":
            self._recipient = line[9:-1]
        return _OK

    def _take(self) -> bytes:
        seconds = SLOW_SECONDS if self._recipient.endswith(SLOW_DOMAIN.encode()) else self._pace.answer_seconds
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._taken)
            return b""
        if self._recipient.endswith(NAMED_DOMAIN.encode()):
            with self._log.open("a") as file:
                file.write(f"{time.time()} {self._recipient.decode()}\n")
        self._count()
        return _OK

    def _taken(self) -> None:
        self._count()
        self._answer(_OK)

    def _count(self) -> None:
        struct.pack_into("Q", self._counter, 0, struct.unpack_from("Q", self._counter)[0] + 1)


async def _serve(counter: Path, log: Path, port: int, pace: Pace) -> None:
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as mapped:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(mapped, log, pace), "127.0.0.1", port, backlog=1000)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    pace = Pace(float(sys.argv[4]), float(sys.argv[5]))
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), pace))
