"""What waits of one priority: each company in a line of its own, and the companies take turns."""

import heapq
from collections import deque
from itertools import count

from streams.policy.delivery.intents import Key


class Turns:
    """A company gets a turn after all others that wait have had one, however long its own line is. Within its line
    it is first come, first served; what is not due yet joins the line when it is."""

    def __init__(self) -> None:
        self._numbers = count()
        self._later: list[tuple[float, int, Key]] = []
        self._lines: dict[str, deque[Key]] = {}
        self._order: deque[str] = deque()
        """Companies with a line, whose turn is next first."""

    @property
    def next_due(self) -> float | None:
        """When there is something to take: 0 at once, None never."""
        if self._order:
            return 0.0
        return self._later[0][0] if self._later else None

    def add(self, key: Key, due_at: float) -> None:
        heapq.heappush(self._later, (due_at, next(self._numbers), key))

    def is_due(self, now: float) -> bool:
        while self._later and self._later[0][0] <= now:
            self._join(heapq.heappop(self._later)[2])
        return bool(self._order)

    def take(self, now: float) -> Key | None:
        """Whose turn it is."""
        if not self.is_due(now):
            return None
        company_id = self._order.popleft()
        line = self._lines[company_id]
        key = line.popleft()
        if line:
            self._order.append(company_id)
        else:
            del self._lines[company_id]
        return key

    def _join(self, key: Key) -> None:
        company_id = key[0]
        if company_id not in self._lines:
            self._lines[company_id] = deque()
            self._order.append(company_id)
        self._lines[company_id].append(key)
