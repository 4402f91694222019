"""What only time can cause enters the log as a command: a shift begins, a callback expires.

A command is written once its moment has come and is decided when it is read, like any other; nothing is decided
here. For each branch where somebody waits, the row says which moment is next; it moves on when those who wait are
looked at again.
"""

from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from schemas import encode
from streams.batch import Effects, Output
from streams.policy.assignment.case import Case
from streams.policy.assignment.company import BRANCH_ALARM, Company
from streams.policy.assignment.decisions import OWN_SOURCE, own_id, uuid_text
from streams.policy.assignment.hints import Hints
from streams.policy.assignment.moments import FOREVER, LONG_AGO, instant, instant_us
from streams.policy.assignment.rows import TimerRow
from streams.state import State

TOPIC = "assignment.commands"
RECONSIDER = "branch.reconsider"
EXPIRE = "callback.expire"

WRITTEN_AT_ONCE = 1000
"""At most so many of a company in one transaction."""
_APART = 1000
"""Milliseconds between two commands of a branch at least, while the records' clock runs behind ours."""


def expect(case: Case, branch_id: str, others_wait: bool) -> None:
    """Somebody waits at the branch as of this record. `others_wait`: for others the moment noted is still to come;
    else everybody who waits there has just been looked at."""
    company = case.company
    timer = company.timer(branch_id)
    begin = company.staffing.roster(branch_id, case.at).next_begin()
    due = begin if begin < FOREVER else None
    if timer is None and due is None:
        return
    timer = timer or TimerRow(None, LONG_AGO)
    if due is not None and due <= timer.written:
        due = timer.written + _APART
    if others_wait and timer.due is not None:
        due = timer.due if due is None else min(due, timer.due)
    if due != timer.due:
        company.set_timer(branch_id, timer, TimerRow(due, timer.written))


def obeyed(case: Case, branch_id: str) -> None:
    """A command of ours is read: what was to come until its own time is looked at with it."""
    timer = case.company.timer(branch_id)
    if timer is not None and case.cause.source == OWN_SOURCE and case.at > timer.written:
        case.company.set_timer(branch_id, timer, TimerRow(timer.due, case.at))


def write_due(state: State, hints: Hints, effects: Effects, now: int) -> None:
    """Write the commands whose moment is not after `now`. To be called before the batch changes anything."""
    wake: dict[str, int | None] = dict(hints.take_due(now))
    try:
        for company_id in wake:
            company = Company.of(company_id, state, hints)
            if not _write_alarms(company, effects, now):
                wake[company_id] = company.next_alarm
            # else it stays due: what was written can still be taken back with the batch
    finally:
        for company_id, due in wake.items():
            hints.wake(company_id, due)


def _write_alarms(company: Company, effects: Effects, now: int) -> bool:
    """Whether there were any."""
    alarms = list(islice(company.alarms.irange(maximum=(now, BRANCH_ALARM + 1)), WRITTEN_AT_ONCE))
    for moment, kind, entity_id in alarms:
        if kind == BRANCH_ALARM:
            _reconsider(company, effects, entity_id, moment)
        else:
            _expire(company, effects, entity_id)
    return bool(alarms)


def _reconsider(company: Company, effects: Effects, branch_id: str, due: int) -> None:
    timer = company.timer(branch_id)
    assert timer is not None
    if not company.pending.waits(branch_id):
        company.set_timer(branch_id, timer, TimerRow(None, timer.written))
        return
    company.set_timer(branch_id, timer, TimerRow(None, due))
    _write(company, effects, RECONSIDER, "branch", branch_id, instant(due))


def _expire(company: Company, effects: Effects, callback_id: str) -> None:
    row = company.callback(callback_id)
    assert row is not None
    assert row.expires_us is not None
    company.save(callback_id, row, replace(row, asks=None))
    # An expiry that was taken back and then given again is another question.
    _write(company, effects, EXPIRE, "callback", callback_id, instant_us(row.expires_us), str(row.asks))


def _write(
    company: Company, effects: Effects, kind: str, entity: str, entity_id: str, due_at: datetime, *cause: str
) -> None:
    value = encode(
        kind,
        id=uuid_text(own_id(kind, company.id, entity_id, due_at.isoformat(), *cause)),
        source=OWN_SOURCE,
        time=due_at,
        subject=f"{entity}/{entity_id}",
        company_id=company.id,
        data={"company_id": company.id, f"{entity}_id": entity_id, "due_at": due_at},
    )
    effects.outputs.append(Output(TOPIC, company.key, value))
