"""The simulated providers in a process of their own, and how many messages they have taken, as of `bench.sink`."""

import asyncio
import mmap
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import uvloop

from bench.sink import SIZE
from streams.simulator import Accepted, Call, Simulator, World


class Providers:
    """They listen once this is made. `settings` lead a worker there; `push_port` is where browsers subscribe."""

    def __init__(self, folder: Path) -> None:
        counter = folder / "providers.count"
        counter.write_bytes(bytes(SIZE))
        with counter.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), SIZE, access=mmap.ACCESS_READ)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.providers", str(counter)], stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.settings: Mapping[str, str]
        self.push_port: int
        self.settings, self.push_port = orjson.loads(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def taken(self) -> int:
        count: int = struct.unpack_from("Q", self._map)[0]
        return count


@contextmanager
def providers(folder: Path) -> Iterator[Providers]:
    made = Providers(folder)
    try:
        yield made
    finally:
        made.kill()


class _Counting(World):
    counter: mmap.mmap

    def accept(self, call: Call, message_id: Callable[[int], str]) -> Accepted:
        struct.pack_into("Q", self.counter, 0, struct.unpack_from("Q", self.counter)[0] + 1)
        return super().accept(call, message_id)


async def _serve(counter: Path) -> None:
    with counter.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as mapped:
        world = _Counting()
        world.counter = mapped
        async with Simulator(world) as simulator:
            told = simulator.settings(), simulator.doors["webpush"].port
            print(orjson.dumps(told).decode(), flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_serve(Path(sys.argv[1])))
