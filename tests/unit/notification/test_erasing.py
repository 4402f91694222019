"""Who was erased is told nothing that is from before, and nobody is told of them, in whatever order it is read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.policy.notification.identity import recipient_hash
from tests.unit.notification.test_fanout import request
from tests.unit.notification.world import (
    START,
    FakeRecord,
    World,
    appointment,
    attempts,
    branch,
    callback,
    config,
    decision,
    opened,
    outline,
    requests,
    staff,
    suppressions,
)

ERASED_AT = 30
"""Minutes after START."""


def erased(world: World, minutes: int = ERASED_AT, **fields: Any) -> FakeRecord:
    world.at = START + timedelta(minutes=minutes)
    return world.record("customer.erased", {"customer_id": "cu-1", **fields})


def at(world: World, minutes: int, type: str, data: dict[str, Any]) -> FakeRecord:
    world.at = START + timedelta(minutes=minutes)
    return world.record(type, data)


@pytest.mark.parametrize(("minutes", "told"), [(29, "erased"), (30, "erased"), (31, "cu-1")])
def test_an_older_event_that_is_read_later(minutes: int, told: str) -> None:
    """An event from before the erasure that is read after it is suppressed; a newer one is told."""
    world = opened()
    world.apply(erased(world))
    event = at(world, minutes, "appointment.created", appointment())
    assert outline(world.apply(event)) == [("appointment.created", "customer", told)]


def test_a_decision_about_an_older_callback() -> None:
    """A decision made since then does not bring the customer of an older callback back to a colleague."""
    world = opened()
    world.apply(erased(world))
    world.apply(at(world, 29, "callback.requested", callback()))
    told = world.apply(at(world, 31, "callback.auto_assigned", decision("d-1", "anna")))
    assert outline(told) == [("callback.assigned", "staff", "erased")]
    assert b"Erika" not in b"".join(world.rows().values())


def test_requests_say_of_whom_they_speak() -> None:
    """A request to a colleague names the customer, and as of when: the callback's time, not the decision's."""
    world = opened()
    world.send("callback.requested", callback())
    world.later(minutes=5)
    [asked] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
    assert (asked.recipient.id, asked.customer_id, asked.as_of) == ("anna", "cu-1", START)


@pytest.mark.parametrize(("minutes", "became"), [(30, "suppressed"), (31, "attempt_due")])
@pytest.mark.parametrize("fields", [{}, {"audience": "staff", "customer_id": "cu-1"}])
def test_requests_of_other_systems(minutes: int, became: str, fields: dict[str, Any]) -> None:
    """Another system's request that names the customer counts as from its record's time."""
    world = opened()
    world.apply(erased(world))
    recipient = {"type": fields.get("audience", "customer"), "id": "cu-1", "name": "E", "email": "e@example.org"}
    [event] = world.apply(at(world, minutes, "notification.requested", request(**fields, recipient=recipient)))
    assert event.type == f"notification.{became}"
    assert became == "attempt_due" or (event.data.reason, event.data.channel) == ("erased", "email")


def test_colleagues_are_not_customers() -> None:
    """A colleague with the id of an erased customer is told of others as before."""
    world = opened()
    world.apply(erased(world))
    colleague = {"type": "staff", "id": "cu-1", "name": "Anna", "email": "anna@salon.example"}
    world.at = START
    told = world.send("notification.requested", request(audience="staff", recipient=colleague))
    assert len(attempts(told)) == 1


def test_customers_are_not_colleagues() -> None:
    """What is suppressed for an erased customer stands for nobody else, though a colleague has the same id."""
    world = opened()
    world.send("staff.upserted", staff("cu-1"))
    world.send("appointment.created", appointment(branch_id="b-9"))
    [outcome] = suppressions(world.apply(erased(world)))
    assert outcome.recipient_hash == recipient_hash(b"secret", "cu-1")


@pytest.mark.parametrize("kind", ["upserted", "deleted"])
def test_new_preferences_change_nothing(kind: str) -> None:
    """Preferences that were chosen, or deleted, since then do not bring back what is from before."""
    world = opened()
    world.apply(erased(world))
    world.apply(at(world, 31, f"customer_preferences.{kind}", {"customer_id": "cu-1", "version": 7}))
    assert outline(world.apply(at(world, 29, "appointment.created", appointment())))[0][2] == "erased"


def test_erased_again() -> None:
    """Of two erasures the later counts."""
    world = opened()
    world.apply(erased(world, 40), erased(world, 20))
    assert outline(world.apply(at(world, 35, "appointment.created", appointment())))[0][2] == "erased"


KINDS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "appointment": ("appointment.created", lambda id: appointment(appointment_id=id)),
    "callback": ("callback.requested", lambda id: callback(callback_id=id)),
    "waiting": ("appointment.created", lambda id: appointment(appointment_id=id, branch_id="b-9")),
}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 60)), max_size=12), st.integers(0, 12))
def test_in_whatever_order(said: list[tuple[str, int]], place: int) -> None:
    """Of events that are read in any order, in the end the customer stands in the rows of exactly those that are
    newer than the erasure, and exactly what is about those sets out, to whomever."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", "staff", audience="staff"))
    records, newer, older = [], set(), set()
    for number, (kind, minutes) in enumerate(said):
        type, data = KINDS[kind]
        records.append(at(world, minutes, type, data(f"{kind}-{number}")))
        (newer if minutes > ERASED_AT else older).add(f"{kind}-{number}")
    records.insert(place, erased(world))
    told = [event for record in records for event in world.apply(record)]
    told += world.send("branch.upserted", branch(branch_id="b-9"))
    for asked in requests(told):
        told += world.send("notification.requested", asked.model_dump(mode="json"))
    named = {key.partition("/")[2] for (_, _, key), row in world.rows().items() if b"Erika" in row}
    assert named == newer
    assert {each.entity.id for each in attempts(told)} == newer
    assert {each.entity.id for each in suppressions(told)} == older
