"""From a request to its first attempt: requests of ours and of other systems are sent on their way alike."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.notification.world import START, World, appointment, attempts, config, opened


def request(**fields: Any) -> dict[str, Any]:
    """As another system might write it."""
    return {
        "notification_id": "n-1",
        "event_type": "appointment.created",
        "entity": {"type": "appointment", "id": "ap-1", "version": 3},
        "audience": "customer",
        "recipient": {"type": "customer", "id": "cu-1", "name": "Erika Muster", "email": "erika@example.org"},
        "channel": "email",
        "fallback_channels": [],
        "contents": {
            "email": {"subject": "Hello", "body_text": "World", "template": {"template_id": "t-1", "version": 4}}
        },
        "priority": "normal",
        "locale": "en",
        "retry_schedule_seconds": [60],
        "config": {"config_id": "c-1", "level": "company", "version": 1},
        "caused_by": "ev-9",
        "cause": {"topic": "elsewhere", "offset": 0},
        **fields,
    }


@pytest.mark.parametrize(
    ("priority", "topic"),
    [("high", "delivery.email.high"), ("normal", "delivery.email"), ("low", "delivery.email.low")],
)
def test_topic_of_its_priority(priority: str, topic: str) -> None:
    """Each priority of a channel has a topic of its own."""
    world = World()
    effects = world.step(world.record("notification.requested", request(priority=priority)))
    assert [out.topic for out in effects.outputs] == [topic]


def test_first_attempt() -> None:
    """The first attempt is due at once and carries the whole request, dated by its record if it does not say."""
    world = World()
    [due] = attempts(world.send("notification.requested", request()))
    assert (due.attempt, due.redrive, due.attempts, due.due_at) == (1, 0, (), START)
    carried = due.model_dump(mode="json", exclude_none=True, exclude={"attempt", "redrive", "attempts", "due_at"})
    assert carried == {"company_id": world.company_id, "skipped": [], "as_of": "2026-11-20T08:00:00Z", **request()}


def test_not_before() -> None:
    """A request for later is due later."""
    later = START + timedelta(hours=9)
    [due] = attempts(World().send("notification.requested", request(not_before=later)))
    assert due.due_at == later


def test_our_own_requests_come_back() -> None:
    """What is requested for an appointment goes on its way with the text it was given."""
    world = opened()
    [asked] = world.send("appointment.cancelled", appointment(status="cancelled"))
    effects = world.step(world.record("notification.requested", asked.data.model_dump(mode="json")))
    assert [out.topic for out in effects.outputs] == ["delivery.email.high"]


def test_first_usable_channel() -> None:
    """Skipped and unserved channels, and those without a text, are passed over."""
    skipped = [{"channel": "push", "reason": "no_address"}]
    chain = {"channel": "push", "fallback_channels": ["sms", "email"], "skipped": skipped}
    world = World()
    effects = world.step(world.record("notification.requested", request(**chain)))
    assert [out.topic for out in effects.outputs] == ["delivery.email"]


BOTH = [{"channel": "sms", "reason": "unsubscribed"}, {"channel": "email", "reason": "no_address"}]


@pytest.mark.parametrize(
    ("fields", "channel", "reason"),
    [
        ({"skipped": [{"channel": "email", "reason": "no_address"}]}, "email", "no_address"),
        ({"channel": "sms"}, "sms", "no_address"),
        ({"contents": {}}, "email", "unavailable"),
        ({"fallback_channels": ["sms"], "skipped": BOTH}, "sms", "unsubscribed"),
    ],
)
def test_no_channel_left(fields: dict[str, Any], channel: str, reason: str) -> None:
    """A request without a usable channel has failed with the last channel's reason, without a dead letter."""
    world = World()
    [event] = world.send("notification.requested", request(**fields))
    assert event.type == "notification.failed"
    outcome = event.data
    assert (outcome.channel, outcome.reason, outcome.attempt) == (channel, reason, 1)
    assert world.counted["staffetta_outcomes_total", channel, "notification.failed", reason] == 1


def test_customer_without_address_end_to_end() -> None:
    """A customer without an address: a request with every channel skipped, then `failed` with the reason."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", version=2, fallback_channels=["sms"]))
    customer = {"customer_id": "cu-1", "name": "Erika Muster"}
    [asked] = world.send("appointment.created", appointment(customer=customer))
    [event] = world.send("notification.requested", asked.data.model_dump(mode="json"))
    assert (event.type, event.data.channel, event.data.reason) == (
        "notification.failed",
        "sms",
        "no_address",
    )


@pytest.mark.parametrize(
    ("phone", "topic"), [("+4915112345678", "delivery.sms"), ("0151 12345", "delivery.email")]
)
def test_sms(phone: str, topic: str) -> None:
    """A request goes to a phone that has a number in the form of E.164; others are passed over."""
    chain = {"channel": "sms", "fallback_channels": ["email"]}
    world, asked = World(), request(**chain)
    asked["recipient"] = {**asked["recipient"], "phone": phone}
    asked["contents"] = {
        **asked["contents"],
        "sms": {"body_text": "Hallo", "template": {"template_id": "t", "version": 1}},
    }
    effects = world.step(world.record("notification.requested", asked))
    assert [out.topic for out in effects.outputs] == [topic]


def test_unreadable_request() -> None:
    """A request that breaks the contract becomes a dead letter, and nothing is sent."""
    world = World()
    [event] = world.send("notification.requested", request(priority="urgent"))
    assert (event.type, event.data.reason) == ("intake.refused", "invalid_data")
