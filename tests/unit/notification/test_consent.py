"""What customers have chosen: the order of channels, their language, and what they are not sent."""

from typing import Any

import pytest

from schemas import Event
from tests.unit.notification.test_fanout import request
from tests.unit.notification.world import (
    World,
    appointment,
    attempts,
    callback,
    config,
    customer,
    decision,
    opened,
    requests,
)

ALL = [{"channel": "email"}]
CANCELLATIONS = [{"channel": "email", "event_type": "appointment.cancelled"}]


def prefers(made: World, version: int = 1, **fields: Any) -> World:
    made.send("customer_preferences.upserted", {"customer_id": "cu-1", "version": version, **fields})
    return made


def reasons(skipped: Any) -> list[tuple[str, str]]:
    return [(each.channel, each.reason) for each in skipped]


def test_order_of_channels() -> None:
    """The customer's channels come first, in their order; others follow as configured, and none is added."""
    made = prefers(opened(), channels=["push", "sms", "email"])
    chain = config("appointment.created", version=2, fallback_channels=["whatsapp", "sms"])
    made.send("notification_config.upserted", chain | {"config_id": "appointment.created-default"})
    [asked] = requests(made.send("appointment.created", appointment()))
    assert (asked.channel, *asked.fallback_channels) == ("sms", "email", "whatsapp")


@pytest.mark.parametrize(
    ("type", "fields", "unsubscribed", "is_skipped"),
    [
        ("appointment.created", {}, ALL, True),
        ("appointment.created", {}, CANCELLATIONS, False),
        ("appointment.cancelled", {"status": "cancelled"}, CANCELLATIONS, True),
        ("appointment.cancelled", {"status": "cancelled"}, ALL, True),
        ("appointment.created", {}, [{"channel": "sms"}], False),
    ],
)
def test_unsubscribed(type: str, fields: dict[str, Any], unsubscribed: Any, is_skipped: bool) -> None:
    """A channel that the customer has unsubscribed from, for this type or for all, is skipped, whatever the
    priority, and the request has failed with that reason if it was the last."""
    made = prefers(opened(), unsubscribed=unsubscribed)
    [asked] = requests(made.send(type, appointment(**fields)))
    assert reasons(asked.skipped) == ([("email", "unsubscribed")] if is_skipped else [])
    assert ("email" in asked.contents) is not is_skipped
    [end] = made.send("notification.requested", asked.model_dump(mode="json"))
    assert end.type == ("notification.failed" if is_skipped else "notification.attempt_due")
    assert not is_skipped or end.data.reason == "unsubscribed"


def test_no_address_comes_first() -> None:
    """Of two reasons the address is given: there was nothing to unsubscribe from."""
    made = prefers(opened(), unsubscribed=ALL)
    [asked] = requests(made.send("appointment.created", appointment(customer=customer(email=None))))
    assert reasons(asked.skipped) == [("email", "no_address")]


def test_chosen_otherwise() -> None:
    """A newer choice replaces the older as a whole, and deleted preferences are none."""
    made = prefers(opened(), unsubscribed=ALL)
    prefers(made, 2, channels=["email"])
    assert not requests(made.send("appointment.created", appointment()))[0].skipped
    prefers(made, 3, unsubscribed=ALL, locale="en", quiet_hours={"start": "00:00", "end": "23:59"})
    made.send("customer_preferences.deleted", {"customer_id": "cu-1", "version": 4})
    [asked] = requests(made.send("appointment.created", appointment(appointment_id="ap-2")))
    assert (asked.skipped, asked.locale, asked.quiet_hours) == ((), "de", None)


def test_colleagues_have_no_choice() -> None:
    """A colleague whose id is that of a customer is told all the same."""
    made = opened()
    made.send("customer_preferences.upserted", {"customer_id": "anna", "version": 1, "unsubscribed": ALL})
    made.send("callback.requested", callback())
    [asked] = requests(made.send("callback.auto_assigned", decision("d-1", "anna")))
    assert asked.skipped == ()


def foreign(made: World, **fields: Any) -> list[Event]:
    return made.send("notification.requested", request(**fields))


def test_another_systems_request() -> None:
    """What another system asks for is not sent to who has unsubscribed: failed, with its id and that reason."""
    [event] = foreign(prefers(World(), unsubscribed=ALL))
    outcome = event.data
    assert (event.type, outcome.notification_id) == ("notification.failed", "n-1")
    assert (outcome.channel, outcome.reason) == ("email", "unsubscribed")


def test_another_systems_chain() -> None:
    """The next channel is used, and the attempt says which was skipped."""
    content = request()["contents"]["email"]
    made = prefers(World(), unsubscribed=[{"channel": "sms"}])
    chain = {"channel": "sms", "fallback_channels": ["email"], "contents": {"sms": content, "email": content}}
    [due] = attempts(foreign(made, **chain))
    assert due.notification_id == "n-1"
    assert [each.channel for each in due.skipped] == ["sms"]


def test_unsubscribed_in_between() -> None:
    """Who unsubscribes after we asked is not written to."""
    made = opened()
    [asked] = requests(made.send("appointment.created", appointment()))
    prefers(made, unsubscribed=ALL)
    [event] = made.send("notification.requested", asked.model_dump(mode="json"))
    assert (event.type, event.data.reason) == ("notification.failed", "unsubscribed")


@pytest.mark.parametrize("email", [None, "nobody", "a@b.example\r\nBcc: c@d.example"])
def test_an_address_that_is_none(email: str | None) -> None:
    """Another system's request with no usable address fails without an attempt."""
    person = {"type": "customer", "id": "cu-1", "name": "Erika Muster", "email": email}
    [event] = foreign(World(), recipient=person)
    assert (event.type, event.data.reason) == ("notification.failed", "no_address")


def test_another_systems_request_to_a_colleague() -> None:
    """Preferences are the customers': a request to a colleague is not held up by them."""
    person = {"type": "staff", "id": "cu-1", "name": "Anna", "email": "anna@salon.example"}
    assert len(attempts(foreign(prefers(World(), unsubscribed=ALL), audience="staff", recipient=person))) == 1
