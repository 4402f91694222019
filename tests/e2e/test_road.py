"""The whole road: what a booking system writes, and what comes of it for people, operators and programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import System, system
from tests.support.booking import Booking, customer


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def configured(salon: Booking) -> list[Any]:
    types = ("appointment.created", "callback.received", "callback.assigned")
    return [
        salon.directory(
            "notification_config.upserted",
            f"cf-{event_type}",
            config_id=f"cf-{event_type}",
            level="company",
            level_id=salon.company_id,
            event_type=event_type,
            channel="email",
            fallback_channels=[],
            is_enabled=True,
            audience="staff" if event_type == "callback.assigned" else "customer",
        )
        for event_type in types
    ]


def test_an_appointment_and_a_callback_go_all_the_way(road: System) -> None:
    """An appointment and a callback go in; three mails, a decision and its explanation come out."""
    worker = road.ready()
    salon = Booking("co-1")
    road.send(salon.company(), salon.branch(), salon.service(), salon.staff("st-1"), *configured(salon))
    road.send(
        salon.appointment(customer=customer()),
        salon.callback(customer=customer(customer_id="cu-2", email="c@kundin.example")),
    )
    road.check()
    print(worker.get("/metrics")[1])
    print([m.recipient for m in road.box.mails])
    print(road.staffetta("explain", "cb-1").stdout)
