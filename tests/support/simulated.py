"""The simulated providers in a loop of their own, for tests that have none."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from streams.simulator import Simulator, World

T = TypeVar("T")


class Run(Protocol):
    def __call__(self, work: Coroutine[Any, Any, T], /) -> T: ...


@contextmanager
def looping(name: str) -> Iterator[Run]:
    """A loop in a thread, and a way to have something done there and wait for it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, T], /) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        yield run
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


@contextmanager
def simulated(world: World | None = None) -> Iterator[Simulator]:
    """Open while the context is. What it knows may be read from here; rules may be added."""
    with looping("simulator") as run:
        simulator = Simulator(world)
        run(simulator.__aenter__())
        try:
            yield simulator
        finally:
            run(simulator.__aexit__())
