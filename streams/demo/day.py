"""What happens on the demo's day, minute by minute: a timeline of records, fixed by the seed."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES
from streams.demo import cases, telling
from streams.demo.appointments import Appointments
from streams.demo.entities import Entity
from streams.demo.world import CLOSES, OPENS, World

CALLBACKS = 300
DUPLICATES = 25
OUT_OF_ORDER = 12
SOURCE = "/demo/booking"


@dataclass(frozen=True, slots=True)
class Planned:
    """A record to be: when, on which topic (no prefix), under which key."""

    at: datetime
    number: int
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = (CONTENT_TYPE_HEADER,)
    partition: int = -1

    @property
    def label(self) -> str:
        return f"event {self.number}"


class Day:
    """`push_service` is the URL with which the endpoints of customers' browsers begin."""

    def __init__(self, midnight: datetime, seed: int, push_service: str) -> None:
        self._rng = Random(seed)
        self.world = World(midnight, self._rng, push_service)
        self.midnight = midnight
        self._plan: list[Planned] = []
        known = *self.world.directory(), *cases.preferences(telling.SALON)
        self.directory = [self._record(midnight + OPENS, *event) for event in known]
        self._plan_appointments()
        self._plan_callbacks()
        self._plan_commands()
        self._plan_departure()
        self._plan_slip()
        self._plan_repeats()
        self._plan_poison()

    @property
    def timeline(self) -> list[Planned]:
        """After the directory, in the order of time."""
        return sorted(self._plan, key=lambda planned: (planned.at, planned.number))

    def _plan_appointments(self) -> None:
        appointments = Appointments(self.world)
        self.reminders = appointments.reminders
        for plan in (appointments.later(), appointments.soon(), cases.bookings(self.world, appointments)):
            for at, happened in plan:
                self._add(at, *happened)

    def _plan_callbacks(self) -> None:
        for number in range(CALLBACKS):
            branch = self._rng.choice(self.world.branches)
            asked = self.world.moment()
            service = self._rng.choice([None, *self.world.services[branch.company_id]])
            callback = Entity(
                branch.company_id,
                "callback",
                {
                    "callback_id": f"cb-{number + 1}",
                    "branch_id": branch.data["branch_id"],
                    "service_id": service.data["service_id"] if service else None,
                    "customer": self.world.customer(),
                    "priority": self._rng.choices(["normal", "high", "urgent"], [7, 2, 1])[0],
                    "status": "pending",
                    "requested_at": asked.isoformat(),
                },
            )
            if self._rng.random() < 0.1:
                callback.data["staff_id"] = self._rng.choice(self.world.staff_of(branch)).data["staff_id"]
            if self._rng.random() < 0.1:
                callback.data["expires_at"] = (asked + timedelta(hours=3)).isoformat()
            self._add(asked, *callback.event("callback.requested"))
            self._add_call(callback, asked)

    def _add_call(self, callback: Entity, asked: datetime) -> None:
        """Most people are called within some hours."""
        called = asked + timedelta(minutes=self._rng.randint(20, 150))
        if called > self.midnight + CLOSES or self._rng.random() < 0.1:
            return
        self._add(called, *callback.event("callback.contacted", status="contacted"))
        done = called + timedelta(minutes=10)
        self._add(done, *callback.event("callback.completed", status="completed"))

    def _plan_commands(self) -> None:
        """Somebody presses "Auto-Zuweisen" for the branches that do not assign by themselves."""
        manual = [branch for branch in self.world.branches if not branch.data["auto_assign"]]
        for number, branch in enumerate(manual):
            for hour in (9, 11, 13, 15, 17):
                data = {"company_id": branch.company_id, "branch_id": branch.data["branch_id"]}
                at = self.midnight + timedelta(hours=hour, minutes=number)
                self._add(at, "callback.bulk_auto_assign", {**data, "requested_by": "dispatch"})
        for number in range(0, CALLBACKS, 40):
            at = self.midnight + timedelta(hours=14, minutes=number)
            company = self._rng.choice(self.world.branches).company_id
            data = {"company_id": company, "callback_id": f"cb-{number + 1}", "reason": "Wunsch der Kundin"}
            self._add(at, "callback.reassign", data)

    def _plan_departure(self) -> None:
        """A colleague leaves at noon; what they had is somebody else's from then on."""
        person = self.world.staff[0]
        self.leaver = person.data["name"]
        self._add(self.midnight + timedelta(hours=12), *person.event("staff.upserted", is_active=False))

    def _plan_slip(self) -> None:
        """A template with a misspelt placeholder: it is refused, and the one before it stays in force."""
        at = self.midnight + timedelta(hours=11, minutes=30)
        self._add(at, *telling.misspelt(self.world.templates[0]))

    def _plan_repeats(self) -> None:
        """A producer that sends twice, and one whose older news overtakes the newer."""
        changes = [planned for planned in self._plan if planned.topic != "assignment.commands"]
        for planned in self._rng.sample(changes, DUPLICATES):
            later = planned.at + timedelta(minutes=self._rng.randint(1, 60))
            self._plan.append(Planned(later, len(self._plan), planned.topic, planned.key, planned.value))
        for number in range(OUT_OF_ORDER):
            branch, starts = self._rng.choice(self.world.branches), self.midnight + timedelta(days=3, hours=12)
            appointment = Appointments(self.world).book(f"late-{number + 1}", branch, starts)
            at = self.world.moment()
            first = appointment.event("appointment.created")
            second = appointment.event("appointment.cancelled", status="cancelled")
            self._add(at, *second)
            self._add(at + timedelta(minutes=1), *first)

    def _plan_poison(self) -> None:
        noon = self.midnight + timedelta(hours=12)
        company = self.world.branches[0].company_id.encode()
        broken: list[tuple[str, bytes, bytes]] = [
            ("booking.callbacks", company, b"\xff\xfe not a CloudEvent"),
            ("booking.appointments", company, b'{"specversion": "1.0", "type": "appointment.created"'),
            ("booking.directory", b"somebody-else", self.directory[0].value),
            ("assignment.commands", company, b"[]"),
        ]
        for number, (topic, key, value) in enumerate(broken):
            at = noon + timedelta(minutes=10 * number)
            self._plan.append(Planned(at, len(self._plan), topic, key, value))

    def _add(self, at: datetime, type: str, data: dict[str, Any]) -> None:
        self._plan.append(self._record(at, type, data))

    def _record(self, at: datetime, type: str, data: dict[str, Any]) -> Planned:
        kind = EVENT_TYPES[type]
        event = {
            "specversion": "1.0",
            "id": str(UUID(int=self._rng.getrandbits(128), version=4)),
            "source": SOURCE,
            "type": type,
            "time": at.isoformat(),
            "partitionkey": data["company_id"],
            "datacontenttype": "application/json",
            "data": {name: value for name, value in data.items() if value is not None},
        }
        value = json.dumps(event, ensure_ascii=False).encode()
        assert kind.topic is not None, f"{type} has no topic of its own"
        return Planned(at, len(self._plan), kind.topic, data["company_id"].encode(), value)
