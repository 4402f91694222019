"""What has to be looked at without a record: over all companies, when, and which are in the middle of a task.

Hints only. They outlive a batch that was taken back, so they may name what is no longer so, and whoever follows
one looks at the rows; but nothing that is so is ever missing. Therefore a hint is dropped only by what the rows
say before a batch has changed them.
"""

from heapq import heappop, heappush

from streams.policy.assignment import rows
from streams.state import State


class Hints:
    def __init__(self) -> None:
        self.busy: dict[str, None] = {}
        """Companies with an agenda, the one whose turn it is first."""
        self._due: list[tuple[int, str]] = []
        self._earliest: dict[str, int] = {}

    @classmethod
    def of(cls, state: State) -> "Hints":
        """All there is to know from the rows."""
        hints = cls()
        hints.busy = dict.fromkeys(state.scopes(rows.AGENDA))
        for company_id in state.scopes(rows.TIMERS):
            for value in state.rows(rows.TIMERS, company_id).values():
                hints.wake(company_id, rows.decode_timer(value).due)
        for company_id in state.scopes(rows.CALLBACKS):
            for value in state.rows(rows.CALLBACKS, company_id).values():
                hints.wake(company_id, rows.decode_callback(value).alarm)
        return hints

    def wake(self, company_id: str, due: int | None) -> None:
        """Something of the company falls due at `due`."""
        if due is None:
            return
        earliest = self._earliest.get(company_id)
        if earliest is None or due < earliest:
            self._earliest[company_id] = due
            heappush(self._due, (due, company_id))

    @property
    def next_due(self) -> int | None:
        return self._due[0][0] if self._due else None

    def take_due(self, now: int) -> dict[str, int]:
        """Company -> when, of those due by `now`. They are the caller's, who says `wake` for each again."""
        taken: dict[str, int] = {}
        while self._due and self._due[0][0] <= now:
            due, company_id = heappop(self._due)
            if self._earliest.get(company_id) == due:
                del self._earliest[company_id]
                taken[company_id] = due
        return taken
