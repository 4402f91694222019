"""What becomes of a message after the provider took it over: from the simulated providers through the webhooks."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.simulator import Fault, Kind, Receipt, Rule, Simulator, World
from streams.simulator.protocols import twilio
from tests.e2e.system import System, system
from tests.integration.test_phones import accounts, ask, told, wait_for
from tests.support.simulated import simulated
from tests.support.smtp import closed_port
from tests.support.waiting import wait_until

ANNA = "+4915112345678"


@pytest.fixture
def public_url() -> str:
    """Where the worker will be; whoever gives messages a way back has to know before it runs."""
    with closed_port() as port:
        return f"http://127.0.0.1:{port}"


@pytest.fixture
def providers(public_url: str) -> Iterator[Simulator]:
    with simulated(World(public_url=public_url)) as simulator:
        yield simulator


@pytest.fixture
def road(bootstrap: str, tmp_path: Path, providers: Simulator, public_url: str) -> Iterator[System]:
    port = public_url.rpartition(":")[2]
    settings = {**accounts(providers), "public_url": public_url, "web_port": port}
    with system(bootstrap, tmp_path, unconfirmed_grace_seconds=30, **settings) as road:
        road.ready("--role", "deliver")
        yield road


def reasons(road: System, notification_id: str) -> list[str | None]:
    return [
        event["data"].get("reason")
        for event in road.events("delivery.outcomes")
        if event["data"]["notification_id"] == notification_id
    ]


def test_delivered_and_read(road: System) -> None:
    """A message is told as sent, then delivered, then read."""
    ask(road, "n-1", "whatsapp")
    wait_for(road, "n-1", ("sent", "whatsapp", 1), ("delivered", "whatsapp", 1), ("delivered", "whatsapp", 1))
    assert reasons(road, "n-1") == [None, None, "read"]


def test_failed_on_the_way(road: System, providers: Simulator) -> None:
    """An SMS that was accepted and never reached its phone goes to the next channel; a number that is dead is not
    tried again."""
    failed = (Receipt(status="sent"), Receipt(status="undelivered", code=30005))
    providers.world.rules.add(Rule(fault=Fault(receipts=failed)))
    ask(road, "n-1", "sms", "email")
    wait_for(road, "n-1", ("sent", "sms", 1), ("fell_back", "sms", 1), ("sent", "email", 1))
    assert reasons(road, "n-1") == [None, "dead_address", None]
    ask(road, "n-2", "sms", "email")
    wait_for(road, "n-2", ("fell_back", "sms", 1), ("sent", "email", 1))
    assert len(providers.world.accepted) == 1


def test_a_receipt_clears_a_doubt(road: System, providers: Simulator) -> None:
    """An SMS of which nobody knew whether it arrived is told as delivered when its receipt comes, which names it
    though we never had the provider's id."""
    late = (Receipt(status="delivered", after_seconds=1),)
    providers.world.rules.add(Rule(fault=Fault(kind=Kind.CUT, accepts=True, receipts=late)))
    ask(road, "n-1", "sms")
    wait_for(road, "n-1", ("unconfirmed", "sms", 1), ("delivered", "sms", 1))
    (message,) = providers.world.accepted
    assert road.events("delivery.outcomes")[-1]["data"]["provider_message_id"] == message.id


def test_a_receipt_spares_the_retry(road: System, providers: Simulator) -> None:
    """An SMS that the provider was too busy for, and delivered all the same, is not sent a second time."""
    late = (Receipt(status="delivered", after_seconds=0.5),)
    busy = Fault(kind=Kind.REFUSE, code=20429, accepts=True, receipts=late)
    providers.world.rules.add(Rule(fault=busy, times=1))
    road.ready("--role", "retry", web_port=0)
    ask(road, "n-1", "sms", "email", retry_schedule_seconds=[5])
    wait_for(road, "n-1", ("retrying", "sms", 1), ("delivered", "sms", 1))
    (message,) = providers.world.accepted
    assert road.events("delivery.outcomes")[-1]["data"]["provider_message_id"] == message.id
    assert road.box.to("n-1@example.com") == []


def test_disorder(road: System, providers: Simulator) -> None:
    """Receipts that come twice, forged or in the wrong order change nothing that is right already."""
    mess = (
        Receipt(status="undelivered", code=30005, forged=True),
        Receipt(status="delivered", times=3),
        Receipt(status="sent", times=2),
    )
    providers.world.rules.add(Rule(fault=Fault(receipts=mess)))
    ask(road, "n-1", "sms", "email")
    wait_for(road, "n-1", ("sent", "sms", 1), ("delivered", "sms", 1))
    wait_until(lambda: len(providers.world.posted) == 6, "all receipts", 60)
    assert [posted.status for posted in providers.world.posted] == [403, 200, 200, 200, 200, 200]
    ask(road, "n-2", "email")
    wait_for(road, "n-2", ("sent", "email", 1))
    assert told(road, "n-1") == [("sent", "sms", 1), ("delivered", "sms", 1)]


def inbound(road: System, providers: Simulator, text: str) -> None:
    """Anna writes to our number; until it is known to all."""
    said = {"protocol": "twilio", "from": ANNA, "to": twilio.FROM, "text": text}
    url = f"{providers.control.url}/inbound"
    before = len(providers.world.posted)
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(said).encode(), method="POST"), timeout=10)
    wait_until(lambda: len(providers.world.posted) > before, "the webhook's answer", 60)
    assert providers.world.posted[-1].status == 200
    wait_until(lambda: road.lag(["deliver"]) == 0, "all that was written is read", 60)


def test_stop_and_start(road: System, providers: Simulator) -> None:
    """Who writes STOP gets no SMS any more, and the provider is not even asked; after START they do."""
    inbound(road, providers, "Stop")
    ask(road, "n-1", "sms", "email")
    wait_for(road, "n-1", ("fell_back", "sms", 1), ("sent", "email", 1))
    assert reasons(road, "n-1") == ["unsubscribed", None]
    assert providers.world.counts.total() == 0
    inbound(road, providers, "START")
    ask(road, "n-2", "sms", "email")
    wait_until(lambda: told(road, "n-2")[:1] == [("sent", "sms", 1)], "an SMS", 60)
