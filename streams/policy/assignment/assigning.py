"""Deciding one callback: somebody gets it, or it waits, or it is given up."""

from typing import Any

from msgspec.structs import replace

from schemas.reasons import DecisionReason
from streams.policy.assignment import timers
from streams.policy.assignment.case import Case
from streams.policy.assignment.choosing import Choice, choose, survey
from streams.policy.assignment.decisions import ABANDONED, AUTO_ASSIGNED, REASSIGNED, WAITING, announce
from streams.policy.assignment.echoes import decided
from streams.policy.assignment.rows import FOR_COMMAND, FOR_STAFF, CallbackRow


def assign(
    case: Case,
    callback_id: str,
    before: CallbackRow | None,
    row: CallbackRow,
    *,
    strategy: str | None = None,
    command_id: str | None = None,
    quiet: bool = False,
) -> bool:
    """Find somebody for a callback that nobody has; store it. Whether somebody was found.

    `before` is what is stored of it, `row` what it is by now. `quiet`: that there is still nobody is not repeated.
    """
    choice = choose(case.staffing, row, case.at, strategy)
    if choice.staff_id is not None:
        _give(case, AUTO_ASSIGNED, callback_id, before, row, choice, None, command_id=command_id)
        return True
    waiting = replace(row, waits_for=FOR_STAFF)
    if not quiet:
        reason = DecisionReason.NO_ELIGIBLE_STAFF
        decided(waiting, _say(case, WAITING, callback_id, row, choice, reason, command_id=command_id), None)
    _wait(case, callback_id, before, waiting)
    return False


def reassign(
    case: Case, callback_id: str, row: CallbackRow, choice: Choice, *, note: str, command_id: str
) -> None:
    """Give it to the chosen person instead of the present assignee."""
    reason = DecisionReason.REQUESTED
    _give(case, REASSIGNED, callback_id, row, row, choice, reason, note=note, command_id=command_id)


def replace_leaver(case: Case, callback_id: str, row: CallbackRow) -> None:
    """Its assignee has left: somebody else gets it, or it waits; what has expired meanwhile is given up."""
    if is_past(row, case.at):
        abandon(case, callback_id, row, previous=row.owner)
        return
    choice = choose(case.staffing, row, case.at)
    if choice.staff_id is not None:
        _give(case, REASSIGNED, callback_id, row, row, choice, DecisionReason.STAFF_LEFT)
        return
    waiting, reason = replace(row, owner=None, waits_for=FOR_STAFF), DecisionReason.NO_ELIGIBLE_STAFF
    decided(waiting, _say(case, WAITING, callback_id, row, choice, reason, previous_staff_id=row.owner), None)
    _wait(case, callback_id, row, waiting)


def abandon(
    case: Case,
    callback_id: str,
    row: CallbackRow,
    *,
    previous: str | None = None,
    command_id: str | None = None,
) -> None:
    """Take a callback out of assignment. `previous`: who has lost it by what is being applied."""
    roster = case.staffing.roster(row.branch, case.at)
    nobody = Choice(None, None, case.staffing.strategy(row.branch), None, roster, roster.pool(row.service))
    reason = DecisionReason.EXPIRED
    identity = _say(
        case, ABANDONED, callback_id, row, nobody, reason, previous_staff_id=previous, command_id=command_id
    )
    given_up = replace(row, owner=None, expired=True, asks=None, waits_for=FOR_COMMAND, at=case.at)
    decided(given_up, identity, None)
    case.save(callback_id, row, given_up)


def is_past(row: CallbackRow, at: int) -> bool:
    """Whether it has expired, as the timer has said or would have to say by now."""
    return row.expired or (row.expires_us is not None and row.expires_us <= at * 1000)


def _give(
    case: Case,
    kind: str,
    callback_id: str,
    before: CallbackRow | None,
    row: CallbackRow,
    choice: Choice,
    reason: DecisionReason | None,
    **fields: Any,
) -> None:
    """`reason` None: how the person was chosen is the reason."""
    staff_id, chosen_by = choice.staff_id, choice.chosen_by
    assert staff_id is not None
    assert chosen_by is not None
    identity = _say(
        case,
        kind,
        callback_id,
        row,
        choice,
        reason or DecisionReason(chosen_by),
        chosen_by=chosen_by,
        staff_id=staff_id,
        staff_name=case.staffing.people[staff_id].name,
        previous_staff_id=row.owner,
        **fields,
    )
    given = replace(row, owner=staff_id, waits_for=FOR_COMMAND)
    decided(given, identity, staff_id)
    case.staffing.take_turn(staff_id, case.at)
    case.save(callback_id, before, given)


def _wait(case: Case, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> None:
    already = case.company.pending.waits(row.branch)
    case.save(callback_id, before, row)
    timers.expect(case, row.branch, already)


def _say(
    case: Case,
    kind: str,
    callback_id: str,
    row: CallbackRow,
    choice: Choice,
    reason: DecisionReason,
    **fields: Any,
) -> bytes:
    candidates, omitted = survey(case.staffing, row, choice)
    return announce(
        case,
        kind,
        callback_id,
        reason,
        branch_id=row.branch,
        strategy=choice.strategy,
        candidates=candidates,
        omitted=omitted,
        **fields,
    )
