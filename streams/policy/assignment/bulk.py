"""A bulk command: many callbacks in one order, one decision each, and one summary."""

from itertools import islice

from schemas.commands import BulkAutoAssign
from schemas.reasons import CommandRefusal
from streams.policy.assignment.assigning import assign
from streams.policy.assignment.case import Case
from streams.policy.assignment.decisions import BULK_ASSIGNED, announce, refuse
from streams.policy.assignment.strategies import STRATEGIES
from streams.policy.assignment.tasks import Allowance, Bulk, Progress, Task


def begin(case: Case, command_id: str, command: BulkAutoAssign) -> Task | None:
    """What the command asks for, as of now. A branch that is not known has none."""
    company, branch_id = case.company, command.branch_id
    if command.strategy is not None and command.strategy not in STRATEGIES:
        refuse(case, command_id, CommandRefusal.UNKNOWN_STRATEGY, None, None, command.strategy)
        return None
    named: list[str] | None = None
    if branch_id is not None and branch_id not in company.staffing.branches:
        named = []
    elif command.callback_ids is not None:
        named = _in_order(case, list(dict.fromkeys(command.callback_ids)), branch_id)
    total = company.pending.count(branch_id) if named is None else len(named)
    return Task(bulk=Bulk(command_id, command.strategy, branch_id, named, total))


def assign_all(case: Case, bulk: Bulk, progress: Progress, allowance: Allowance) -> bool:
    """Whether the command is answered in full."""
    if progress.answered:
        return True
    for callback_id in _next(case, bulk, progress, allowance.left):
        allowance.take()
        row = case.company.callback(callback_id)
        if row is not None and row.pending:
            progress.cursor = row.rank(callback_id)
            given = assign(case, callback_id, row, row, strategy=bulk.strategy, command_id=bulk.command_id)
            progress.assigned += given
        elif row is None:
            refuse(case, bulk.command_id, CommandRefusal.UNKNOWN_CALLBACK, callback_id, row, bulk.strategy)
        else:
            why_not = CommandRefusal.NOT_OPEN if row.closed else CommandRefusal.ALREADY_ASSIGNED
            refuse(case, bulk.command_id, why_not, callback_id, row, bulk.strategy)
        progress.index += 1
    if progress.index < bulk.total or not allowance.take():
        return False
    _summarise(case, bulk, progress.assigned)
    progress.answered = True
    return True


def _next(case: Case, bulk: Bulk, progress: Progress, number: int) -> list[str]:
    """The ids of the next `number` callbacks at most."""
    if bulk.callback_ids is not None:
        return bulk.callback_ids[progress.index : progress.index + number]
    ranks = case.company.pending.after(progress.cursor, bulk.branch_id)
    return [callback_id for _, _, callback_id in islice(ranks, number)]


def _in_order(case: Case, callback_ids: list[str], branch_id: str | None) -> list[str]:
    """Those to be assigned, in bulk order, then those to be refused, as given; without those of other branches."""
    assignable, others = [], []
    for callback_id in callback_ids:
        row = case.company.callback(callback_id)
        if branch_id is not None and (row is None or row.branch != branch_id):
            continue
        if row is not None and row.pending:
            assignable.append(row.rank(callback_id))
        else:
            others.append(callback_id)
    return [callback_id for _, _, callback_id in sorted(assignable)] + others


def _summarise(case: Case, bulk: Bulk, assigned: int) -> None:
    announce(
        case,
        BULK_ASSIGNED,
        None,
        None,
        branch_id=bulk.branch_id,
        strategy=bulk.strategy,
        command_id=bulk.command_id,
        total=bulk.total,
        assigned=assigned,
        failed=bulk.total - assigned,
    )
