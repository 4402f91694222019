"""The chain that the demo plays: companies, branches, services, staff, and how people are told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from streams.demo import telling
from streams.demo.entities import Entity, Happened
from streams.demo.names import BERLIN, FIRST_NAMES, LAST_NAMES, TRADES, Trade
from streams.demo.reach import Reach

OPENS, CLOSES = timedelta(hours=7), timedelta(hours=18)
STAFF = 60
EARLY, LATE = ("07:00", "15:00"), ("11:00", "19:00")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(slots=True)
class World:
    day: datetime
    """Midnight in Berlin."""
    rng: Random
    push_service: str
    """The URL with which the endpoints of customers' browsers begin."""
    branches: list[Entity] = field(default_factory=list)
    services: dict[str, list[Entity]] = field(default_factory=dict)
    staff: list[Entity] = field(default_factory=list)
    templates: list[Entity] = field(default_factory=list)
    customers: int = 0

    def directory(self) -> Iterator[Happened]:
        """Everything that exists when the day begins."""
        for trade in TRADES:
            company = Entity(trade.company_id, "company", {})
            yield company.event(
                "company.upserted", name=trade.name, locale="de", timezone=BERLIN, sender_name=trade.sender
            )
            yield from self._services(trade)
            yield from self._branches(trade)
            yield from self._templates(trade)
            yield from telling.configurations(trade.company_id)
        for number in range(STAFF):
            yield self._person(number)

    def branches_of(self, company_id: str) -> list[Entity]:
        return [branch for branch in self.branches if branch.company_id == company_id]

    def staff_of(self, branch: Entity) -> list[Entity]:
        """The branch's id is the company's own: others have one of the same name."""
        branch_id = branch.data["branch_id"]
        team = [person for person in self.staff if person.company_id == branch.company_id]
        return [person for person in team if branch_id in person.data["branch_ids"]]

    def customer(self) -> dict[str, Any]:
        """Somebody new; now and then English."""
        self.customers += 1
        first, last = self.rng.choice(FIRST_NAMES), self.rng.choice(LAST_NAMES)
        customer: dict[str, Any] = {"customer_id": f"cu-{self.customers}", "name": f"{first} {last}"}
        customer |= Reach(self.rng, self.push_service).of(self.customers)
        if self.rng.random() < 0.15:
            customer["locale"] = "en"
        return customer

    def moment(self) -> datetime:
        """Some time while the chain is open."""
        minutes = (CLOSES - OPENS).total_seconds() / 60
        return self.day + OPENS + timedelta(minutes=self.rng.uniform(5, minutes - 30))

    def _templates(self, trade: Trade) -> Iterator[Happened]:
        for template in telling.templates(trade.company_id):
            self.templates.append(template)
            yield template.event("template.upserted")

    def _services(self, trade: Trade) -> Iterator[Happened]:
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

    def _branches(self, trade: Trade) -> Iterator[Happened]:
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

    def _person(self, number: int) -> Happened:
        home = self.branches[number % len(self.branches)]
        siblings = self.branches_of(home.company_id)
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
                "phone": f"+4915300{number + 1:06d}",
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
