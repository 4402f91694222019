"""Appointments: which of their events are told, to whom, and which are not."""

import copy
from datetime import timedelta

import pytest

from tests.unit.notification.world import (
    VISIT,
    World,
    appointment,
    branch,
    company,
    config,
    customer,
    opened,
    outline,
    requests,
    suppressions,
)

TYPES = [f"appointment.{what}" for what in ("created", "updated", "rescheduled", "cancelled", "deleted")]


def status_of(event_type: str) -> str:
    return "cancelled" if event_type == "appointment.cancelled" else "booked"


@pytest.mark.parametrize("event_type", TYPES)
def test_customer_is_told(event_type: str) -> None:
    """Each of the five appointment events is told to the customer."""
    world = opened()
    told = world.send(event_type, appointment(status=status_of(event_type)))
    assert outline(told) == [(event_type, "customer", "cu-1")]


@pytest.mark.parametrize("event_type", TYPES)
def test_colleague_is_told_if_configured(event_type: str) -> None:
    """The colleague of the appointment is told as well where that is configured."""
    world = opened()
    world.send("notification_config.upserted", config(event_type, audience="staff"))
    told = world.send(event_type, appointment(status=status_of(event_type)))
    assert outline(told) == [(event_type, "customer", "cu-1"), (event_type, "staff", "anna")]


def test_no_colleague_no_message() -> None:
    """An appointment without a colleague tells no colleague."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", audience="staff"))
    told = world.send("appointment.created", appointment(staff_id=None))
    assert outline(told) == [("appointment.created", "customer", "cu-1")]


@pytest.mark.parametrize("version", [2, 1])
def test_stale_version(version: int) -> None:
    """An older or equal version triggers nothing and is counted as stale."""
    world = opened()
    world.send("appointment.created", appointment(version=2))
    assert world.send("appointment.cancelled", appointment(version=version, status="cancelled")) == []
    assert world.counted["staffetta_intake_total", "booking.appointments", "stale"] == 1


def test_notify_none() -> None:
    """`notify: none` tells nobody; one suppression says so."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", audience="staff"))
    told = world.send("appointment.created", appointment(notify="none"))
    assert outline(told) == [("appointment.created", "customer", "not_wanted")]
    assert world.counted["staffetta_outcomes_total", "none", "notification.suppressed", "not_wanted"] == 1


