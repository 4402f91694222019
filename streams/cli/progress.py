"""How far a long job is: a bar for people, a line every few seconds where the output is piped."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SAY_EVERY_SECONDS = 5.0


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yields what to call with the number of steps just done. Everything is written to stderr."""
    if not sys.stderr.isatty():
        yield _plain(what, total)
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _plain(what: str, total: int | None) -> Callable[[int], None]:
    done = 0
    say_at = time.monotonic() + SAY_EVERY_SECONDS

    def advance(count: int) -> None:
        nonlocal done, say_at
        done += count
        if time.monotonic() >= say_at:
            say_at = time.monotonic() + SAY_EVERY_SECONDS
            of_total = "" if total is None else f" of {total}"
            print(f"{what}: {done}{of_total}", file=sys.stderr, flush=True)

    return advance
