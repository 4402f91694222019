"""Commands: each is obeyed once, and answered by a decision, be it that it is refused."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from schemas import Event
from schemas.commands import AutoAssign, BranchReconsider, BulkAutoAssign, CallbackExpire, Reassign
from schemas.reasons import CommandRefusal, IntakeResult
from streams.policy.assignment import bulk, timers
from streams.policy.assignment.assigning import abandon, assign, reassign
from streams.policy.assignment.case import Case
from streams.policy.assignment.choosing import choose, survey
from streams.policy.assignment.decisions import refuse
from streams.policy.assignment.moments import microseconds
from streams.policy.assignment.rows import CallbackRow
from streams.policy.assignment.strategies import STRATEGIES
from streams.policy.assignment.tasks import Task

TOPIC = "assignment.commands"


def apply_command(case: Case, event: Event) -> Task | None:
    memory = case.company.memory
    if memory.has_command(event.source, event.id):
        case.count(TOPIC, IntakeResult.DUPLICATE)
        return None
    memory.keep_command(event.source, event.id, case.at)
    case.count(TOPIC, IntakeResult.APPLIED)
    return _OBEY[type(event.data)](case, event.id, event.data)


def _auto_assign(case: Case, command_id: str, command: AutoAssign) -> Task | None:
    known = case.company.callback(command.callback_id)
    row = _admit(command.strategy, known)
    if isinstance(row, CommandRefusal):
        refuse(case, command_id, row, command.callback_id, known, command.strategy)
    elif row.owner is not None:
        refuse(case, command_id, CommandRefusal.ALREADY_ASSIGNED, command.callback_id, row, command.strategy)
    else:
        assign(case, command.callback_id, row, row, strategy=command.strategy, command_id=command_id)
    return None


def _reassign(case: Case, command_id: str, command: Reassign) -> Task | None:
    """To anybody but the present assignee, who keeps it if there is nobody."""
    callback_id, strategy, note = command.callback_id, command.strategy, command.reason
    known = case.company.callback(callback_id)
    row = _admit(strategy, known)
    if isinstance(row, CommandRefusal):
        refuse(case, command_id, row, callback_id, known, strategy, note=note)
        return None
    if row.owner is None:
        refuse(case, command_id, CommandRefusal.NOT_ASSIGNED, callback_id, row, strategy, note=note)
        return None
    choice = choose(case.staffing, row, case.at, strategy, without=row.owner)
    if choice.staff_id is None:
        nobody = CommandRefusal.NO_ELIGIBLE_STAFF
        candidates, omitted = survey(case.staffing, row, choice)
        refuse(
            case, command_id, nobody, callback_id, row, strategy, note=note, candidates=candidates, omitted=omitted
        )
        return None
    reassign(case, callback_id, row, choice, note=note, command_id=command_id)
    return case.help_task()


def _reconsider(case: Case, command_id: str, command: BranchReconsider) -> Task | None:
    timers.obeyed(case, command.branch_id)
    return Task(branches=[command.branch_id])


def _expire(case: Case, command_id: str, command: CallbackExpire) -> Task | None:
    """Its time is up, unless it has been given more since. What somebody has stays theirs."""
    row = case.company.callback(command.callback_id)
    if row is None or not row.open or row.expired:
        return None
    if row.expires_us is None or row.expires_us > microseconds(command.due_at):
        return None
    if row.owner is None:
        abandon(case, command.callback_id, row, command_id=command_id)
    else:
        case.save(command.callback_id, row, replace(row, expired=True))
    return None


def _admit(strategy: str | None, row: CallbackRow | None) -> CallbackRow | CommandRefusal:
    """The callback, or what any command about one can fail at, in the order in which it is told."""
    if strategy is not None and strategy not in STRATEGIES:
        return CommandRefusal.UNKNOWN_STRATEGY
    if row is None:
        return CommandRefusal.UNKNOWN_CALLBACK
    return CommandRefusal.NOT_OPEN if row.closed else row


_OBEY: dict[type[BaseModel], Callable[[Case, str, Any], Task | None]] = {
    AutoAssign: _auto_assign,
    BulkAutoAssign: bulk.begin,
    Reassign: _reassign,
    BranchReconsider: _reconsider,
    CallbackExpire: _expire,
}
