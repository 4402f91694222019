"""A callback's snapshot is applied: it wins by version, says who has it, and may call for a decision."""

from schemas import Event
from schemas.callbacks import Callback, CallbackPriority, CallbackStatus
from schemas.reasons import IntakeResult
from streams.policy.assignment.assigning import abandon, assign, is_past
from streams.policy.assignment.case import Case
from streams.policy.assignment.echoes import read_statement, settle
from streams.policy.assignment.moments import microseconds
from streams.policy.assignment.rows import FOR_BRANCH, FOR_COMMAND, FOR_STAFF, CallbackRow
from streams.policy.assignment.tasks import Task

TOPIC = "booking.callbacks"
UNASSIGNED = "callback.unassigned"
OPEN = frozenset({CallbackStatus.PENDING, CallbackStatus.ASSIGNED})
URGENCY = {CallbackPriority.URGENT: 0, CallbackPriority.HIGH: 1, CallbackPriority.NORMAL: 2}


def apply_callback(case: Case, event: Event) -> Task | None:
    data = event.data
    assert isinstance(data, Callback)
    known = case.company.callback(data.callback_id)
    if known is not None and data.version <= known.version:
        case.count(TOPIC, IntakeResult.STALE)
        return None
    case.count(TOPIC, IntakeResult.APPLIED)
    row = _snapshot(data, case.at)
    requested = row.open and _is_new(known, row)
    if known is not None:
        _carry_over(known, row, requested)
    unassigned = event.type == UNASSIGNED and row.open
    _apply_statement(case, known, row, data, unassigned=unassigned)
    _decide(case, data, known, row, requested=requested and not unassigned)
    return case.help_task()


def _snapshot(data: Callback, at: int) -> CallbackRow:
    """The callback as the event has it, without what only we know."""
    return CallbackRow(
        version=data.version,
        open=data.status in OPEN,
        branch=data.branch_id,
        service=data.service_id,
        preferred=data.staff_id,
        urgency=URGENCY[data.priority],
        requested_us=microseconds(data.requested_at),
        expires_us=None if data.expires_at is None else microseconds(data.expires_at),
        at=at,
        stated=data.assigned_to,
        asks=data.version,
    )


def _is_new(known: CallbackRow | None, row: CallbackRow) -> bool:
    """Whether this open callback is to be handled as a request: it is the first we see of it, it was closed, or it
    had been given up and has more time now."""
    return known is None or not known.open or (known.abandoned and _has_more_time(known, row))


def _has_more_time(known: CallbackRow, row: CallbackRow) -> bool:
    if known.expires_us is None:
        return False
    return row.expires_us is None or row.expires_us > known.expires_us


def _carry_over(known: CallbackRow, row: CallbackRow, requested: bool) -> None:
    """Keep what only we know."""
    row.unconfirmed, row.earlier = known.unconfirmed, known.earlier
    if requested:
        return
    row.owner, row.waits_for = known.owner, known.waits_for
    row.expired = known.expired and not _has_more_time(known, row)
    if row.expires_us == known.expires_us:
        row.asks = known.asks


def _apply_statement(
    case: Case, known: CallbackRow | None, row: CallbackRow, data: Callback, *, unassigned: bool
) -> None:
    """Who has it by what the snapshot says. An assignment by hand is a turn, unless it names who has it anyway."""
    if unassigned:
        row.stated = None
    by_hand, confirms, echo = row.stated, 0, False
    if known is not None:
        stated = known.stated if known.open or not row.open else None
        by_hand, confirms, echo = read_statement(known, row.stated, data.decision_id, stated)
    if unassigned and not echo:
        row.owner, row.waits_for, confirms = None, FOR_COMMAND, len(row.unconfirmed)
    if by_hand is not None and by_hand != row.owner:
        row.owner, row.waits_for = by_hand, FOR_COMMAND
        case.staffing.take_turn(by_hand, case.at)
    settle(row, confirms if row.open else len(row.unconfirmed))


def _decide(case: Case, data: Callback, known: CallbackRow | None, row: CallbackRow, *, requested: bool) -> None:
    """Store it, with the decision that it calls for."""
    callback_id = data.callback_id
    previous = known.carrier if known is not None else None
    if previous is not None and row.open and row.owner is None and is_past(row, case.at):
        case.save(callback_id, known, row)
        abandon(case, callback_id, row, previous=previous)
        return
    if row.pending and (requested or row.waits_for == FOR_BRANCH):
        branch = case.staffing.branches.get(row.branch)
        row.waits_for = FOR_BRANCH if branch is None and data.assign else FOR_COMMAND
        if branch is not None and branch.auto_assign and data.assign:
            assign(case, callback_id, known, row)
            return
    elif row.pending and row.waits_for == FOR_STAFF:
        assign(case, callback_id, known, row, quiet=True)
        return
    case.save(callback_id, known, row)
