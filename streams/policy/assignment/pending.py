"""The open callbacks without an owner, in bulk order, by branch, by what they wait for, and by service.

Those who wait for staff and want the same service at the same branch stand in one line: if nobody is eligible for
the first, nobody is for the rest, and none of them needs to be looked at.
"""

from collections.abc import Iterable, Iterator
from heapq import merge

from sortedcontainers import SortedList

from streams.policy.assignment.rows import FOR_STAFF, CallbackRow, Rank

Line = tuple[int, str | None]
"""(what for, service id for those who wait for staff)"""


Place = tuple[str, Line, Rank]
"""(branch id, line, place in it)"""


def place_of(callback_id: str, row: CallbackRow) -> Place | None:
    """Where a callback stands; None: it is not pending."""
    if not row.pending:
        return None
    line = row.waits_for, row.service if row.waits_for == FOR_STAFF else None
    return row.branch, line, row.rank(callback_id)


class Pending:
    def __init__(self, places: Iterable[Place]) -> None:
        self._branches: dict[str, dict[Line, SortedList]] = {}
        gathered: dict[tuple[str, Line], list[Rank]] = {}
        for branch, line, rank in places:
            gathered.setdefault((branch, line), []).append(rank)
        for (branch, line), ranks in gathered.items():
            self._branches.setdefault(branch, {})[line] = SortedList(ranks)

    def add(self, place: Place) -> None:
        branch_id, line, rank = place
        lines = self._branches.setdefault(branch_id, {})
        if line not in lines:
            lines[line] = SortedList()
        lines[line].add(rank)

    def remove(self, place: Place) -> None:
        branch_id, line, rank = place
        lines = self._branches[branch_id]
        ranks = lines[line]
        ranks.remove(rank)
        if not ranks:
            del lines[line]
            if not lines:
                del self._branches[branch_id]

    def line(self, branch_id: str, line: Line) -> SortedList | None:
        return self._branches.get(branch_id, {}).get(line)

    def services(self, branch_id: str) -> list[str | None]:
        """For which services somebody of the branch waits for staff."""
        return [service for what_for, service in self._branches.get(branch_id, ()) if what_for == FOR_STAFF]

    def waits(self, branch_id: str) -> bool:
        """Whether anybody of the branch waits for staff."""
        return any(what_for == FOR_STAFF for what_for, _ in self._branches.get(branch_id, ()))

    def branches(self) -> list[str]:
        return list(self._branches)

    def count(self, branch_id: str | None) -> int:
        """How many, of the branch or (None) of all."""
        branches = self._branches if branch_id is None else {branch_id}
        return sum(len(ranks) for branch in branches for ranks in self._branches.get(branch, {}).values())

    def after(self, cursor: Rank | None, branch_id: str | None) -> Iterator[Rank]:
        """In bulk order, those after `cursor`, of the branch or (None) of all. Read before anything is changed."""
        branches = self._branches if branch_id is None else {branch_id}
        lines = [ranks for branch in branches for ranks in self._branches.get(branch, {}).values()]
        return merge(*(ranks.irange(cursor, inclusive=(False, True)) for ranks in lines))
