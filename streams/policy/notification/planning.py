"""Which reminders an appointment has, and when, by the configurations and the branch's zone as they stand.

Nothing of it is stored but what cannot be derived: which reminders are settled, because they were written, or
because they were past already when they came to be planned.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from schemas.reasons import Audience, NotificationType
from streams.policy.notification import rows
from streams.policy.notification.facts import Facts
from streams.policy.notification.memory import Memory
from streams.policy.notification.moments import Timing, moment
from streams.policy.notification.routing import Ids, first_level, levels
from streams.policy.notification.rows import DIRECTORY, REMINDERS, Config, Mark, Reminded

REMINDER = NotificationType.APPOINTMENT_REMINDER
BOOKED = "booked"


class Planned(NamedTuple):
    """One reminder: when, and who is reminded."""

    due: datetime
    audience: Audience
    person: str


Plan = dict[str, Planned]
"""Configuration id -> its reminder of one appointment."""


class Planner:
    """Makes plans for one company by its directory as it stands. What it has asked for once it does not ask again,
    so it must not outlive a change of the directory."""

    __slots__ = ("_configs", "_memory", "_zones")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._configs: dict[tuple[Audience, Ids], tuple[Config, ...]] = {}
        self._zones: dict[str, str] = {}

    def plan(self, facts: Facts | None) -> Plan:
        """None where the appointment does not take place, or nobody is to be reminded. A configuration that is
        switched off has its moment too: then it is told that, and why, nobody is reminded."""
        if facts is None or facts.status != BOOKED or facts.customer is None or facts.starts_at is None:
            return {}
        found: Plan = {}
        for audience, person in ((Audience.CUSTOMER, facts.customer.id), (Audience.STAFF, facts.staff_id)):
            if person is None:
                continue
            for config in self._deciding(audience, levels(facts, facts.staff_id, self._memory.company_id)):
                zone = self._zone(facts.branch_id)
                due = moment(facts.starts_at, config.reminder or Timing(), zone)
                if due is not None:
                    found[config.id] = Planned(due, audience, person)
        return found

    def _deciding(self, audience: Audience, ids: Ids) -> tuple[Config, ...]:
        found = self._configs.get((audience, ids))
        if found is None:
            decided = first_level(REMINDER, audience, ids, self._configs_at)
            found = self._configs[audience, ids] = decided[1] if decided is not None else ()
        return found

    def _configs_at(self, route: str) -> tuple[Config, ...]:
        row = self._memory.read(rows.Route, DIRECTORY, route)
        return row.configs if row is not None else ()

    def _zone(self, branch_id: str) -> str:
        zone = self._zones.get(branch_id)
        if zone is None:
            branch = self._memory.read(rows.Branch, DIRECTORY, f"branch/{branch_id}")
            zone = self._zones[branch_id] = branch.zone if branch is not None else ""
        return zone


def marks(appointment_id: str, memory: Memory) -> tuple[Mark, ...]:
    row = memory.read(Reminded, REMINDERS, appointment_id)
    return row.marks if row is not None else ()


def to_come(plan: Plan, settled: Iterable[Mark]) -> list[tuple[datetime, str]]:
    """(when, configuration id) of the reminders that nobody has written yet, in this order."""
    known = {(mark.config_id, mark.due) for mark in settled}
    return sorted((each.due, config_id) for config_id, each in plan.items() if (config_id, each.due) not in known)


def mark(
    appointment_id: str,
    memory: Memory,
    new: Iterable[Mark],
    keep: Callable[[Mark], bool] = lambda mark: True,
) -> None:
    """Note what is settled for an appointment that is known, for as long as it is: `new`, and of the marks that
    there are those to `keep`."""
    appointment = memory.read(rows.Appointment, rows.ENTITIES, f"appointment/{appointment_id}")
    assert appointment is not None
    before = memory.read(Reminded, REMINDERS, appointment_id)
    kept = [each for each in (before.marks if before is not None else ()) if keep(each)]
    here = {(each.config_id, each.due): each for each in (*kept, *new)}
    after = Reminded(appointment.forget_at, tuple(here.values()))
    if after != before and (here or before is not None):
        memory.write(REMINDERS, appointment_id, after)
