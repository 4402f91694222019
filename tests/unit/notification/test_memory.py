"""What `notify` remembers, for how long, and what it forgets."""

from datetime import timedelta
from typing import Any

import pytest

from schemas import murmur2_partition
from streams.batch import Effects
from tests.unit.notification.world import (
    PARTITIONS,
    VISIT,
    World,
    appointment,
    branch,
    callback,
    company,
    config,
    customer,
    decision,
    opened,
    outline,
    requests,
    service,
    staff,
)


def keys(world: World, table: str) -> set[str]:
    return {key for where, _, key in world.rows() if where == table}


def tick(world: World) -> None:
    """Any record: record time goes on with it."""
    world.send("company.upserted", company(version=1))


def test_past_appointment_is_forgotten() -> None:
    """An appointment is forgotten 30 days after its start or its last event, whichever is later; not before."""
    world = opened()
    world.send("appointment.created", appointment())
    world.at = VISIT + timedelta(days=30) - timedelta(seconds=1)
    tick(world)
    assert keys(world, "entities") == {"appointment/ap-1"}
    world.send("appointment.updated", appointment(2, status="completed"))
    world.later(days=29)
    tick(world)
    assert keys(world, "entities") == {"appointment/ap-1"}
    world.later(days=1)
    tick(world)
    assert keys(world, "entities") == set()


def test_closed_callback_is_forgotten() -> None:
    """A closed callback is forgotten 30 days after its last event; an open one never is."""
    world = opened()
    world.send("callback.requested", callback(callback_id="open"))
    world.send("callback.cancelled", callback(callback_id="closed", status="cancelled"))
    world.later(days=30)
    tick(world)
    assert keys(world, "entities") == {"callback/open"}


def test_reopened_callback_is_kept() -> None:
    """A callback that was closed and opened again is not forgotten."""
    world = opened()
    world.send("callback.cancelled", callback(1, status="cancelled"))
    world.send("callback.updated", callback(2))
    world.later(days=40)
    tick(world)
    assert keys(world, "entities") == {"callback/cb-1"}


@pytest.mark.parametrize(
    ("entity", "id_field", "upserted"),
    [
        ("branch", "branch_id", branch(version=1)),
        ("service", "service_id", service(version=1)),
        ("staff", "staff_id", staff(version=1)),
        ("notification_config", "config_id", config("appointment.created", config_id="one")),
    ],
)
def test_tombstones(entity: str, id_field: str, upserted: dict[str, Any]) -> None:
    """A deletion keeps its version for 30 days, so that an older event cannot bring the entity back."""
    world = World()
    world.send(f"{entity}.deleted", {id_field: upserted[id_field], "version": 5})
    before = world.rows()
    assert len(before) == 1
    world.send(f"{entity}.upserted", upserted)
    assert world.rows() == before
    world.later(days=30)
    tick(world)
    assert keys(world, "directory") == {"company"}


def test_ids_belong_to_their_company() -> None:
    """Another company's appointment of the same id is another appointment."""
    world = opened()
    world.send("appointment.created", appointment(version=5))
    others = (f"other-{number}" for number in range(100))
    neighbour = next(each for each in others if murmur2_partition(each.encode(), PARTITIONS) == world.partition)
    world.company_id = neighbour
    world.send("branch.upserted", branch())
    world.send("notification_config.upserted", config("appointment.created", level_id=neighbour))
    assert len(requests(world.send("appointment.created", appointment(version=1)))) == 1


def test_forgetting_survives_a_restart() -> None:
    """A worker that loads the rows forgets what is due as the one before would have."""
    world = opened()
    world.send("callback.cancelled", callback(status="cancelled"))
    world.restart()
    world.later(days=30)
    tick(world)
    assert keys(world, "entities") == set()


def test_forgetting_survives_a_rollback() -> None:
    """What was forgotten in a batch that was taken back is forgotten by the next one."""
    world = opened()
    world.send("callback.cancelled", callback(status="cancelled"))
    world.later(days=30)
    world.step(world.record("company.upserted", company(version=2)))
    world.state.rollback()
    assert keys(world, "entities") == {"callback/cb-1"}
    tick(world)
    assert keys(world, "entities") == set()


