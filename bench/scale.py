"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    rounds: int
    seconds: float
    """Of each latency run."""
    size: float
    """Part of the full number of events."""

    def of(self, number: int) -> int:
        return max(1, round(number * self.size))


FULL = Scale(rounds=3, seconds=20, size=1.0)
QUICK = Scale(rounds=1, seconds=5, size=0.1)
