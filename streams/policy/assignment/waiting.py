"""Those who wait at a branch are decided again, as soon as something there has changed that may help them."""

from heapq import heapify, heappop, heapreplace

from msgspec.structs import replace
from sortedcontainers import SortedList

from streams.policy.assignment import timers
from streams.policy.assignment.assigning import assign
from streams.policy.assignment.case import Case
from streams.policy.assignment.rows import FOR_BRANCH, FOR_COMMAND, FOR_STAFF, Rank
from streams.policy.assignment.tasks import Allowance, Task

Head = tuple[Rank, str, int, str | None]
"""(rank of the first in a line, branch id, what the line waits for, service id)"""


def drain(case: Case, task: Task, allowance: Allowance) -> bool:
    """Whether all who can be helped are. In bulk order over all lines of all the branches; a line is left as soon
    as nobody is eligible for it, for during one record that only gets worse."""
    heads = _heads(case, task)
    while heads:
        rank, branch_id, what_for, service = heads[0]
        if what_for == FOR_STAFF and not _anybody(case, branch_id, service):
            heappop(heads)
            continue
        if not allowance.take():
            return False
        _decide(case, rank[2])
        line = case.company.pending.line(branch_id, (what_for, service))
        if line:
            heapreplace(heads, (line[0], branch_id, what_for, service))
        else:
            heappop(heads)
    for branch_id in task.branches:
        if case.company.pending.waits(branch_id):
            timers.expect(case, branch_id, others_wait=False)
    return True


def _heads(case: Case, task: Task) -> list[Head]:
    pending = case.company.pending
    lines = [
        (branch_id, FOR_STAFF, service) for branch_id in task.branches for service in pending.services(branch_id)
    ]
    if task.arriving is not None:
        lines.append((task.arriving, FOR_BRANCH, None))
    heads: list[Head] = []
    for branch_id, what_for, service in lines:
        line: SortedList | None = pending.line(branch_id, (what_for, service))
        if line:
            heads.append((line[0], branch_id, what_for, service))
    heapify(heads)
    return heads


def _anybody(case: Case, branch_id: str, service: str | None) -> bool:
    return case.staffing.roster(branch_id, case.at).pool(service).eligible > 0


def _decide(case: Case, callback_id: str) -> None:
    row = case.company.callback(callback_id)
    assert row is not None
    branch = case.staffing.branches.get(row.branch)
    if row.waits_for == FOR_STAFF or (branch is not None and branch.auto_assign):
        assign(case, callback_id, row, row)
    else:  # its branch has come and does not assign by itself
        case.save(callback_id, row, replace(row, waits_for=FOR_COMMAND))
