"""Unsubscribe links: who has one, what it says, and what comes of following it."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, NotificationType
from streams.clock import utc
from streams.policy.delivery.unsubscribing import Choice, link, read, sign
from streams.policy.notification.identity import recipient_hash
from tests.unit.delivery.support import NOW, Worker, request

KEY = b"key"
ANNA = recipient_hash(KEY, "anna@example.com")
URL = "https://notify.example.org"

choices = st.builds(
    Choice,
    st.text(min_size=1, max_size=20),
    st.sampled_from(ChannelName),
    st.sampled_from(NotificationType),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)


@given(choices)
def test_says_what_was_signed(choice: Choice) -> None:
    """A token is read as what was signed, and has nothing that a URL or a header would have to escape."""
    token = sign(choice, KEY)
    assert read(token, KEY) == choice
    assert set(token) <= set(string.ascii_letters + string.digits + "._-")


@given(choices, st.data())
def test_cannot_be_forged(choice: Choice, data: st.DataObject) -> None:
    """Whoever changes anything, or has another key, has no token."""
    token = sign(choice, KEY)
    assert read(token, b"other") is None
    place = data.draw(st.integers(0, token.index(".") - 1))
    other = data.draw(st.sampled_from([sign for sign in "abcXYZ0189-_" if sign != token[place]]))
    changed = read(token[:place] + other + token[place + 1 :], KEY)
    assert changed in (None, choice)  # the last character of base64 may have bits that mean nothing


@given(st.text(max_size=60))
def test_nonsense(text: str) -> None:
    """What nobody signed says nothing, whatever it is."""
    assert read(text, KEY) is None


def due(**changes: Any) -> AttemptDue:
    return AttemptDue.model_validate_json(json.dumps(request("co-7", "n-1", **changes)))


@pytest.mark.parametrize("event_type", ["appointment.reminder", "callback.received"])
def test_what_has_a_link(event_type: str) -> None:
    """A reminder, and the confirmation of a callback request."""
    found = link(due(event_type=event_type), ChannelName.EMAIL, ANNA, URL, KEY)
    assert found is not None
    assert found.startswith(f"{URL}/unsubscribe/")
    choice = read(found.rpartition("/")[2], KEY)
    assert choice == Choice("co-7", ChannelName.EMAIL, NotificationType(event_type), ANNA)


STAFF = {"audience": "staff", "recipient": {"type": "staff", "id": "st-1", "name": "A", "email": "a@b.example"}}


@pytest.mark.parametrize(
    "changes", [{"event_type": "appointment.cancelled"}, {"event_type": "callback.received", **STAFF}]
)
def test_what_has_none(changes: dict[str, Any]) -> None:
    """A change of an appointment must be told; a colleague cannot unsubscribe from work."""
    assert link(due(**changes), ChannelName.EMAIL, ANNA, URL, KEY) is None


def reminded(worker: Worker, notification_id: str, company_id: str = "co-7", **changes: Any) -> list[str]:
    """Ask for a reminder; the addresses that it is handed over to, if anything is."""
    before = len(worker.jobs)
    worker.send(worker.record(request(company_id, notification_id, event_type="appointment.reminder", **changes)))
    return [job.message.address for job in worker.jobs[before:]]


def opted(worker: Worker, how: str, at: float, **changes: Any) -> None:
    data = {
        "company_id": "co-7",
        "channel": "email",
        "recipient_hash": ANNA,
        "event_type": "appointment.reminder",
        "source": "one_click",
        "at": utc(at).isoformat(),
    } | changes
    worker.send(worker.news(f"address.opted_{how}", "delivery.receipts", data))


def test_mail_carries_the_link() -> None:
    """Where the world can reach us, a reminder says how to get no more of them."""
    worker = Worker(configured={"public_url": URL + "/"})
    reminded(worker, "n-1")
    url = worker.jobs[0].message.unsubscribe_url
    assert url is not None
    assert url.startswith(f"{URL}/unsubscribe/")
    worker.send(worker.record(request("co-7", "n-2")))
    assert worker.jobs[1].message.unsubscribe_url is None


def test_nowhere_to_click() -> None:
    """Without a public address there is no link that would lead nowhere."""
    worker = Worker()
    reminded(worker, "n-1")
    assert worker.jobs[0].message.unsubscribe_url is None


def test_opted_out() -> None:
    """No more of that type to that address; of other types, from other companies and to others there is."""
    worker = Worker()
    opted(worker, "out", NOW)
    assert reminded(worker, "n-1") == []
    (failed, letter) = worker.events
    assert (failed.type, failed.data.reason) == ("notification.failed", "unsubscribed")  # type: ignore[union-attr]
    assert letter.type == "notification.dead_lettered"
    ben = {"type": "customer", "id": "cu-2", "name": "Ben", "email": "ben@example.com"}
    assert reminded(worker, "n-2", recipient=ben) == ["ben@example.com"]
    assert reminded(worker, "n-3", company_id="co-8") == ["anna@example.com"]
    worker.send(worker.record(request("co-7", "n-4")))
    assert worker.jobs[-1].message.notification_id == "n-4"


def test_opted_out_between_attempts() -> None:
    """It is asked before every attempt, and known after a crash."""
    worker = Worker()
    reminded(worker, "n-1")
    opted(worker, "out", NOW)
    worker.crash()
    assert reminded(worker, "n-2") == []


def test_opted_out_of_everything() -> None:
    """Without a type it holds for every type."""
    worker = Worker()
    opted(worker, "out", NOW, event_type=None)
    worker.send(worker.record(request("co-7", "n-1")))
    assert worker.jobs == []


def test_opted_in_again() -> None:
    """What was said last counts, also when it comes here first."""
    worker = Worker()
    opted(worker, "in", NOW + 10)
    opted(worker, "out", NOW)
    assert reminded(worker, "n-1") == ["anna@example.com"]
    opted(worker, "out", NOW + 20)
    assert reminded(worker, "n-2") == []


def test_what_cannot_be_read_is_a_dead_letter() -> None:
    """Nobody else reads that topic: `deliver` answers for it."""
    worker = Worker()
    opted(worker, "out", NOW, channel="pigeon")
    assert [event.type for event in worker.events] == ["intake.refused"]
