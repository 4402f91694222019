"""One record being applied to one company: what every step of it needs at hand."""

from dataclasses import dataclass, field

from schemas.reasons import IntakeResult
from streams.batch import Effects
from streams.policy.assignment.cause import Cause
from streams.policy.assignment.company import Company
from streams.policy.assignment.rows import CallbackRow
from streams.policy.assignment.staffing import Staffing
from streams.policy.assignment.tasks import Task


@dataclass(slots=True)
class Case:
    company: Company
    cause: Cause
    effects: Effects
    lowered: set[str] = field(default_factory=set)
    """Whose load fell: those who wait at their branches can be helped."""

    @property
    def staffing(self) -> Staffing:
        return self.company.staffing

    @property
    def at(self) -> int:
        return self.cause.at

    def save(self, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> None:
        relieved = self.company.save(callback_id, before, row)
        if relieved is not None:
            self.lowered.add(relieved)

    def help_task(self) -> Task | None:
        """To decide those again who wait at the branches of people whose load fell, if anybody does."""
        if not self.lowered:
            return None
        people, pending = self.staffing.people, self.company.pending
        helpers = [people[staff_id] for staff_id in self.lowered if staff_id in people]
        branches = {branch for person in helpers for branch in person.branches if pending.waits(branch)}
        return Task(branches=sorted(branches)) if branches else None

    def count(self, topic: str, result: IntakeResult) -> None:
        self.effects.counted["staffetta_intake_total", topic, result] += 1
