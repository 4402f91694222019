"""The chain that the demo plays: companies, branches, services, staff and configurations, as directory events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo.names import BERLIN, FIRST_NAMES, LAST_NAMES, TRADES, Trade

STAFF = 60
EARLY, LATE = ("07:00", "15:00"), ("11:00", "19:00")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

CUSTOMER_MAIL = (
    "appointment.created",
    "appointment.updated",
    "appointment.rescheduled",
    "appointment.cancelled",
    "appointment.deleted",
    "callback.received",
)
STAFF_MAIL = ("callback.assigned", "callback.withdrawn")


@dataclass(slots=True)
class Entity:
    """Something with a version, as it stands; `event` is the next thing that happens to it."""

    company_id: str
    kind: str
    data: dict[str, Any]
    version: int = 0

    def event(self, type: str, **changes: Any) -> tuple[str, dict[str, Any]]:
        """(event type, data) of its next version."""
        self.version += 1
        self.data.update(changes)
        return type, {"company_id": self.company_id, "version": self.version, **self.data}


@dataclass(slots=True)
class World:
    day: datetime
    """Midnight in Berlin."""
    rng: Random
    branches: list[Entity] = field(default_factory=list)
    services: dict[str, list[Entity]] = field(default_factory=dict)
    staff: list[Entity] = field(default_factory=list)
    customers: int = 0

    def directory(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Everything that exists when the day begins."""
        for trade in TRADES:
            company = Entity(trade.company_id, "company", {})
            yield company.event(
                "company.upserted", name=trade.name, locale="de", timezone=BERLIN, sender_name=trade.sender
            )
            yield from self._services(trade)
            yield from self._branches(trade)
            yield from self._configurations(trade)
        for number in range(STAFF):
            yield self._person(number)

    def staff_of(self, branch: Entity) -> list[Entity]:
        return [person for person in self.staff if branch.data["branch_id"] in person.data["branch_ids"]]

    def customer(self) -> dict[str, Any]:
        """Somebody new; now and then English, or without an e-mail address."""
        self.customers += 1
        first, last = self.rng.choice(FIRST_NAMES), self.rng.choice(LAST_NAMES)
        customer: dict[str, Any] = {"customer_id": f"cu-{self.customers}", "name": f"{first} {last}"}
        customer["phone"] = f"+4915100{self.customers:06d}"
        if self.rng.random() < 0.95:
            customer["email"] = f"kunde{self.customers}@kunden.example"
        if self.rng.random() < 0.15:
            customer["locale"] = "en"
        return customer

    def _services(self, trade: Trade) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, (name, minutes, confidential) in enumerate(trade.services):
            service = Entity(
                trade.company_id,
                "service",
                {
                    "service_id": f"se-{number + 1}",
                    "name": name,
                    "duration_minutes": minutes,
                    "confidential": confidential,
                },
            )
            self.services.setdefault(trade.company_id, []).append(service)
            yield service.event("service.upserted")

    def _branches(self, trade: Trade) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, (name, timezone, address) in enumerate(trade.branches):
            branch = Entity(
                trade.company_id,
                "branch",
                {
                    "branch_id": f"br-{number + 1}",
                    "name": name,
                    "timezone": timezone,
                    # One branch per company is assigned at the press of a button, all others by themselves.
                    "auto_assign": number != 1,
                    "strategy": "round_robin" if number % 2 else "load_based",
                    "address": address,
                    "phone": f"+4930900{len(self.branches):04d}",
                },
            )
            self.branches.append(branch)
            yield branch.event("branch.upserted")

    def _configurations(self, trade: Trade) -> Iterator[tuple[str, dict[str, Any]]]:
        for event_type in (*CUSTOMER_MAIL, *STAFF_MAIL):
            config = Entity(
                trade.company_id,
                "notification_config",
                {
                    "config_id": f"cfg-{event_type}",
                    "level": "company",
                    "level_id": trade.company_id,
                    "event_type": event_type,
                    "channel": "email",
                    "fallback_channels": [],
                    "is_enabled": True,
                    "audience": "staff" if event_type in STAFF_MAIL else "customer",
                },
            )
            yield config.event("notification_config.upserted")

    def _person(self, number: int) -> tuple[str, dict[str, Any]]:
        home = self.branches[number % len(self.branches)]
        siblings = [branch for branch in self.branches if branch.company_id == home.company_id]
        branch_ids = {home.data["branch_id"]}
        if self.rng.random() < 0.2:
            branch_ids.add(self.rng.choice(siblings).data["branch_id"])
        services = self.services[home.company_id]
        shift = EARLY if number // len(self.branches) % 2 == 0 else LATE
        person = Entity(
            home.company_id,
            "staff",
            {
                "staff_id": f"st-{number + 1:02d}",
                "name": f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number * 7 % len(LAST_NAMES)]}",
                "email": f"st{number + 1:02d}@team.example",
                "branch_ids": sorted(branch_ids),
                "service_ids": [
                    service.data["service_id"] for service in services if self.rng.random() < 0.8 or number < 24
                ],
                "is_active": True,
                "accepts_callbacks": number % 15 != 14,
                "max_active_callbacks": self.rng.choice([None, 6, 8]),
                "working_hours": {day: [list(shift)] for day in WEEKDAYS[:6]},
                "absences": self._absences(number, home),
            },
        )
        self.staff.append(person)
        return person.event("staff.upserted")

    def _absences(self, number: int, branch: Entity) -> list[dict[str, str]]:
        if number % 10 != 9:
            return []
        start = self.day.astimezone(ZoneInfo(branch.data["timezone"])) + timedelta(hours=self.rng.randint(9, 12))
        return [{"from": start.isoformat(), "until": (start + timedelta(hours=2)).isoformat()}]
