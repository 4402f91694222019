"""The ladder of delay topics: where something waits that is due later, and for how long.

Each delay topic is first in, first out, so a record rests in it for that topic's delay, whenever it is due. It
goes to the longest one that is not longer than what is left plus a second; when it comes out, it goes on to a
shorter one, or to its channel if it is due. So nothing is ever early, and nothing is late by more than a second.
What is left below one second waits in the shortest.
"""

from collections.abc import Sequence

from schemas.event_types import RETRY_PREFIX, priority_topic
from schemas.reasons import ChannelName, Priority

TOLERANCE_SECONDS = 1.0
MICROSECOND = 1e-6
"""Due times are written in whole ones; a clock is finer."""


def delay_topics(ladder: Sequence[int]) -> dict[str, int]:
    """Topic -> its delay in seconds, longest first."""
    return {f"{RETRY_PREFIX}{seconds}": seconds for seconds in sorted(ladder, reverse=True)}


def released_at(delay_seconds: int, timestamp_ms: int) -> float:
    """When a record leaves the delay topic to which it was written at `timestamp_ms`."""
    return timestamp_ms / 1000 + delay_seconds


def waits_in(ladder: Sequence[int], left_seconds: float) -> str:
    """The delay topic for what is due in so many seconds."""
    fitting = [seconds for seconds in ladder if seconds <= left_seconds + TOLERANCE_SECONDS]
    return f"{RETRY_PREFIX}{max(fitting, default=min(ladder))}"


def is_due(due_at: float, now: float) -> bool:
    return due_at - now < MICROSECOND


def way(ladder: Sequence[int], due_at: float, now: float, channel: ChannelName, priority: Priority) -> str:
    """The topic to which an attempt that is due at `due_at` goes now."""
    if is_due(due_at, now):
        return priority_topic(channel, priority)
    return waits_in(ladder, due_at - now)
