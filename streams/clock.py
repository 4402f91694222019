"""One clock for every role, timer and producer, so that a day can be played in a minute.

Business time (record timestamps, due times, working hours) comes from here; broker sessions and provider
time-outs stay real.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Business time, in seconds since the epoch."""
        ...

    def seconds_until(self, moment: float) -> float:
        """Real seconds from now until the business time `moment`; 0 when it has passed."""
        ...


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """now = origin + (real time - started_at) * speed. With the defaults it is the wall clock."""

    origin: float = 0.0
    started_at: float = 0.0
    speed: float = 1.0

    def now(self) -> float:
        return self.origin + (time.time() - self.started_at) * self.speed

    def seconds_until(self, moment: float) -> float:
        return max(0.0, (moment - self.now()) / self.speed)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    moment: float

    def now(self) -> float:
        return self.moment

    def seconds_until(self, moment: float) -> float:
        return max(0.0, moment - self.moment)


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
