"""Who should have a callback, and how everybody stood when that was decided."""

from collections import Counter
from datetime import datetime
from typing import NamedTuple

import msgspec

from schemas.reasons import ChosenBy, Exclusion
from streams.policy.assignment.people import Standing
from streams.policy.assignment.pool import Pool
from streams.policy.assignment.roster import Roster
from streams.policy.assignment.rows import CallbackRow
from streams.policy.assignment.staffing import Staffing

SHOWN_AT_MOST = 50
"""With more candidates, only those who matter are listed and the rest is counted."""
BEST_SHOWN = 20

_NOTHING = Standing()


class Candidate(msgspec.Struct, omit_defaults=True, gc=False):
    """As in the contract's decision; cheaper to make and to encode by the dozen."""

    staff_id: str
    eligible: bool
    load: int
    turn: int
    excluded_by: str | None = None
    last_assigned_at: datetime | None = None


class Choice(NamedTuple):
    """`staff_id` None: nobody is eligible. `without` is the present assignee, where it shall be somebody else."""

    staff_id: str | None
    chosen_by: str | None
    strategy: str
    without: str | None
    roster: Roster
    pool: Pool


def choose(
    staffing: Staffing, row: CallbackRow, at: int, strategy: str | None = None, without: str | None = None
) -> Choice:
    """The preferred person if eligible, else the first by the strategy: the one given, else the branch's."""
    strategy = strategy or staffing.strategy(row.branch)
    roster = staffing.roster(row.branch, at)
    pool = roster.pool(row.service)
    preferred = row.preferred
    if preferred is not None and preferred != without and pool.is_eligible(preferred):
        return Choice(preferred, ChosenBy.PREFERRED, strategy, without, roster, pool)
    best = pool.best(strategy, 1, without)
    if best:
        return Choice(best[0], strategy, strategy, without, roster, pool)
    return Choice(None, None, strategy, without, roster, pool)


def survey(staffing: Staffing, row: CallbackRow, choice: Choice) -> tuple[list[Candidate], dict[str, int]]:
    """The candidates by staff id, and how many were left out, by reason ("eligible": none).

    Candidates are the staff of the branch, and the preferred person if from elsewhere.
    """
    members = choice.roster.members
    shown = choice.roster.order
    guest = row.preferred if row.preferred in staffing.people and row.preferred not in members else None
    if guest is not None:
        shown = sorted([*shown, guest])
    omitted: dict[str, int] = {}
    if len(shown) > SHOWN_AT_MOST:
        best = choice.pool.best(choice.strategy, BEST_SHOWN, choice.without)
        named = (one for one in (choice.staff_id, row.preferred, row.owner) if one in members)
        shown = sorted({*best, *named} if guest is None else {*best, *named, guest})
        omitted = _omitted(choice, shown)
    return [_candidate(staffing, choice, staff_id) for staff_id in shown], omitted


def _candidate(staffing: Staffing, choice: Choice, staff_id: str) -> Candidate:
    standing = staffing.standings.get(staff_id, _NOTHING)
    reason = _reason(choice, staff_id)
    if reason is None and staff_id == choice.without:
        reason = Exclusion.PRESENT_ASSIGNEE
    return Candidate(staff_id, reason is None, standing.load, standing.turn, reason, standing.last_assigned_at)


def _reason(choice: Choice, staff_id: str) -> Exclusion | None:
    """Why somebody is not eligible, whoever has the callback now."""
    place = choice.pool.places.get(staff_id)
    if place is not None:
        return None if isinstance(place, tuple) else place
    person = choice.roster.members.get(staff_id)
    if person is None:
        return Exclusion.OTHER_BRANCH
    if not person.active:
        return Exclusion.INACTIVE
    return Exclusion.LACKS_SERVICE if person.accepts else Exclusion.NOT_ACCEPTING


def _omitted(choice: Choice, shown: list[str]) -> dict[str, int]:
    """All people of the branch, counted without looking at them, less those shown."""
    roster, pool = choice.roster, choice.pool
    counts: Counter[str] = Counter(pool.excluded)
    counts["eligible"] = pool.eligible
    counts[Exclusion.INACTIVE] = roster.inactive
    counts[Exclusion.NOT_ACCEPTING] = len(roster.order) - roster.inactive - len(roster.takers)
    counts[Exclusion.LACKS_SERVICE] = len(roster.takers) - len(pool.places)
    counts.subtract(_reason(choice, staff_id) or "eligible" for staff_id in shown if staff_id in roster.members)
    return {reason: counts[reason] for reason in ("eligible", *Exclusion) if counts[reason]}
