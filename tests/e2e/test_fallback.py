"""One notification on its way through the channels, as topics, providers and `staffetta explain` tell of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.event_types import OUTCOMES, REQUESTS
from streams.simulator.protocols import twilio
from tests.e2e.messages import configuration, in_two_days, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, customer

ANNA = customer(customer_id="cu-1", name="Anna Müller", email="anna@kunde.example", phone="+4915112345678")
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path, with_providers=True) as made:
        yield made


def told(road: System) -> list[tuple[str, str, int]]:
    data = [(event["type"].removeprefix("notification."), event["data"]) for event in road.events(OUTCOMES)]
    return [(kind, each["channel"], each["attempt"]) for kind, each in data]


def test_refused_by_mail_and_delivered_by_sms(road: System) -> None:
    """The mail server refuses the address for good, so the same is told by SMS, and Twilio's receipt ends it.
    `explain` tells it so, and neither address nor text."""
    road.box.plan("RCPT", "550 5.1.1 no such user")
    worker = road.ready()
    salon = Booking("co-7")
    chain = configuration(salon, "appointment.created", fallback_channels=["sms", "push"])
    road.send(*opening(salon, told=()), chain, salon.appointment(starts_at=in_two_days(), customer=ANNA))
    course = [("fell_back", "email", 1), ("sent", "sms", 1), ("delivered", "sms", 1)]
    worker.wait(lambda: told(road) == course, f"{course}")
    [message] = road.providers.to(ANNA["phone"])
    assert message.call.protocol == twilio.NAME
    assert "Salon Anna" in message.call.content["Body"]

    road.check()
    shown = road.staffetta("explain", road.events(REQUESTS)[0]["data"]["notification_id"]).stdout
    lines = shown.splitlines()
    assert re.fullmatch(rf"Delivered, by sms, at {TIME}, after email \(dead_address\)\.", lines[1]), shown
    for line in (
        "  channels: email, then sms, then push (skipped: no_address)",
        "  by the company's configuration cf-appointment.created version 1",
        rf"{TIME} +attempt 1 +fell_back +dead_address +.*5\.1\.1.*",
        rf"{TIME} +attempt 1 +sent +twilio {message.id} *",
        rf"{TIME} +receipt +delivered +twilio {message.id} *",
    ):
        assert [each for each in lines if each == line or re.fullmatch(line, each)], shown
    secrets = ANNA["name"], ANNA["email"], ANNA["phone"], message.call.content["Body"]
    assert not [secret for secret in secrets if secret in shown]
