"""Companies, branches and staff: kept by version, with what a change calls for."""

from collections.abc import Iterable

from schemas import Event
from schemas.directory import (
    WEEKDAYS,
    Absence,
    Branch,
    BranchDeleted,
    Company,
    CompanyDeleted,
    Staff,
    StaffDeleted,
    WorkingHours,
)
from schemas.reasons import IntakeResult
from streams.policy.assignment import timers
from streams.policy.assignment.availability import Span
from streams.policy.assignment.case import Case
from streams.policy.assignment.moments import first_millisecond, microseconds
from streams.policy.assignment.rows import BranchRow, CompanyRow, StaffRow
from streams.policy.assignment.tasks import Task

TOPIC = "booking.directory"


def apply_company(case: Case, event: Event) -> Task | None:
    data = event.data
    assert isinstance(data, Company | CompanyDeleted)
    if not _is_news(case, case.staffing.company_row(), data.version):
        return None
    if isinstance(data, Company):
        case.staffing.set_company(CompanyRow(data.version, case.at, False, data.timezone))
    else:
        case.staffing.set_company(CompanyRow(data.version, case.at, True))
    for branch_id in case.company.pending.branches():
        # Its zone is that of branches we do not know. They are not decided again, but shifts begin at other times.
        if branch_id not in case.staffing.branches and case.company.pending.waits(branch_id):
            timers.expect(case, branch_id, others_wait=False)
    return None


def apply_branch(case: Case, event: Event) -> Task | None:
    data, company = event.data, case.company
    assert isinstance(data, Branch | BranchDeleted)
    known = company.staffing.branch_row(data.branch_id)
    if not _is_news(case, known, data.version):
        return None
    arrives = False
    if isinstance(data, Branch):
        arrives = known is None or known.deleted
        row = BranchRow(data.version, case.at, False, data.timezone, data.auto_assign, data.strategy)
    else:
        row = BranchRow(data.version, case.at, True)
    company.staffing.set_branch(data.branch_id, row)
    return Task(branches=[data.branch_id], arriving=data.branch_id if arrives else None)


def apply_staff(case: Case, event: Event) -> Task | None:
    """Somebody has come, changed or left. They have left if they were deleted, or were active and are not."""
    data, company = event.data, case.company
    assert isinstance(data, Staff | StaffDeleted)
    known = company.staffing.person_row(data.staff_id)
    if not _is_news(case, known, data.version):
        return None
    if isinstance(data, Staff):
        row = _staff_row(data, case.at)
        leaves = known is not None and known.active and not row.active
    else:
        row, leaves = StaffRow(data.version, case.at, True), True
    company.staffing.set_person(data.staff_id, row)
    branches = {*(known.branches if known is not None else ()), *row.branches}
    return Task(leaver=data.staff_id if leaves else None, branches=sorted(branches))


def _is_news(case: Case, known: CompanyRow | BranchRow | StaffRow | None, version: int) -> bool:
    """Whether the event is newer than what is known. Counted either way."""
    news = known is None or version > known.version
    case.count(TOPIC, IntakeResult.APPLIED if news else IntakeResult.STALE)
    return news


def _staff_row(data: Staff, at: int) -> StaffRow:
    return StaffRow(
        version=data.version,
        at=at,
        deleted=False,
        name=data.name,
        branches=list(data.branch_ids),
        services=list(data.service_ids),
        active=data.is_active,
        accepts=data.accepts_callbacks,
        capacity=data.max_active_callbacks,
        week=None if data.working_hours is None else _week(data.working_hours),
        absences=_apart(_absence(absence) for absence in data.absences),
    )


def _week(hours: WorkingHours) -> list[list[Span]]:
    return [_apart(_shift(shift) for shift in hours.on(weekday)) for weekday in range(len(WEEKDAYS))]


def _shift(shift: tuple[str, str]) -> Span:
    start, end = shift
    return _wall_clock(start), _wall_clock(end)


def _wall_clock(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000


def _absence(absence: Absence) -> Span:
    return first_millisecond(microseconds(absence.from_)), first_millisecond(microseconds(absence.until))


def _apart(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch or overlap joined, empty ones left out."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