def test_notify_staff() -> None:
    """`notify: staff` tells the colleague and not the customer."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", audience="staff"))
    told = world.send("appointment.created", appointment(notify="staff"))
    assert outline(told) == [
        ("appointment.created", "customer", "not_wanted"),
        ("appointment.created", "staff", "anna"),
    ]


def test_update_without_visible_change() -> None:
    """An update in which nothing changed that the customer sees notifies nobody."""
    world = opened()
    world.send("appointment.created", appointment())
    told = world.send("appointment.updated", appointment(2, notes="wants tea", customer=customer(phone=None)))
    assert outline(told) == [("appointment.updated", "customer", "no_visible_change")]


@pytest.mark.parametrize(
    "change",
    [
        {"starts_at": VISIT + timedelta(hours=1)},
        {"duration_minutes": 60},
        {"branch_id": "b-2"},
        {"service_id": None},
        {"staff_id": "ben"},
        {"status": "cancelled"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_update_with_visible_change(change: dict[str, object]) -> None:
    """A change of start, duration, branch, service, colleague or status is told."""
    world = opened()
    world.send("branch.upserted", branch(branch_id="b-2"))
    world.send("appointment.created", appointment())
    told = world.send("appointment.updated", appointment(2, **change))
    assert outline(told) == [("appointment.updated", "customer", "cu-1")]


def test_update_of_something_unknown() -> None:
    """An update of an appointment never heard of is told: the event that came before it may have been lost."""
    world = opened()
    assert outline(world.send("appointment.updated", appointment(5))) == [
        ("appointment.updated", "customer", "cu-1")
    ]


def test_update_that_cancels() -> None:
    """An update that cancels the appointment is never worded as if it stood."""
    world = opened()
    world.send("appointment.created", appointment())
    [request] = requests(world.send("appointment.updated", appointment(2, status="cancelled")))
    content = request.contents["email"]
    assert request.event_type == "appointment.updated"
    assert content.subject == "Abgesagt: Ihr Termin am 22.11.2026 um 14:30 Uhr"
    assert content.template.template_id == "builtin:appointment.cancelled.email.de"


def test_bare_deletion() -> None:
    """A deletion with only the ids and the version is told with what was known of the appointment."""
    world = opened()
    world.send("appointment.created", appointment())
    [request] = requests(world.send("appointment.deleted", {"appointment_id": "ap-1", "version": 2}))
    assert request.recipient.email == "erika@example.org"
    assert request.entity.version == 2
    assert "22.11.2026" in request.contents["email"].body_text


@pytest.mark.parametrize(("notify", "outcome"), [("none", ["not_wanted"]), ("staff", ["not_wanted"]), ("all", [])])
def test_silent_bare_deletion(notify: str, outcome: list[str]) -> None:
    """A deletion with only the ids and the version can be silent too."""
    world = opened()
    world.send("appointment.created", appointment())
    events = world.send("appointment.deleted", {"appointment_id": "ap-1", "version": 2, "notify": notify})
    assert [each.reason for each in suppressions(events)] == outcome
    assert bool(requests(events)) is (notify == "all")


def test_bare_deletion_of_something_unknown() -> None:
    """A bare deletion of an appointment never heard of tells nobody, and what comes later is stale."""
    world = opened()
    assert world.send("appointment.deleted", {"appointment_id": "ap-1", "version": 2}) == []
    assert world.send("appointment.created", appointment(1)) == []


def test_previous_time() -> None:
    """A moved appointment names the time it had: as the event says, else as it was known."""
    world = opened()
    world.send("appointment.created", appointment())
    moved = VISIT + timedelta(hours=2)
    [known] = requests(world.send("appointment.rescheduled", appointment(2, starts_at=moved)))
    assert "Bisher: 22.11.2026 14:30 Uhr" in known.contents["email"].body_text
    said = appointment(3, starts_at=VISIT, previous_starts_at=VISIT - timedelta(days=1))
    [request] = requests(world.send("appointment.rescheduled", said))
    assert "Bisher: 21.11.2026 14:30 Uhr" in request.contents["email"].body_text


@pytest.mark.parametrize("event_type", TYPES)
def test_not_after(event_type: str) -> None:
    """Everything but a cancellation or deletion is pointless after the start."""
    world = opened()
    [request] = requests(world.send(event_type, appointment(status=status_of(event_type))))
    ends = event_type in ("appointment.cancelled", "appointment.deleted")
    assert request.not_after == (None if ends else VISIT)


@pytest.mark.parametrize("event_type", TYPES)
def test_priority(event_type: str) -> None:
    """Cancellations and deletions are of high priority, the others of normal."""
    world = opened()
    [request] = requests(world.send(event_type, appointment(status=status_of(event_type))))
    assert request.priority == (
        "high" if event_type in ("appointment.cancelled", "appointment.deleted") else "normal"
    )


@pytest.mark.parametrize("what", ["created", "updated", "rescheduled"])
def test_cancelled_by_content(what: str) -> None:
    """What is cancelled by its status is told as a cancellation is: at once, and however late."""
    night = {"start": "00:00", "end": "23:59"}
    world = opened(quiet_hours=night)
    world.send("notification_config.upserted", config(f"appointment.{what}", "st", audience="staff"))
    world.at = VISIT + timedelta(minutes=1)
    told = requests(world.send(f"appointment.{what}", appointment(status="cancelled")))
    assert [(each.audience, each.priority, each.not_after, each.not_before) for each in told] == [
        ("customer", "high", None, None),
        ("staff", "high", None, None),
    ]


@pytest.mark.parametrize("status", ["booked", "completed", "no_show"])
def test_not_cancelled_by_content(status: str) -> None:
    """Only a cancellation is one."""
    world = opened()
    [request] = requests(world.send("appointment.updated", appointment(status=status)))
    assert (request.priority, request.not_after) == ("normal", VISIT)


class TestUnknownBranch:
    def waiting(self) -> World:
        world = World()
        world.send("company.upserted", company())
        world.send("notification_config.upserted", config("appointment.created"))
        return world

    def test_waits_for_its_branch(self) -> None:
        """An event that has overtaken its branch is told when the branch arrives, in that branch's time."""
        world = self.waiting()
        assert world.send("appointment.created", appointment()) == []
        world.restart()
        world.later(minutes=5)
        told = world.send("branch.upserted", branch(timezone="Europe/Helsinki"))
        [request] = requests(told)
        assert "15:30 Uhr" in request.contents["email"].body_text
        assert (request.caused_by, request.cause.topic, request.cause.offset) == (
            "booking.appointments-0",
            "booking.appointments",
            0,
        )
        assert told[0].time == world.at

    def test_order(self) -> None:
        """What waited is told in the order in which it came."""
        world = self.waiting()
        for number in range(12):
            world.send("appointment.created", appointment(appointment_id=f"ap-{number}"))
        world.restart()
        told = requests(world.send("branch.upserted", branch()))
        assert [request.entity.id for request in told] == [f"ap-{number}" for number in range(12)]

    def test_another_branch_does_not_help(self) -> None:
        """Only the branch it waits for lets it go."""
        world = self.waiting()
        world.send("appointment.created", appointment(branch_id="b-10"))
        assert world.send("branch.upserted", branch(branch_id="b-1")) == []
        assert len(world.send("branch.upserted", branch(branch_id="b-10"))) == 1

    def test_until_its_start(self) -> None:
        """If the branch arrives at the start it is told, after it suppressed as too late."""
        world = self.waiting()
        world.send("appointment.created", appointment())
        later = copy.deepcopy(world)
        world.at = VISIT
        assert len(requests(world.send("branch.upserted", branch()))) == 1
        world, world.at = later, VISIT + timedelta(milliseconds=1)
        assert outline(world.send("branch.upserted", branch())) == [
            ("appointment.created", "customer", "too_late")
        ]

    def test_past_on_arrival(self) -> None:
        """An appointment of an unknown branch that is past already does not wait."""
        world = self.waiting()
        world.at = VISIT + timedelta(minutes=1)
        told = world.send("appointment.created", appointment())
        assert outline(told) == [("appointment.created", "customer", "too_late")]

    def test_without_an_end(self) -> None:
        """What is never pointless waits for 30 days."""
        world = self.waiting()
        world.send("notification_config.upserted", config("appointment.cancelled"))
        world.send("appointment.cancelled", appointment(status="cancelled"))
        world.later(days=29, hours=23)
        assert world.send("company.upserted", company(version=2)) == []
        world.later(hours=2)
        told = world.send("company.upserted", company(version=3))
        assert outline(told) == [("appointment.cancelled", "customer", "too_late")]
        assert world.send("branch.upserted", branch()) == []

    def test_deleted_branch(self) -> None:
        """The appointments of a branch that was deleted can still be cancelled, in its time."""
        world = opened()
        world.send("branch.deleted", {"branch_id": "b-1", "version": 2})
        [request] = requests(world.send("appointment.cancelled", appointment(status="cancelled")))
        assert "14:30 Uhr" in request.contents["email"].body_text

    def test_unknown_branch_is_deleted(self) -> None:
        """The deletion of a branch never heard of does not let anything go; a later version does."""
        world = self.waiting()
        world.send("appointment.created", appointment())
        assert world.send("branch.deleted", {"branch_id": "b-1", "version": 2}) == []
        assert world.send("branch.upserted", branch(version=1)) == []
        assert len(requests(world.send("branch.upserted", branch(version=3)))) == 1


def test_suppression_says_what_it_is_about() -> None:
    """A suppression names event, entity, audience and a keyed hash of the address, and no address."""
    world = opened()
    [event] = world.send("appointment.created", appointment(notify="none"))
    [outcome] = suppressions([event])
    assert outcome.entity.model_dump() == {"type": "appointment", "id": "ap-1", "version": 1}
    assert outcome.caused_by == "booking.appointments-0"
    assert outcome.at == world.at
    assert outcome.recipient_hash is not None
    assert len(outcome.recipient_hash) == 64
    assert "erika@example.org" not in event.data.model_dump_json()
