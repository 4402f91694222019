"""Where a record becomes decisions: one record at a time, each company on its own.

What a record does depends on the rows of its company, the record and the offsets before it, and on nothing else:
not on which records share its batch, and not on when a task too large for one transaction is gone on with.
"""

from collections.abc import Callable

from schemas import Event, decode
from streams.batch import Batch, Effects, Record
from streams.policy.assignment.agenda import Agenda, Parked
from streams.policy.assignment.bulk import assign_all
from streams.policy.assignment.callbacks import apply_callback
from streams.policy.assignment.case import Case
from streams.policy.assignment.cause import Cause
from streams.policy.assignment.commands import apply_command
from streams.policy.assignment.company import Company
from streams.policy.assignment.directory import apply_branch, apply_company, apply_staff
from streams.policy.assignment.hints import Hints
from streams.policy.assignment.leaving import hand_over
from streams.policy.assignment.tasks import Allowance, Progress, Task
from streams.policy.assignment.waiting import drain
from streams.state import State

TOPICS = ("booking.directory", "booking.callbacks", "assignment.commands")

HANDLERS: dict[str, Callable[[Case, Event], Task | None]] = {
    "company.upserted": apply_company,
    "company.deleted": apply_company,
    "branch.upserted": apply_branch,
    "branch.deleted": apply_branch,
    "staff.upserted": apply_staff,
    "staff.deleted": apply_staff,
    "callback.requested": apply_callback,
    "callback.updated": apply_callback,
    "callback.assigned": apply_callback,
    "callback.contacted": apply_callback,
    "callback.completed": apply_callback,
    "callback.cancelled": apply_callback,
    "callback.expired": apply_callback,
    "callback.unassigned": apply_callback,
    "callback.auto_assign": apply_command,
    "callback.bulk_auto_assign": apply_command,
    "callback.reassign": apply_command,
    "callback.expire": apply_command,
    "branch.reconsider": apply_command,
}
"""What is decided by."""


class Desk:
    """For one step. `part`: how many callbacks of one company are decided at most before it is another's turn, and
    `at_most` of all companies, beyond the one that a record is about."""

    def __init__(self, state: State, hints: Hints, effects: Effects, *, part: int, at_most: int) -> None:
        self._state = state
        self._hints = hints
        self._effects = effects
        self._part = part
        self._left = at_most

    def go_on(self, batch: Batch) -> None:
        """Go on with what earlier steps have not finished. To be called before the batch changes anything."""
        busy = self._hints.busy
        for company_id in list(busy):
            if self._left <= 0:
                return
            agenda = Agenda(self._state, company_id)
            del busy[company_id]
            if agenda.busy:
                busy[company_id] = None  # at the end: now it is the others' turn
                allowance = self._allowance()
                self._go_on_with(agenda, allowance, batch)
                self._charge(allowance)

    def receive(self, topic: str, record: Record, event: Event) -> None:
        """Apply a record that has just been counted into the positions, or put it in line."""
        if event.type not in HANDLERS:  # a service: nothing is decided by more than its id
            return
        positions = self._state.positions
        basis = {name: positions[name] - 1 for name in TOPICS if name in positions}
        agenda = Agenda(self._state, event.company_id)
        if agenda.busy:
            agenda.park(sum(positions.values()), Parked.of(topic, record, basis))
        else:
            allowance = self._allowance()
            self._apply(event, record.timestamp, basis, allowance)
            self._charge(allowance)

    def _allowance(self) -> Allowance:
        return Allowance(min(self._part, self._left))

    def _charge(self, allowance: Allowance) -> None:
        self._left -= allowance.taken

    def _go_on_with(self, agenda: Agenda, allowance: Allowance, batch: Batch) -> None:
        unfinished = agenda.unfinished()
        if unfinished is not None:
            work, progress = unfinished
            case = Case(self._company(agenda.company_id), work.cause, self._effects)
            done = self._work(case, work.task, progress, allowance)
            case.staffing.flush()
            if not done:
                return
            agenda.finish()
        for key in agenda.line():
            if not allowance.take():
                return
            parked = agenda.take(key)
            if (parked.topic, parked.offset) in batch.skip:
                return  # to the next one in another step: a line of such records costs little more than any
            batch.at = parked.topic, parked
            event = decode(parked.topic, parked)
            done = self._apply(event, parked.timestamp, parked.basis, allowance)
            batch.at = None
            if not done:
                return

    def _apply(self, event: Event, timestamp: int, basis: dict[str, int], allowance: Allowance) -> bool:
        """Whether all that the record calls for is done."""
        version = getattr(event.data, "version", None)
        cause = Cause(event.id, event.source, event.id if version is None else str(version), timestamp, basis)
        company = self._company(event.company_id)
        company.memory.forget(timestamp)
        case = Case(company, cause, self._effects)
        task = HANDLERS[event.type](case, event)
        done = task is None or self._work(case, task, Progress(), allowance)
        company.staffing.flush()
        return done

    def _work(self, case: Case, task: Task, progress: Progress, allowance: Allowance) -> bool:
        done = (
            (task.leaver is None or hand_over(case, task.leaver, allowance))
            and (task.bulk is None or assign_all(case, task.bulk, progress, allowance))
            and drain(case, task, allowance)
        )
        if not done:
            Agenda(self._state, case.company.id).put_off(case.cause, task, progress)
            self._hints.busy[case.company.id] = None
        return done

    def _company(self, company_id: str) -> Company:
        return Company.of(company_id, self._state, self._hints)
