"""Says what is being measured, and how far it has come."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


class Narrator:
    def __init__(self, steps: int) -> None:
        """`steps`: how many there will be."""
        self._console = Console(highlight=False)
        self._steps = steps
        self._done = 0
        self._began = time.monotonic()

    def title(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/bold]")

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """What is said in the block is said of this step, when it is done."""
        said: list[str] = []
        where = f"{self._done + 1}/{self._steps}"
        with self._console.status(f"{where} {what}"):
            yield said.append
        self._done += 1
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._console.print(f"[dim]{minutes:3}:{seconds:02} {where:>6}[/dim]  {what}: {'; '.join(said)}")