class TestErasure:
    def test_nothing_personal_is_left(self) -> None:
        """After an erasure no row knows the customer's name, addresses or id."""
        world = opened()
        world.send("customer_preferences.upserted", {"customer_id": "cu-1", "version": 1, "locale": "en"})
        world.send("appointment.created", appointment())
        world.send("appointment.created", appointment(appointment_id="ap-2", branch_id="b-9"))
        links = {"manage": "https://example.org/erika-muster"}
        world.send("callback.requested", callback(links=links, extra={"salutation": "Frau Erika"}))
        world.send("customer.erased", {"customer_id": "cu-1"})
        left = b"".join(world.rows().values())
        assert not any(part in left for part in (b"Erika", b"erika", b"+4930", b"cu-1"))

    def test_others_stay(self) -> None:
        """Another customer's rows are not touched."""
        world = opened()
        world.send("appointment.created", appointment(customer=customer(customer_id="cu-2")))
        before = world.rows()
        world.send("customer.erased", {"customer_id": "cu-1"})
        assert before.items() <= world.rows().items()

    def test_known_before_and_after_the_first_question(self) -> None:
        """An erasure finds rows written before and after an earlier erasure."""
        world = opened()
        world.send("appointment.created", appointment(appointment_id="before"))
        world.send("customer.erased", {"customer_id": "cu-9"})
        world.send("appointment.created", appointment(appointment_id="after"))
        world.send("customer.erased", {"customer_id": "cu-1"})
        assert b"Erika" not in b"".join(world.rows().values())

    def test_waiting_messages(self) -> None:
        """What still waits for the customer is suppressed as erased."""
        world = opened()
        world.send("appointment.created", appointment(branch_id="b-9"))
        told = world.send("customer.erased", {"customer_id": "cu-1"})
        assert outline(told) == [("appointment.created", "customer", "erased")]
        assert world.send("branch.upserted", branch(branch_id="b-9")) == []

    def test_old_events_stay_old(self) -> None:
        """An event that was known before the erasure is not taken for news and told when it comes once more."""
        world = opened()
        world.send("appointment.created", appointment())
        world.send("customer.erased", {"customer_id": "cu-1"})
        assert world.send("appointment.created", appointment()) == []

    @pytest.mark.parametrize("known", [True, False])
    def test_older_preferences_stay_gone(self, known: bool) -> None:
        """Preferences from before the erasure do not come back."""
        world = opened()
        choice = {"customer_id": "cu-1", "version": 1, "locale": "en"}
        if known:
            world.send("customer_preferences.upserted", choice)
        world.send("customer.erased", {"customer_id": "cu-1", "version": 2})
        world.send("customer_preferences.upserted", choice)
        world.later(seconds=1)
        [request] = requests(world.send("appointment.created", appointment()))
        assert request.locale == "de"

    def test_decisions_afterwards(self) -> None:
        """A colleague is not told of the callback of a customer who was erased: there is nobody to call."""
        world = opened()
        world.send("callback.requested", callback())
        world.send("customer.erased", {"customer_id": "cu-1"})
        told = world.send("callback.auto_assigned", decision("d-1", "anna"))
        assert outline(told) == [("callback.assigned", "staff", "erased")]

    def test_bare_deletion_afterwards(self) -> None:
        """An appointment of an erased customer that is deleted is told to nobody."""
        world = opened()
        world.send("appointment.created", appointment())
        world.send("customer.erased", {"customer_id": "cu-1"})
        told = world.send("appointment.deleted", {"appointment_id": "ap-1", "version": 2})
        assert outline(told) == [("appointment.deleted", "customer", "erased")]

    def test_new_event_afterwards(self) -> None:
        """A new event about the customer carries the person anew and is told."""
        world = opened()
        world.send("customer.erased", {"customer_id": "cu-1"})
        world.later(seconds=1)
        assert len(requests(world.send("appointment.created", appointment()))) == 1


@pytest.mark.parametrize(
    ("type", "data", "topic"),
    [
        ("appointment.created", appointment(), "booking.appointments"),
        ("callback.auto_assigned", decision("d-1", "anna"), "assignment.decisions"),
        ("notification_config.upserted", config("appointment.created"), "booking.directory"),
        ("customer_preferences.upserted", {"customer_id": "cu-1", "version": 1}, "booking.directory"),
    ],
)
def test_counts_what_it_answers_for(type: str, data: dict[str, Any], topic: str) -> None:
    """Each record is counted by one role only."""
    world = World()
    world.send(type, data)
    assert world.counted == {("staffetta_intake_total", topic, "applied"): 1}


def test_counts_services() -> None:
    """A service's event is dead-lettered by `assign`, if it cannot be read, and counted here, where its version is
    kept: a second one is stale."""
    world, service = World(), {"service_id": "sv-1", "name": "Haarschnitt", "duration_minutes": 45, "version": 1}
    world.send("service.upserted", service)
    world.send("service.upserted", service)
    assert world.counted == {
        ("staffetta_intake_total", "booking.directory", "applied"): 1,
        ("staffetta_intake_total", "booking.directory", "stale"): 1,
    }


@pytest.mark.parametrize(("type", "data"), [("callback.updated", callback()), ("branch.upserted", branch())])
def test_does_not_count_what_others_answer_for(type: str, data: dict[str, Any]) -> None:
    """What `assign` counts is not counted again."""
    world = World()
    world.send(type, data)
    assert not world.counted


def test_poison() -> None:
    """A record that cannot be applied becomes a dead letter with its raw bytes, and is counted."""
    world, effects = World(), Effects()
    record = world.record("appointment.created", appointment())
    world.role.poison("booking.appointments", record, "ValueError: no", effects)
    (letter,) = effects.outputs
    assert letter.topic == "intake.dead-letters"
    assert letter.key == b"co-7"
    assert b"processing_failed" in letter.value
    assert effects.counted == {
        ("staffetta_intake_total", "booking.appointments", "dead_letter"): 1,
        ("staffetta_dead_letters_total", "intake.dead-letters", "processing_failed"): 1,
    }
