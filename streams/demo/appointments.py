"""The demo's appointments: most are days ahead, some so soon that people are reminded of them within the day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from streams.demo import telling
from streams.demo.entities import Entity, Happened
from streams.demo.world import World

APPOINTMENTS = 400
REMINDED = 60
QUARTER = timedelta(minutes=15)

Timed = tuple[datetime, Happened]


class Fate(StrEnum):
    """What becomes of an appointment before its reminder falls due."""

    KEPT = "kept"
    MOVED = "moved"
    CANCELLED = "cancelled"


FATES = (Fate.KEPT, Fate.MOVED, Fate.KEPT, Fate.CANCELLED, Fate.KEPT)


class Reminder(NamedTuple):
    """When somebody is to be reminded; of a cancelled appointment: when they would have been."""

    company_id: str
    appointment_id: str
    due: datetime
    fate: Fate


class Appointments:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng
        self.reminders: list[Reminder] = []
        """Those that `soon` has come to."""

    def book(self, appointment_id: str, branch: Entity, starts_at: datetime, **fields: Any) -> Entity:
        service = self._rng.choice(self._world.services[branch.company_id])
        data = {
            "appointment_id": appointment_id,
            "branch_id": branch.data["branch_id"],
            "service_id": service.data["service_id"],
            "staff_id": self._rng.choice(self._world.staff_of(branch)).data["staff_id"],
            "customer": self._world.customer(),
            "starts_at": starts_at.isoformat(),
            "duration_minutes": service.data["duration_minutes"],
            "status": "booked",
            "links": {"manage": f"https://termine.example/{appointment_id}"},
        }
        if branch.company_id == telling.SALON:
            data["extra"] = {"chair": str(self._rng.randint(1, 9))}
        return Entity(branch.company_id, "appointment", {**data, **fields})

    def later(self) -> Iterator[Timed]:
        """Made today, to be reminded of on another day."""
        for number in range(APPOINTMENTS):
            made = self._world.moment()
            starts = made + timedelta(days=self._rng.randint(2, 20)) + QUARTER * self._rng.randint(0, 20)
            appointment = self.book(f"ap-{number + 1}", self._rng.choice(self._world.branches), starts)
            yield made, appointment.event("appointment.created")
            yield from self._aftermath(appointment, made, starts)

    def _aftermath(self, appointment: Entity, made: datetime, starts: datetime) -> Iterator[Timed]:
        later, luck = made + timedelta(minutes=self._rng.randint(5, 90)), self._rng.random()
        if luck < 0.15:
            moved = starts + timedelta(hours=self._rng.choice([-2, 1, 24]))
            yield later, move(appointment, starts, moved)
        elif luck < 0.25:
            yield later, _cancelled(appointment)
        elif luck < 0.35:
            yield later, appointment.event("appointment.updated", notes="Bitte Parkplatz freihalten")

    def soon(self) -> Iterator[Timed]:
        """The reminder falls due today. What is moved or cancelled is so long before, and by somebody with an
        e-mail address."""
        for number in range(REMINDED):
            fate = FATES[number // 2 % len(FATES)]
            company_id = (telling.SALON, telling.PRACTICE)[number % 2]
            branch = self._rng.choice(self._world.branches_of(company_id))
            made = self._world.day + timedelta(hours=7, minutes=self._rng.randint(10, 200))
            starts = self._start(company_id, made)
            appointment = self.book(f"soon-{number + 1}", branch, starts)
            appointment.data["customer"]["email"] = f"bald{number + 1}@kunden.example"
            yield made, appointment.event("appointment.created")
            change = made + timedelta(minutes=self._rng.randint(20, 50))
            if fate is Fate.MOVED:
                before, starts = starts, starts + timedelta(hours=self._rng.choice([1, 2]))
                yield change, move(appointment, before, starts)
            elif fate is Fate.CANCELLED:
                yield change, _cancelled(appointment)
            due = telling.due(company_id, starts, branch.data["timezone"])
            self.reminders.append(Reminder(company_id, appointment.data["appointment_id"], due, fate))

    def _start(self, company_id: str, made: datetime) -> datetime:
        """Today in the afternoon where people are reminded on the day itself, else tomorrow, on a full quarter."""
        if company_id == telling.SALON:
            hour = made.replace(minute=0) + timedelta(hours=5)
            return hour + QUARTER * self._rng.randint(0, 3)
        return self._world.day + timedelta(days=1, hours=9) + QUARTER * self._rng.randint(0, 28)


def move(appointment: Entity, before: datetime, after: datetime) -> Happened:
    change = {"starts_at": after.isoformat(), "previous_starts_at": before.isoformat()}
    return appointment.event("appointment.rescheduled", **change)


def _cancelled(appointment: Entity) -> Happened:
    return appointment.event("appointment.cancelled", status="cancelled")
