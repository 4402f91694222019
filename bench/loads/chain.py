"""The role's workload: a chain's working day, as its booking system tells it.

Companies with branches and staff, in shifts, with services, absences and limits; callbacks that are asked for,
assigned, reached and done; commands, and staff that changes. Everything follows from the seed.
"""

import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bench.job import Job
from bench.kafka import Made
from schemas import encode
from streams.topics import changelog

DIRECTORY, CALLBACKS, COMMANDS = "booking.directory", "booking.callbacks", "assignment.commands"
MORNING = datetime(2026, 11, 16, 8, tzinfo=UTC)
"""A Monday."""
DAY_SECONDS = 8 * 3600
SERVICES = tuple(f"se-{number}" for number in range(1, 7))
SHIFTS = (["07:00", "15:00"], ["09:00", "17:00"], ["11:00", "20:00"])
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat")
SOURCE = "/bench/booking"
BY_HAND = 1
"""The number of the branch, in each company, that does not assign by itself."""


@dataclass(frozen=True, slots=True)
class Shape:
    companies: int = 200
    branches: int = 3
    staff: int = 8
    """Per branch."""
    waiting: int = 40
    """Callbacks per company that wait for a command when the day begins."""
    limits: tuple[int | None, ...] = (None, 20, 40)
    """Of a person's open callbacks, in turns."""


@dataclass(slots=True)
class Company:
    id: str
    key: bytes
    staff: list[dict[str, Any]] = field(default_factory=list)
    fresh: deque[dict[str, Any]] = field(default_factory=deque)
    """Callbacks that nobody has been reached about yet, the oldest first."""
    reached: deque[dict[str, Any]] = field(default_factory=deque)
    waiting: list[str] = field(default_factory=list)
    """Ids of those that wait for a command."""


