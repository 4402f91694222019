"""Customers of whom one message each has something to tell: what goes wrong on the way to them, or a wish."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from streams.demo.appointments import Appointments, Timed, move
from streams.demo.entities import Entity, Happened
from streams.demo.telling import SALON, WORKSHOP
from streams.demo.world import World
from streams.simulator import Fault, Kind, Receipt, Rule
from streams.simulator.protocols import twilio

REFUSED, RESTING, UNSUBSCRIBED = "cu-refused", "cu-resting", "cu-unsubscribed"
STOPPED, LANDLINE, SLOW = "cu-stopped", "cu-landline", "cu-slow"
"""Their ids."""
REFUSED_ADDRESS = "nora.vertippt@kunden.example"
STOPPED_NUMBER, LANDLINE_NUMBER, SLOW_NUMBER = "+4915200000002", "+493022334455", "+4915200000004"
QUIET = {"start": "06:00", "end": "12:00"}
TIMEOUT_SECONDS = 3.0
"""Real time, in which a provider must have answered: half an hour of the day."""

NOT_MOBILE = Rule(protocol=twilio.NAME, recipient=LANDLINE_NUMBER, fault=Fault(kind=Kind.REFUSE, code=21614))
TOO_SLOW = Rule(
    protocol=twilio.NAME,
    recipient=SLOW_NUMBER,
    fault=Fault(
        kind=Kind.SLOW,
        seconds=TIMEOUT_SECONDS + 3,
        receipts=(Receipt(status="delivered", after_seconds=TIMEOUT_SECONDS + 0.8),),
    ),
)
"""The receipt comes when nobody waits for the answer any more."""


class Person(NamedTuple):
    name: str
    company_id: str
    booked: timedelta
    """After midnight."""
    reached: dict[str, Any]
    moved: timedelta | None = None


def _at(hour: int, minute: int) -> timedelta:
    return timedelta(hours=hour, minutes=minute)


PEOPLE = {
    REFUSED: Person("Nora Vertippt", SALON, _at(8, 35), {"email": REFUSED_ADDRESS, "phone": "+4915200000001"}),
    STOPPED: Person(
        "Stefan Stopp",
        WORKSHOP,
        _at(8, 40),
        {"email": "stefan.stopp@kunden.example", "phone": STOPPED_NUMBER},
        moved=_at(10, 40),
    ),
    RESTING: Person("Nils Nachtschicht", SALON, _at(8, 55), {"email": "nils.nachtschicht@kunden.example"}),
    UNSUBSCRIBED: Person("Ute Ohnepost", SALON, _at(9, 15), {"email": "ute.ohnepost@kunden.example"}),
    LANDLINE: Person("Rolf Festnetz", WORKSHOP, _at(9, 35), {"phone": LANDLINE_NUMBER}),
    SLOW: Person(
        "Lena Langsam", WORKSHOP, _at(10, 20), {"email": "lena.langsam@kunden.example", "phone": SLOW_NUMBER}
    ),
}


def preferences(company_id: str) -> Iterator[Happened]:
    """One works at night and sleeps until noon; one wants no e-mail at all."""
    for customer_id, wish in (
        (RESTING, {"quiet_hours": QUIET}),
        (UNSUBSCRIBED, {"unsubscribed": [{"channel": "email"}]}),
    ):
        preferences = Entity(company_id, "customer_preferences", {"customer_id": customer_id, **wish})
        yield preferences.event("customer_preferences.upserted")


def bookings(world: World, appointments: Appointments) -> Iterator[Timed]:
    """Each books once, for next week; one then comes an hour later."""
    for number, (customer_id, person) in enumerate(PEOPLE.items()):
        branch = world.branches_of(person.company_id)[0]
        customer = {"customer_id": customer_id, "name": person.name, **person.reached}
        starts = world.day + timedelta(days=7, hours=15)
        appointment = appointments.book(f"case-{number + 1}", branch, starts, customer=customer)
        yield world.day + person.booked, appointment.event("appointment.created")
        if person.moved is not None:
            moved = move(appointment, starts, starts + timedelta(hours=1))
            yield world.day + person.moved, moved
