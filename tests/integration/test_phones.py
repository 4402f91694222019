"""`deliver` as a worker of its own, between a real Kafka and the simulated providers of SMS, WhatsApp and push."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import encode
from streams.clock import utc
from streams.simulator import Fault, Kind, Rule, Simulator
from tests.e2e.system import System, system
from tests.support.simulated import simulated
from tests.support.waiting import wait_until
from tests.unit.delivery.support import NOW, request

TEMPLATE = {"template_id": "builtin", "version": 0}
CONTENTS = {
    "email": {"subject": "Ihr Termin", "body_text": "per Mail", "template": TEMPLATE},
    "sms": {"body_text": "per SMS", "template": TEMPLATE},
    "push": {"subject": "Ihr Termin", "body_text": "per Push", "template": TEMPLATE},
    "whatsapp": {
        "body_text": "per WhatsApp",
        "template": TEMPLATE,
        "provider_template": {"name": "reminder", "language": "de", "parameters": ["Anna", "14:30"]},
    },
}


@pytest.fixture
def providers() -> Iterator[Simulator]:
    with simulated() as simulator:
        yield simulator


@pytest.fixture
def road(bootstrap: str, tmp_path: Path, providers: Simulator) -> Iterator[System]:
    with system(bootstrap, tmp_path, **accounts(providers)) as road:
        yield road


def accounts(providers: Simulator) -> dict[str, str]:
    """The settings of SMS, WhatsApp, and push to apps."""
    return {
        name.removeprefix("STAFFETTA_").lower(): value
        for name, value in providers.settings().items()
        if name.startswith(("STAFFETTA_TWILIO", "STAFFETTA_WHATSAPP", "STAFFETTA_FCM"))
    }


def ask(road: System, notification_id: str, channel: str, *fallbacks: str, **changes: Any) -> None:
    recipient = {
        "type": "customer",
        "id": "cu-1",
        "name": "Anna Müller",
        "email": f"{notification_id}@example.com",
        "phone": "+4915112345678",
        "push": {"fcm_token": "fJx7:APA91bH-anna"},
    }
    data = request(
        "co-7",
        notification_id,
        channel=channel,
        fallback_channels=fallbacks,
        contents=CONTENTS,
        recipient=recipient,
        **{"retry_schedule_seconds": [1], **changes},
    )
    value = encode(
        "notification.attempt_due",
        id=f"{notification_id}:{channel}:1",
        source="/staffetta/notify",
        time=utc(NOW),
        subject=None,
        company_id="co-7",
        data=data,
    )
    road.produce(f"delivery.{channel}", b"co-7", value)
    road.flush()


def told(road: System, notification_id: str) -> list[tuple[str, str, int]]:
    return [
        (event["type"].removeprefix("notification."), event["data"]["channel"], event["data"]["attempt"])
        for event in road.events("delivery.outcomes")
        if event["data"]["notification_id"] == notification_id
    ]


def wait_for(road: System, notification_id: str, *course: tuple[str, str, int]) -> None:
    wait_until(lambda: told(road, notification_id) == list(course), f"{course} of {notification_id}", 60)


def test_the_chain(road: System, providers: Simulator) -> None:
    """Refused by mail for good, put off by SMS once and then for good, it comes by WhatsApp, as its template; in
    another chain by push, in push's own words. Each provider was handed it as often as is told, and nobody else's
    text."""
    rules = providers.world.rules
    rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=20429), protocol="twilio", nth=1))
    rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=21614), protocol="twilio"))
    road.box.plan("RCPT", "550 5.1.1 no such user")
    road.ready("--role", "deliver")
    road.ready("--role", "retry")
    ask(road, "n-1", "email", "sms", "whatsapp")
    wait_for(
        road,
        "n-1",
        ("fell_back", "email", 1),
        ("retrying", "sms", 1),
        ("fell_back", "sms", 2),
        ("sent", "whatsapp", 1),
    )
    (message,) = providers.world.accepted
    sent = road.events("delivery.outcomes")[-1]["data"]
    assert (sent["provider"], sent["provider_message_id"]) == ("whatsapp", message.id)
    assert message.call.template == "reminder"
    assert message.call.correlation == "company=co-7&notification=n-1&channel=whatsapp&attempt=1"
    road.box.plan("RCPT", "550 5.1.1 no such user")
    ask(road, "n-2", "email", "sms", "push")
    wait_for(road, "n-2", ("fell_back", "email", 1), ("fell_back", "sms", 1), ("sent", "push", 1))
    _, pushed = providers.world.accepted
    assert pushed.call.content["notification"] == {"title": "Ihr Termin", "body": "per Push"}
    counts = {("twilio", "refuse"): 2, ("whatsapp", "accept"): 1, ("fcm", "accept"): 1}
    assert providers.world.counts == counts


def test_an_sms_in_doubt_is_not_repeated(road: System, providers: Simulator) -> None:
    """An SMS that was accepted without our hearing of it arrives once, and ends as unconfirmed."""
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.CUT, accepts=True), times=1))
    road.ready("--role", "deliver")
    ask(road, "n-1", "sms", "email")
    wait_for(road, "n-1", ("unconfirmed", "sms", 1), ("failed", "sms", 1))
    ask(road, "n-2", "sms")
    wait_for(road, "n-2", ("sent", "sms", 1))
    assert len(providers.world.accepted) == 2
    assert road.box.to("n-1@example.com") == []
    letters = {event["data"]["notification_id"]: event["data"] for event in road.events("delivery.dead-letters")}
    assert letters["n-1"]["reason"] == "unconfirmed"


def test_a_wrong_token(road: System, providers: Simulator) -> None:
    """With an account that is refused nothing is lost and no attempt is counted: once it is mended, it is sent."""
    refusing = providers.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=20003), protocol="twilio"))
    road.ready("--role", "deliver")
    road.ready("--role", "retry")
    ask(road, "n-1", "sms", retry_schedule_seconds=[])
    wait_until(lambda: providers.world.counts["twilio", "refuse"] >= 2, "two probes", 60)
    assert told(road, "n-1") == []
    providers.world.rules.remove(refusing)
    wait_for(road, "n-1", ("sent", "sms", 1))
    assert len(providers.world.accepted) == 1


def test_without_an_account(bootstrap: str, tmp_path: Path) -> None:
    """Where SMS is not set up, the next channel of the chain is used."""
    with system(bootstrap, tmp_path) as road:
        road.ready("--role", "deliver")
        ask(road, "n-1", "sms", "email")
        wait_for(road, "n-1", ("fell_back", "sms", 1), ("sent", "email", 1))
