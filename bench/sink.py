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
from typing import cast

import uvloop

SIZE = mmap.PAGESIZE
SLOW_DOMAIN = "slow.example"
SLOW_SECONDS = 0.5
"""How long the answer to a mail for that domain takes."""
NAMED_DOMAIN = "named.example"
"""Mails for it are written down one by one: when, and for whom."""
_GREETING = b"220 sink ESMTP\r\n"
_EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_OK = b"250 OK\r\n"


class Sink:
    """The server seen from outside. `folder` is for its counter and its log."""

    def __init__(self, folder: Path, answer_seconds: float = 0.0) -> None:
        """`answer_seconds`: how long the answer to a mail takes."""
        self._answer_seconds = answer_seconds
        self._counter, self._log = folder / "sink.count", folder / "sink.log"
        self._counter.write_bytes(bytes(SIZE))
        self._log.touch()
        with self._counter.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Listens when this returns; on the same port as before."""
        given = self._counter, self._log, self.port, self._answer_seconds
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
def sink(folder: Path, answer_seconds: float = 0.0) -> Iterator[Sink]:
    made = Sink(folder, answer_seconds)
    made.start()
    try:
        yield made
    finally:
        made.kill()


class _Session(asyncio.Protocol):
    def __init__(self, counter: mmap.mmap, log: Path, answer_seconds: float) -> None:
        self._counter, self._log, self._answer_seconds = counter, log, answer_seconds
        self._rest = b""
        self._in_mail = False
        self._recipient = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_GREETING)

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
        seconds = SLOW_SECONDS if self._recipient.endswith(SLOW_DOMAIN.encode()) else self._answer_seconds
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
        self._transport.write(_OK)

    def _count(self) -> None:
        struct.pack_into("Q", self._counter, 0, struct.unpack_from("Q", self._counter)[0] + 1)


async def _serve(counter: Path, log: Path, port: int, answer_seconds: float) -> None:
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as mapped:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Session(mapped, log, answer_seconds), "127.0.0.1", port, backlog=1000
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
