"""`deliver` as a worker of its own, between a real Kafka and the simulated FCM and browsers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import encode
from streams.clock import utc
from streams.simulator import At, Fault, Kind, Rule, Simulator
from streams.simulator.protocols import webpush
from tests.e2e.system import System, system
from tests.integration.test_phones import told, wait_for
from tests.support.simulated import simulated
from tests.support.waiting import wait_until
from tests.unit.delivery.support import NOW, request

TEMPLATE = {"template_id": "builtin", "version": 0}
CONTENTS = {
    "push": {"subject": "Ihr Termin", "body_text": "per Push", "template": TEMPLATE},
    "sms": {"body_text": "per SMS", "template": TEMPLATE},
}
TOKEN = {"fcm_token": "fJx7:APA91bH-anna"}


@pytest.fixture
def providers() -> Iterator[Simulator]:
    with simulated() as simulator:
        yield simulator


@pytest.fixture
def road(bootstrap: str, tmp_path: Path, providers: Simulator) -> Iterator[System]:
    settings = {name.removeprefix("STAFFETTA_").lower(): value for name, value in providers.settings().items()}
    with system(bootstrap, tmp_path, unconfirmed_grace_seconds="1", **settings) as road:
        yield road


def ask(road: System, notification_id: str, push: dict[str, Any], *fallbacks: str) -> None:
    person = {"type": "customer", "id": "cu-1", "name": "Anna Müller", "phone": "+4915112345678", "push": push}
    data = request(
        "co-7",
        notification_id,
        channel="push",
        fallback_channels=fallbacks,
        contents=CONTENTS,
        recipient=person,
        retry_schedule_seconds=[1],
    )
    value = encode(
        "notification.attempt_due",
        id=f"{notification_id}:push:1",
        source="/staffetta/notify",
        time=utc(NOW),
        subject=None,
        company_id="co-7",
        data=data,
    )
    road.produce("delivery.push", b"co-7", value)
    road.flush()


def browser(providers: Simulator) -> dict[str, Any]:
    return {"web_push": webpush.subscription(providers.doors[webpush.NAME].url, "anna")}


def test_app_and_browser(road: System, providers: Simulator) -> None:
    """Whoever has the app is reached there, whoever has a browser there; each reads what the request says."""
    road.ready("--role", "deliver")
    ask(road, "n-1", TOKEN)
    ask(road, "n-2", browser(providers))
    wait_for(road, "n-1", ("sent", "push", 1))
    wait_for(road, "n-2", ("sent", "push", 1))
    said = {message.call.protocol: message.call.content for message in providers.world.accepted}
    assert said["fcm"]["notification"] == {"title": "Ihr Termin", "body": "per Push"}
    assert said["fcm"]["android"]["collapse_key"] == "n-1"
    assert said["webpush"]["payload"]["notification"] == {"title": "Ihr Termin", "body": "per Push"}


def test_a_token_that_is_gone(road: System, providers: Simulator) -> None:
    """The next channel is used, and the token is not tried again for the next message."""
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code="UNREGISTERED"), protocol="fcm"))
    road.ready("--role", "deliver")
    road.ready("--role", "retry")
    for notification_id in ("n-1", "n-2"):
        ask(road, notification_id, TOKEN, "sms")
        wait_for(road, notification_id, ("fell_back", "push", 1), ("sent", "sms", 1))
    assert providers.world.counts == {("fcm", "refuse"): 1, ("twilio", "accept"): 2}


@pytest.mark.parametrize("kind", ["app", "browser"])
def test_in_doubt(road: System, providers: Simulator, kind: str) -> None:
    """What may have arrived is sent once more, under the name by which the device knows it as the same."""
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.CUT, accepts=True), times=1))
    road.ready("--role", "deliver")
    ask(road, "n-1", TOKEN if kind == "app" else browser(providers), "sms")
    wait_for(road, "n-1", ("unconfirmed", "push", 1), ("sent", "push", 1))
    first, again = (message.call.correlation for message in providers.world.accepted)
    assert first == again is not None


def test_without_access_tokens(road: System, providers: Simulator) -> None:
    """While Google refuses the service account no attempt is counted, of whatever message; once it is mended all
    are sent."""
    rules = providers.world.rules
    refusing = rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code="invalid_grant"), at=At.TOKEN))
    road.ready("--role", "deliver")
    road.ready("--role", "retry")
    asked = ("n-1", "n-2", "n-3")
    for notification_id in asked:
        ask(road, notification_id, TOKEN)
    wait_until(lambda: sum(struck for _, _, struck in rules) >= 3, "probes", 60)
    assert [told(road, notification_id) for notification_id in asked] == [[], [], []]
    assert providers.world.accepted == []
    rules.remove(refusing)
    for notification_id in asked:
        wait_for(road, notification_id, ("sent", "push", 1))
    assert len(providers.world.accepted) == 3


def test_no_secret_in_outcomes(road: System, providers: Simulator) -> None:
    """Neither token, endpoint, keys nor text is in what is told, whatever went wrong."""
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code="INVALID_ARGUMENT"), protocol="fcm"))
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=400), protocol="webpush"))
    road.ready("--role", "deliver")
    anna = browser(providers)
    ask(road, "n-1", TOKEN)
    ask(road, "n-2", anna)
    wait_for(road, "n-1", ("failed", "push", 1))
    wait_for(road, "n-2", ("failed", "push", 1))
    assert len(told(road, "n-1")) == 1
    outcomes = str(road.events("delivery.outcomes"))
    subscription = anna["web_push"]
    for secret in (
        TOKEN["fcm_token"],
        subscription["endpoint"],
        *subscription["keys"].values(),
        "per Push",
        "Anna",
    ):
        assert secret not in outcomes
