"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, timeout_seconds: float = 30.0) -> T:
    """Poll until `condition` gives something true, and return it; fail naming `what` after the time-out."""
    end = time.monotonic() + timeout_seconds
    while True:
        if result := condition():
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_seconds:.0f} s: {what} (last: {result!r})")
        time.sleep(0.05)
