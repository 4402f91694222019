"""Somebody wants no more reminders, and clicks."""

import email
import email.policy
import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError

import pytest

from schemas.event_types import OUTCOMES, RECEIPTS
from tests.e2e.messages import configuration, opening
from tests.e2e.system import System, system
from tests.e2e.workers import Worker
from tests.support.booking import Booking, Message, customer, iso
from tests.support.waiting import wait_until

ANNA = customer(customer_id="cu-1", email="anna@kunde.example")
PUBLIC_URL = "https://notify.example.org"


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path, public_url=PUBLIC_URL, webhook_port=0) as made:
        yield made


def opened(road: System) -> Booking:
    salon = Booking("co-7")
    reminder = configuration(salon, "appointment.reminder", minutes_before=1)
    road.send(*opening(salon, told=("appointment.created",)), reminder)
    return salon


def reminded(salon: Booking, appointment_id: str) -> Message:
    """An appointment whose reminder falls due now."""
    starts_at = datetime.now(UTC) + timedelta(seconds=62)
    return salon.appointment(appointment_id, starts_at=iso(starts_at), customer=ANNA)


def link(road: System) -> str:
    """From the last mail that has one, without what the world has before it."""
    parsed = (email.message_from_bytes(mail.content, policy=email.policy.default) for mail in road.box.mails)
    found = [mail["List-Unsubscribe"].strip(" <>") for mail in parsed if mail["List-Unsubscribe"]]
    assert found[-1].startswith(PUBLIC_URL)
    return str(found[-1].removeprefix(PUBLIC_URL))


def web(worker: Worker) -> str:
    """The address of the webhooks, on a port of their own."""
    return str(worker.wait_for_log("webhooks")[0]["url"])


def fetch(url: str, method: str = "GET", language: str = "de-DE,de;q=0.9") -> tuple[int, str]:
    asked = urllib.request.Request(url, method=method, headers={"Accept-Language": language})
    try:
        with urllib.request.urlopen(asked, timeout=30) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_one_click(road: System) -> None:
    """A reminder has a link. Opening it changes nothing; a click holds before the next reminder, and for reminders
    only. A link that was changed is refused, and says so."""
    worker = road.ready()
    salon = opened(road)
    road.send(reminded(salon, "ap-1"))
    worker.wait(lambda: len(road.box.to(ANNA["email"])) == 2, "the confirmation and the reminder")
    page = web(worker) + link(road)

    status, shown = fetch(page)
    assert (status, "Erinnerungen an Ihre Termine" in shown) == (200, True)
    assert re.search(r'<form method="post">', shown)
    assert "reminders of your appointments" in fetch(page, language="en")[1]
    assert road.events(RECEIPTS) == []

    changed = page[:-1] + ("A" if page[-1] != "A" else "Q")
    status, shown = fetch(changed, "POST")
    assert (status, "nicht gültig" in shown) == (403, True)
    assert road.events(RECEIPTS) == []

    assert fetch(page, "POST")[0] == 200
    [said] = road.events(RECEIPTS)
    assert (said["type"], said["data"]["event_type"]) == ("address.opted_out", "appointment.reminder")
    wait_until(lambda: road.lag(["deliver"]) == 0, "deliver has read it")

    road.send(reminded(salon, "ap-2"))
    worker.wait(lambda: len(road.box.to(ANNA["email"])) == 3, "the confirmation")
    failed = wait_until(lambda: _failed(road), "the end of the second reminder", 90)
    assert [event["data"]["reason"] for event in failed] == ["unsubscribed"]
    assert len(road.box.to(ANNA["email"])) == 3
    road.check()
    status, metrics = worker.get("/metrics")
    assert 'staffetta_webhook_requests_total{result="written",webhook="unsubscribe"} 1.0' in metrics
    assert 'staffetta_webhook_requests_total{result="wrong_signature",webhook="unsubscribe"} 1.0' in metrics


def _failed(road: System) -> list[dict[str, object]]:
    return [event for event in road.events(OUTCOMES) if event["type"] == "notification.failed"]
