"""When an appointment has to be looked at because a reminder may be due: hints, over all companies.

Each appointment with reminders to come has one at the earliest of them, perhaps others that mean nothing any more.
They outlive a batch that was taken back; who follows one looks at the rows. What is there twice is dropped once.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

FEW = 1024
"""Alarms among which nobody looks for those that are there twice."""

Alarm = tuple[float, str, str]
"""(seconds since the epoch, company id, appointment id)"""


@dataclass(slots=True)
class Alarms:
    heap: list[Alarm] = field(default_factory=list)
    taken: list[Alarm] = field(default_factory=list)
    """By the last batch. If it was rolled back, what they stand for is due again."""
    many: int = FEW
    """More than these are looked through."""

    def fill(self, alarms: Iterable[Alarm]) -> None:
        """Once, with all that the rows say."""
        self.heap = list(alarms)
        heapq.heapify(self.heap)

    def set(self, alarm: Alarm) -> None:
        heapq.heappush(self.heap, alarm)

    def begin(self) -> None:
        """A batch begins: see `taken`."""
        for alarm in self.taken:
            heapq.heappush(self.heap, alarm)
        self.taken.clear()
        if len(self.heap) > self.many:
            self.heap = sorted(set(self.heap))
            self.many = 2 * len(self.heap) + FEW

    @property
    def next(self) -> float | None:
        return self.heap[0][0] if self.heap else None

    def ring(self, now: float) -> Alarm | None:
        """Take the earliest that is not after `now`."""
        return heapq.heappop(self.heap) if self.heap and self.heap[0][0] <= now else None
