"""Who has opted out and wants messages again is entered by an operator, as docs/operations.md shows."""

import json
from typing import Any

import pytest

from schemas.reasons import ChannelName, DeliveryReason
from sinks.event_lines import parse_line
from streams.clock import utc
from streams.policy.delivery.results import Accepted, Permanent
from streams.policy.notification.identity import recipient_hash
from tests.unit.delivery.support import SilentChannel, Worker, request
from tests.unit.delivery.test_attempts import CONTENT, answer, ask
from tests.unit.delivery.test_receipts import hear

ADDRESSES = {"email": "anna@example.com", "sms": "+49"}


@pytest.fixture
def worker() -> Worker:
    return Worker(channels=[SilentChannel(), SilentChannel(ChannelName.SMS, recognises_repeats=False)])


def on(channel: str) -> dict[str, Any]:
    recipient = {"type": "customer", "id": "cu-1", "name": "Anna", "email": "anna@example.com", "phone": "+49"}
    return {"channel": channel, "contents": {channel: CONTENT}, "recipient": recipient}


def enter(worker: Worker, channel: str, seconds: float = 1, *, everywhere: bool = False, **fields: Any) -> None:
    """The operator's event, `seconds` after what it undoes."""
    data = {"channel": channel, "recipient_hash": recipient_hash(b"key", ADDRESSES[channel]), "source": "operator"}
    data |= {"at": utc(worker.clock.moment + seconds).isoformat(), **fields}
    event = {"specversion": "1.0", "id": "consent-1", "source": "/office", "type": "address.opted_in"}
    event |= {"partitionkey": "co-7", "data": data} if everywhere else {"data": {"company_id": "co-7", **data}}
    line = parse_line(1, json.dumps(event).encode())
    worker.send(worker.place(line.topic, line.key, line.value))


def is_sent(worker: Worker, channel: str) -> bool:
    another = request("co-7", f"another-{len(worker.events)}", **on(channel))
    worker.send(worker.record(another, f"delivery.{channel}"))
    return bool(worker.jobs)


def complain(worker: Worker) -> None:
    ask(worker, **on("email"))
    answer(worker, Accepted("<m>"))
    hear(worker, "complained", channel="email", attempt=0)


def test_after_a_complaint(worker: Worker) -> None:
    """That company's mails go there again."""
    complain(worker)
    assert not is_sent(worker, "email")
    enter(worker, "email")
    assert is_sent(worker, "email")


def test_after_the_providers_word(worker: Worker) -> None:
    """It is the account's: an event of the company alone does not undo it, one without it does."""
    ask(worker, topic="delivery.sms", **on("sms"))
    answer(worker, Permanent(DeliveryReason.OPTED_OUT, "21610"))
    enter(worker, "sms")
    assert not is_sent(worker, "sms")
    enter(worker, "sms", everywhere=True)
    assert is_sent(worker, "sms")


@pytest.mark.parametrize(
    "wrong", [{"seconds": -60}, {"event_type": "appointment.created"}, {"recipient_hash": "0" * 64}]
)
def test_what_does_not_undo_it(worker: Worker, wrong: dict[str, Any]) -> None:
    """What was said before it, what is about one type, or about another address."""
    complain(worker)
    enter(worker, "email", **wrong)
    assert not is_sent(worker, "email")


def test_they_complain_again(worker: Worker) -> None:
    """What was said last counts."""
    complain(worker)
    enter(worker, "email")
    assert is_sent(worker, "email")
    answer(worker, Accepted("<m2>"))
    worker.clock.moment += 60
    hear(worker, "complained", channel="email", attempt=0)
    assert not is_sent(worker, "email")


def test_preferences_undo_nothing(worker: Worker) -> None:
    """The booking system says what somebody does not want; that it no longer does is no consent."""
    complain(worker)
    preferences = {"company_id": "co-7", "customer_id": "cu-1", "version": 1, "unsubscribed": []}
    worker.send(worker.news("customer_preferences.upserted", "booking.directory", preferences))
    assert not is_sent(worker, "email")
