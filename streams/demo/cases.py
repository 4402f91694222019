"""Three customers of whom one mail each has something to tell: a wrong address, quiet hours, an unsubscription."""

from collections.abc import Iterator
from datetime import timedelta

from streams.demo.appointments import Appointments, Timed
from streams.demo.entities import Entity, Happened
from streams.demo.world import World

REFUSED, RESTING, UNSUBSCRIBED = "cu-refused", "cu-resting", "cu-unsubscribed"
"""Their ids."""
REFUSED_ADDRESS = "nora.vertippt@kunden.example"
QUIET = {"start": "06:00", "end": "12:00"}

_PEOPLE = {
    REFUSED: ("Nora Vertippt", REFUSED_ADDRESS),
    RESTING: ("Nils Nachtschicht", "nils.nachtschicht@kunden.example"),
    UNSUBSCRIBED: ("Ute Ohnepost", "ute.ohnepost@kunden.example"),
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
    """Each books once, for next week."""
    branch = world.branches[0]
    for number, (customer_id, (name, email)) in enumerate(_PEOPLE.items()):
        made = world.day + timedelta(hours=8, minutes=35 + 20 * number)
        customer = {"customer_id": customer_id, "name": name, "email": email}
        starts = world.day + timedelta(days=7, hours=15)
        appointment = appointments.book(f"case-{number + 1}", branch, starts, customer=customer)
        yield made, appointment.event("appointment.created")
