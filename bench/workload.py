"""The lane's workload: bookings of 200 companies, 20 staff each; every event loads one person and names another.

Small on purpose: what is measured is the loop around it. Every worker runs this same code.
"""

import random
from collections.abc import Iterator
from typing import Any

import orjson

STAFF = [f"staff-{number:02d}" for number in range(20)]
COMPANIES = 200
SERVICES = ("haircut", "colouring", "massage", "physio", "consult")

State = dict[str, int]


def events(count: int, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of each event."""
    rng = random.Random(seed)
    for number in range(count):
        yield event(number, rng)


def event(number: int, rng: random.Random, made_at: float = 0.0) -> tuple[bytes, bytes]:
    company = f"company-{rng.randrange(COMPANIES):04d}"
    value = {
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
        "made_at": made_at,
    }
    return company.encode(), orjson.dumps(value)


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
            "made_at": happened["made_at"],
        }
    )
