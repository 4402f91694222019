"""Ends a process that has stopped moving.

Heartbeats to the broker have a thread of their own, so a worker that hangs would keep its partitions for ever.
A thread looks at what is under way, and at the event loop itself; what made no progress in time ends the process.
"""

import asyncio
import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from streams.lane.crash import end_process


class Watchdog:
    def __init__(self, patience: float) -> None:
        """`patience`: seconds without progress."""
        self._patience = patience
        self._under_way: dict[str, float] = {}

    @contextmanager
    def watching(self, what: str) -> Iterator[None]:
        """`what` is under way: it must end, or make progress, in time."""
        self.begin(what)
        try:
            yield
        finally:
            self.end(what)

    def begin(self, what: str) -> None:
        self._under_way[what] = time.monotonic()

    def end(self, what: str) -> None:
        self._under_way.pop(what, None)

    def is_watching(self, what: str) -> bool:
        return what in self._under_way

    def progress(self, what: str) -> None:
        if what in self._under_way:
            self._under_way[what] = time.monotonic()

    async def run(self) -> None:
        """Watch for good. Until this is cancelled the event loop must come round here in time too."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        with self.watching("the event loop"):
            while True:
                self.progress("the event loop")
                await asyncio.sleep(self._patience / 10)

    def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            time.sleep(self._patience / 10)
            now, before = time.monotonic(), looked
            looked = now
            for what, since in list(self._under_way.items()):
                if now - before > self._patience / 2:
                    self.progress(what)  # this process was stopped: nobody had a chance to move
                elif now - since > self._patience:
                    faulthandler.dump_traceback(all_threads=True)
                    end_process(f"{what} has made no progress for {now - since:.0f} s")
