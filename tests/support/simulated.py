"""The simulated providers in a loop of their own, for tests that have none."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from streams.simulator import Simulator, World


@contextmanager
def simulated(world: World | None = None) -> Iterator[Simulator]:
    """Open while the context is. What it knows may be read from here; rules may be added."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    simulator = Simulator(world)
    asyncio.run_coroutine_threadsafe(simulator.__aenter__(), loop).result(30)
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.__aexit__(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