class Chain:
    """See `bench.kafka.Load`."""

    inputs: Sequence[str] = (DIRECTORY, CALLBACKS, COMMANDS)
    answers = "assignment.decisions"
    origin = MORNING.timestamp()

    def __init__(self, shape: Shape = Shape(), seed: int = 7, day: int = 200_000) -> None:
        """`day`: how many events fill the working day."""
        self.shape = shape
        self._random = random.Random(seed)
        self._number = 0
        self._seconds_apart = DAY_SECONDS / day
        self.now = MORNING
        self.companies = [Company(f"co-{number}", b"co-%d" % number) for number in range(shape.companies)]

    def group(self, job: Job) -> str:
        return f"{job.prefix}staffetta-assign"

    def topics(self, job: Job) -> list[str]:
        written = (self.answers, "assignment.journal", "intake.dead-letters")
        return [job.prefix + topic for topic in (*self.inputs, *written, changelog("assign").name)]

    def caused_by(self, answer: bytes) -> str:
        cause: str = orjson.loads(answer)["data"]["caused_by"]
        return cause

    def before(self) -> Iterator[Made]:
        """The directory, and the callbacks that wait for a command."""
        for company in self.companies:
            yield self._made(company, "company.upserted", version=1, name=company.id, locale="de", timezone="UTC")
            for number in range(self.shape.branches):
                yield self._branch(company, number)
            for number in range(self.shape.branches * self.shape.staff):
                company.staff.append(self._person(number))
                yield self._made(company, "staff.upserted", **company.staff[-1])
        for company in self.companies:
            for _ in range(self.shape.waiting):
                callback = self._callback(company, f"br-{BY_HAND}")
                company.waiting.append(callback["callback_id"])
                yield self._made(company, "callback.requested", **callback)

    def events(self, count: int) -> Iterator[Made]:
        for number in range(count):
            self.now = MORNING + timedelta(seconds=number * self._seconds_apart)
            yield self._event(self._random.choice(self.companies), self._random.random())

    def request(self, company: Company) -> Made:
        """Somebody asks to be called back, at a branch that assigns by itself."""
        others = [number for number in range(self.shape.branches) if number != BY_HAND]
        callback = self._callback(company, f"br-{self._random.choice(others)}")
        company.fresh.append(callback)
        return self._made(company, "callback.requested", **callback)

    def finish(self, company: Company) -> Made:
        """The oldest open callback of the company is done."""
        return self._step(company, company.fresh, None, "completed")

    def _event(self, company: Company, luck: float) -> Made:
        if luck < 0.28 and company.fresh:
            return self._step(company, company.fresh, company.reached, "contacted")
        if luck < 0.52 and company.reached:
            return self._step(company, company.reached, None, "completed")
        if luck < 0.55 and company.fresh:
            return self._by_hand(company)
        if luck < 0.58 and company.waiting:
            return self._command(company, "callback.auto_assign", callback_id=company.waiting.pop())
        if luck < 0.60 and company.fresh:
            callback_id = self._random.choice(company.fresh)["callback_id"]
            return self._command(company, "callback.reassign", callback_id=callback_id, reason="asked for it")
        if luck < 0.602:
            return self._command(company, "callback.bulk_auto_assign", branch_id=f"br-{BY_HAND}")
        if luck < 0.61:
            return self._change(company)
        return self.request(company)

    def _step(
        self, company: Company, of: deque[dict[str, Any]], to: deque[dict[str, Any]] | None, status: str
    ) -> Made:
        callback = of.popleft()
        if to is not None:
            to.append(callback)
        callback["version"] += 1
        callback["status"] = status
        return self._made(company, f"callback.{status}", **callback)

    def _by_hand(self, company: Company) -> Made:
        callback = self._random.choice(company.fresh)
        callback["version"] += 1
        callback["status"] = "assigned"
        callback["assigned_to"] = self._random.choice(company.staff)["staff_id"]
        return self._made(company, "callback.assigned", **callback)

    def _change(self, company: Company) -> Made:
        """Somebody is away for an hour from now on, or leaves, or is back."""
        person = self._random.choice(company.staff)
        person["version"] += 1
        if not person["is_active"] or self._random.random() < 0.1:
            person["is_active"] = not person["is_active"]
        else:
            until = self.now + timedelta(hours=1)
            person["absences"] = [{"from": self.now.isoformat(), "until": until.isoformat()}]
        return self._made(company, "staff.upserted", **person)

    def _branch(self, company: Company, number: int) -> Made:
        return self._made(
            company,
            "branch.upserted",
            version=1,
            branch_id=f"br-{number}",
            name=f"Branch {number}",
            timezone="Europe/Berlin" if number else "Europe/London",
            auto_assign=number != BY_HAND,
            strategy="round_robin" if number % 2 else "load_based",
        )

    def _person(self, number: int) -> dict[str, Any]:
        rng, shift = self._random, SHIFTS[number // self.shape.branches % len(SHIFTS)]
        return {
            "version": 1,
            "staff_id": f"st-{number:03d}",
            "name": f"Person {number}",
            "email": f"st{number}@team.example",
            "branch_ids": [f"br-{number % self.shape.branches}"],
            "service_ids": [service for service in SERVICES if rng.random() < 0.7],
            "is_active": True,
            "accepts_callbacks": rng.random() < 0.95,
            "max_active_callbacks": self.shape.limits[number % len(self.shape.limits)],
            "working_hours": {day: [shift] for day in WEEKDAYS},
            "absences": [],
        }

    def _callback(self, company: Company, branch_id: str) -> dict[str, Any]:
        rng = self._random
        customer = rng.randrange(10**6)
        callback: dict[str, Any] = {
            "version": 1,
            "callback_id": f"cb-{self._number}",
            "branch_id": branch_id,
            "customer": {
                "customer_id": f"cu-{customer}",
                "name": "Erika Beispiel",
                "email": f"kunde{customer}@kunden.example",
                "phone": f"+49151{customer:08d}",
                "locale": "de",
            },
            "priority": rng.choice(["normal", "normal", "normal", "high", "urgent"]),
            "status": "pending",
            "requested_at": self.now.isoformat(),
            "expires_at": (self.now + timedelta(days=1)).isoformat(),
            "notes": "Please call about the appointment of next week.",
        }
        if rng.random() < 0.6:
            callback["service_id"] = rng.choice(SERVICES)
        if rng.random() < 0.2:
            callback["staff_id"] = rng.choice(company.staff)["staff_id"]
        return callback

    def _command(self, company: Company, type: str, **data: Any) -> Made:
        return self._made(company, type, **data)

    def _made(self, company: Company, type: str, **data: Any) -> Made:
        self._number += 1
        identity = f"ev-{self._number}"
        value = encode(
            type,
            id=identity,
            source=SOURCE,
            time=self.now,
            subject=None,
            company_id=company.id,
            data={"company_id": company.id, **data},
        )
        topic = COMMANDS if type in _COMMANDS else CALLBACKS if type.startswith("callback.") else DIRECTORY
        return Made(topic, company.key, value, identity, int(self.now.timestamp() * 1000))


_COMMANDS = frozenset({"callback.auto_assign", "callback.reassign", "callback.bulk_auto_assign"})
