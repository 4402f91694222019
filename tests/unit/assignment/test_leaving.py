"""Somebody leaves, and their callbacks are given to others."""

from datetime import timedelta

import pytest

from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking, Message, iso


def leaves(booking: Booking, how: str, staff_id: str = "st-1") -> Message:
    return booking.deleted("staff", staff_id) if how == "deleted" else booking.staff(staff_id, is_active=False)


def loaded() -> tuple[Booking, Desk]:
    """st-1 has three callbacks."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-3"), booking.callback("cb-1", priority="high"))
    desk.send(booking.callback("cb-2", requested_at=iso(MONDAY - timedelta(hours=1))))
    assert desk.load("st-1") == 3
    return booking, desk


@pytest.mark.parametrize("how", ["deleted", "inactive"])
def test_their_open_callbacks_are_reassigned(how: str) -> None:
    """On `staff.deleted` or `is_active` becoming false, their open callbacks are re-assigned in bulk order."""
    booking, desk = loaded()
    desk.send(booking.staff("st-2"), booking.branch(auto_assign=False))
    event = leaves(booking, how)
    decisions = desk.send(event)
    assert [one["callback_id"] for one in decisions] == ["cb-1", "cb-2", "cb-3"]
    for decision in decisions:
        assert (decision.type, decision["reason"], decision["chosen_by"]) == (
            "reassigned",
            "staff_left",
            "load_based",
        )
        assert (decision["previous_staff_id"], decision["staff_id"]) == ("st-1", "st-2")
        assert decision["caused_by"] == event.id
    assert (desk.load("st-1"), desk.load("st-2")) == (0, 3)


def test_how_the_leaver_is_listed() -> None:
    """An inactive leaver is a candidate with the load that includes this callback; a deleted one is none."""
    booking, desk = loaded()
    desk.send(booking.staff("st-2"))
    first = desk.send(leaves(booking, "inactive"))[0]
    assert (first.candidate("st-1")["load"], first.excluded["st-1"]) == (3, "inactive")
    booking, desk = loaded()
    desk.send(booking.staff("st-2"))
    assert desk.send(leaves(booking, "deleted"))[0].excluded == {"st-2": None}


@pytest.mark.parametrize("how", ["deleted", "inactive"])
def test_nobody_else(how: str) -> None:
    """When nobody else is eligible they wait, and it is told who had them."""
    booking, desk = loaded()
    decisions = desk.send(leaves(booking, how))
    assert [(one.type, one["previous_staff_id"], one["reason"]) for one in decisions] == [
        ("waiting", "st-1", "no_eligible_staff")
    ] * 3
    assert desk.load("st-1") == 0
    again = desk.send(booking.staff("st-2"))
    assert [(one.type, one["callback_id"]) for one in again] == [
        ("auto_assigned", "cb-1"),
        ("auto_assigned", "cb-2"),
        ("auto_assigned", "cb-3"),
    ]
    assert "previous_staff_id" not in again[0]


def test_closed_ones_stay() -> None:
    """What is contacted or closed is not re-assigned on leaving."""
    booking, desk = loaded()
    desk.send(booking.staff("st-2"))
    desk.send(booking.callback("cb-1", "contacted"), booking.callback("cb-2", "completed"))
    assert [one["callback_id"] for one in desk.send(leaves(booking, "inactive"))] == ["cb-3"]


@pytest.mark.parametrize(
    "fields",
    [
        {"branch_ids": []},
        {"service_ids": []},
        {"accepts_callbacks": False},
        {"working_hours": {}},
        {"max_active_callbacks": 0},
    ],
)
def test_nothing_else_is_leaving(fields: dict[str, object]) -> None:
    """Losing a branch, a service or `accepts_callbacks` moves nothing."""
    booking, desk = loaded()
    desk.send(booking.staff("st-2"))
    assert desk.send(booking.staff("st-1", **fields)) == []
    assert desk.load("st-1") == 3


def test_only_known_active_to_inactive() -> None:
    """Somebody who is inactive when first heard of, or was already, does not leave."""
    booking, desk = team("st-2")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert desk.send(booking.staff("st-1", is_active=False), booking.staff("st-1", is_active=False)) == []
    assert desk.load("st-1") == 1


def test_deleting_counts_always() -> None:
    """`staff.deleted` re-assigns also what an inactive or unknown person had been given by hand."""
    for known in (False, True):
        booking, desk = team("st-2")
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
        if known:
            desk.send(booking.staff("st-1", is_active=False))
        assert desk.one(leaves(booking, "deleted"))["staff_id"] == "st-2"


def test_the_preferred_person_who_stays() -> None:
    """The preferred person takes over, unless it is they who left."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", staff_id="st-3"))
    desk.send(booking.callback("cb-2", staff_id="st-1"))
    first, second = desk.send(leaves(booking, "inactive"))
    assert (first["callback_id"], first["staff_id"], first["chosen_by"]) == ("cb-1", "st-3", "preferred")
    assert (second["callback_id"], second["staff_id"], second["chosen_by"]) == ("cb-2", "st-2", "load_based")


def test_first_the_leaver_s_then_the_waiting() -> None:
    """When somebody leaves, first their callbacks are decided, then the waiting; none twice by one record."""
    booking, desk = team("st-1", max_active_callbacks=1)
    desk.send(booking.callback("cb-1"))
    assert desk.one(booking.callback("cb-0", priority="urgent")).type == "waiting"
    # Nobody else: the leaver's waits, the other one goes on waiting, and neither is said twice.
    decisions = desk.send(leaves(booking, "inactive"))
    assert [(one["callback_id"], one.type) for one in decisions] == [("cb-1", "waiting")]
    decisions = desk.send(booking.staff("st-2", max_active_callbacks=1))
    assert [(one["callback_id"], one.type) for one in decisions] == [("cb-0", "auto_assigned")]


def test_the_leaver_s_come_before_the_waiting() -> None:
    """A place that the record itself opens goes to the leaver's callback before a more urgent waiting one."""
    booking, desk = team("st-1", working_hours=None)
    desk.send(booking.callback("cb-1"), booking.staff("st-1", accepts_callbacks=False))
    assert desk.one(booking.callback("cb-0", priority="urgent")).type == "waiting"
    noon = MONDAY + timedelta(hours=2)
    # st-2's absence ends unnoticed at noon; the leaver's event is the first record of the branch after that.
    away = [{"from": iso(MONDAY - timedelta(hours=1)), "until": iso(noon)}]
    assert desk.send(booking.staff("st-2", max_active_callbacks=1, absences=away)) == []
    decisions = desk.send(leaves(booking, "inactive"), at=noon)
    assert [(one["callback_id"], one.type, one.get("staff_id")) for one in decisions] == [
        ("cb-1", "reassigned", "st-2"),
    ]


def test_coming_back() -> None:
    """Somebody who was deleted and comes back with a greater version is eligible again, and keeps their turn."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1"), booking.deleted("staff", "st-1"))
    assert desk.one(booking.staff("st-1"))["staff_id"] == "st-1"
    assert desk.turn("st-1") == 2


def test_a_tombstone_keeps_its_version() -> None:
    """An older event does not bring somebody back who was deleted, known or not."""
    booking, desk = team("st-2")
    for staff_id in ("st-2", "st-unknown"):
        desk.send(booking.deleted("staff", staff_id, version=7))
        desk.send(booking.staff(staff_id, version=7), booking.staff(staff_id, version=6))
    assert desk.intake("stale") == 4
    assert desk.one(booking.callback())["candidates"] == []
