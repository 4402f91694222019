"""The lane's workload: bookings of 200 companies, 20 staff each; every event loads one person and names another.

Small on purpose: what is measured is the loop around it. Every worker runs this same code.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from bench.job import Job
from bench.kafka import Made

STAFF = [f"staff-{number:02d}" for number in range(20)]
COMPANIES = 200
SERVICES = ("haircut", "colouring", "massage", "physio", "consult")
WARM_UP = 2000

State = dict[str, int]


class Bookings:
    """See `bench.kafka.Load`."""

    inputs: Sequence[str] = ("events",)
    answers = "decisions"
    origin = 0.0

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def group(self, job: Job) -> str:
        return job.group

    def topics(self, job: Job) -> list[str]:
        return [job.events, job.decisions, job.changelog]

    def before(self) -> Iterator[Made]:
        return self.events(WARM_UP)

    def events(self, count: int) -> Iterator[Made]:
        for _ in range(count):
            self._count += 1
            yield self._event(self._count)

    def caused_by(self, answer: bytes) -> str:
        cause: str = orjson.loads(answer)["event_id"]
        return cause

    def _event(self, number: int) -> Made:
        rng = self._random
        company = f"company-{rng.randrange(COMPANIES):04d}"
        value: dict[str, Any] = {
            "event_id": f"evt-{number:012d}",
            "type": "booking.created",
            "company_id": company,
            "booking_id": f"bk-{rng.randrange(10**9):09d}",
            "staff_id": STAFF[rng.randrange(len(STAFF))],
            "service": SERVICES[number % len(SERVICES)],
            "starts_at": "2026-11-22T10:00:00Z",
            "duration_minutes": 45,
            "customer": {
                "id": f"cust-{rng.randrange(10**6):06d}",
                "name": "Jane Example",
                "email": "jane@example.com",
            },
        }
        return Made("events", company.encode(), orjson.dumps(value), value["event_id"])


def decide(state: State, value: bytes) -> bytes:
    """Count the event's person, name the least loaded one; `state` of its company is changed in place."""
    happened: dict[str, Any] = orjson.loads(value)
    person = happened["staff_id"]
    state[person] = state.get(person, 0) + 1
    best, least = STAFF[0], state.get(STAFF[0], 0)
    for candidate in STAFF:
        load = state.get(candidate, 0)
        if load < least:
            best, least = candidate, load
    return orjson.dumps(
        {
            "decision_id": "d-" + happened["event_id"],
            "event_id": happened["event_id"],
            "company_id": happened["company_id"],
            "booking_id": happened["booking_id"],
            "staff_id": best,
            "load": least,
            "reason": "least_loaded",
        }
    )
