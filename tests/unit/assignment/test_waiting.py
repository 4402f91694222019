"""Callbacks for which there is nobody wait, and are decided again when something changes that can help."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking, Message, absence, iso, week


def waiting(*callback_ids: str, **fields: object) -> tuple[Booking, Desk]:
    """One person, at capacity with cb-0, and these callbacks waiting."""
    booking, desk = team("st-1", max_active_callbacks=1, **fields)
    desk.send(booking.callback("cb-0"))
    for callback_id in callback_ids:
        assert desk.one(booking.callback(callback_id)).type == "waiting"
    return booking, desk


def test_nobody_eligible() -> None:
    """With nobody eligible `callback.waiting` says so once, with every candidate's exclusion."""
    booking, desk = team("st-1", "st-2", accepts_callbacks=False)
    decision = desk.one(booking.callback())
    assert (decision.type, decision["reason"]) == ("waiting", "no_eligible_staff")
    assert decision.excluded == {"st-1": "not_accepting", "st-2": "not_accepting"}
    assert "staff_id" not in decision
    assert "chosen_by" not in decision


def helps(name: str) -> Callable[[Booking], Message]:
    return {
        "a person arrives": lambda booking: booking.staff("st-2"),
        "a person gets capacity": lambda booking: booking.staff("st-1", max_active_callbacks=2),
        "a callback is completed": lambda booking: booking.callback("cb-0", "completed"),
        "a callback is contacted": lambda booking: booking.callback("cb-0", "contacted"),
        "a callback is cancelled": lambda booking: booking.callback("cb-0", "cancelled"),
        "a callback is unassigned": lambda booking: booking.callback("cb-0", "unassigned"),
        "a callback moves": lambda booking: booking.callback("cb-0", "assigned", assigned_to="st-x"),
    }[name]


@pytest.mark.parametrize(
    "what",
    [
        "a person arrives",
        "a person gets capacity",
        "a callback is completed",
        "a callback is contacted",
        "a callback is cancelled",
        "a callback is unassigned",
        "a callback moves",
    ],
)
def test_what_helps(what: str) -> None:
    """As soon as something changes that can help, the waiting are decided again, caused by that record."""
    booking, desk = waiting("cb-1", "cb-2")
    record = helps(what)(booking)
    decisions = desk.send(record)
    assert decisions[0]["callback_id"] == "cb-1"
    assert decisions[0].type == "auto_assigned"
    assert decisions[0]["caused_by"] == record.id
    assert "command_id" not in decisions[0]


def test_gaining_the_service_helps() -> None:
    """A person who gains the service can take those who wait for it."""
    booking, desk = team("st-1", service_ids=[])
    desk.send(booking.callback())
    assert desk.one(booking.staff("st-1", service_ids=["sv-1"]))["staff_id"] == "st-1"


def test_returning_helps() -> None:
    """A person whose absence is taken back can take those who wait."""
    booking, desk = team("st-1", absences=[absence(MONDAY, MONDAY + timedelta(days=3))])
    desk.send(booking.callback())
    assert desk.one(booking.staff("st-1", absences=[]))["staff_id"] == "st-1"


def test_a_reassignment_helps() -> None:
    """A re-assignment lowers somebody's load: who waits for them is decided after it, without the command's id."""
    booking, desk = waiting("cb-1")
    desk.send(booking.staff("st-2", branch_ids=["br-1"], service_ids=["sv-2"]))
    desk.send(
        booking.callback("cb-0", "updated", service_id="sv-2"), booking.staff("st-1", service_ids=["sv-1", "sv-2"])
    )
    first, second = desk.send(booking.reassign("cb-0"))
    assert (first.type, first["staff_id"]) == ("reassigned", "st-2")
    assert (second.type, second["callback_id"], second["staff_id"]) == ("auto_assigned", "cb-1", "st-1")
    assert "command_id" in first
    assert "command_id" not in second


def test_still_nobody_is_not_repeated() -> None:
    """A repeated "still nobody" is not emitted again."""
    booking, desk = waiting("cb-1")
    assert desk.send(booking.staff("st-2", accepts_callbacks=False), booking.branch(), booking.reconsider()) == []
    assert desk.send(booking.callback("cb-1", "updated", notes="bitte bald")) == []


def test_in_bulk_order() -> None:
    """The waiting are decided in bulk order, as many as there is room for."""
    booking, desk = waiting("cb-3", "cb-2")
    desk.send(booking.callback("cb-1", priority="high", requested_at=iso(MONDAY + timedelta(hours=1))))
    desk.send(booking.callback("cb-4", requested_at=iso(MONDAY - timedelta(hours=1))))
    decisions = desk.send(booking.staff("st-1", max_active_callbacks=4))
    assert [one["callback_id"] for one in decisions] == ["cb-1", "cb-4", "cb-2"]


def test_in_bulk_order_across_services_and_branches() -> None:
    """Bulk order is over all that the record can help, not service by service or branch by branch."""
    booking, desk = team()
    desk.send(booking.branch("br-2"))
    minutes = [7, 3, 11, 1, 9, 5, 0, 10, 2, 8, 4, 6]
    for n, minute in enumerate(minutes):
        place = {"branch_id": f"br-{1 + n % 2}", "service_id": f"sv-{1 + n % 3}"}
        at = iso(MONDAY - timedelta(minutes=minute))
        assert desk.one(booking.callback(f"cb-{minute:02}", requested_at=at, **place)).type == "waiting"
    services = ["sv-1", "sv-2", "sv-3"]
    decisions = desk.send(booking.staff("st-1", branch_ids=["br-1", "br-2"], service_ids=services))
    assert [one["callback_id"] for one in decisions] == [
        f"cb-{minute:02}" for minute in sorted(minutes, reverse=True)
    ]


def test_those_for_a_command_are_left_alone() -> None:
    """A callback that waits for a command is not decided when staff changes."""
    booking, desk = team()
    desk.send(booking.branch(auto_assign=False), booking.callback())
    assert desk.send(booking.staff("st-1"), booking.branch(auto_assign=True), booking.reconsider()) == []


def test_waiting_after_a_command() -> None:
    """A callback that a command left waiting is decided again also where the branch does not assign by itself."""
    booking, desk = team()
    desk.send(booking.branch(auto_assign=False), booking.callback(), booking.auto_assign(strategy="round_robin"))
    decision = desk.one(booking.staff("st-1"))
    assert decision["strategy"] == "load_based"  # the branch's, not that of the command that left it waiting
    assert "command_id" not in decision


def test_the_strategy_is_the_branch_s_at_that_time() -> None:
    """A re-decision follows the branch's strategy as it is by then."""
    booking, desk = waiting("cb-1")
    desk.send(booking.branch(strategy="round_robin"))
    assert desk.one(booking.staff("st-2"))["strategy"] == "round_robin"


@pytest.mark.parametrize("unrelated", ["callback of its own", "other branch", "company", "service"])
def test_nothing_else_decides_them_again(unrelated: str) -> None:
    """Time that passes unnoticed helps nobody: an unrelated record does not decide the waiting."""
    booking, desk = team("st-1", working_hours=week("12:00", "17:00"))
    desk.send(booking.branch("br-2"), booking.callback("cb-1"))
    message = {
        "callback of its own": booking.callback("cb-2", assign=False),
        "other branch": booking.staff("st-2", branch_ids=["br-2"]),
        "company": booking.company(),
        "service": booking.service(),
    }[unrelated]
    at = MONDAY + timedelta(hours=2)
    assert desk.send(message, at=at) == []
    assert desk.one(booking.reconsider(due_at=at))["callback_id"] == "cb-1"


@pytest.mark.parametrize("how", ["deleted", "moved away"])
def test_somebody_goes(how: str) -> None:
    """An event that takes somebody out of the branch is one of that branch, and decides those who wait there."""
    booking, desk = team("st-1", "st-2", working_hours=week("12:00", "17:00"))
    assert desk.one(booking.callback()).type == "waiting"
    event = booking.deleted("staff", "st-1") if how == "deleted" else booking.staff("st-1", branch_ids=["br-2"])
    assert desk.one(event, at=MONDAY + timedelta(hours=2))["staff_id"] == "st-2"


def test_an_event_that_changes_the_waiting_callback() -> None:
    """An event of the waiting callback itself decides it again, and only it."""
    booking, desk = waiting("cb-1", "cb-2", service_ids=["sv-1"])
    desk.send(booking.staff("st-2", service_ids=["sv-2"]))
    change = booking.callback("cb-2", "updated", service_id="sv-2")
    decision = desk.one(change)
    assert (decision["callback_id"], decision["staff_id"], decision["caused_by"]) == ("cb-2", "st-2", change.id)


def test_a_waiting_callback_moves_to_another_branch() -> None:
    """A waiting callback that moves to another branch is decided there, whether that assigns by itself or not."""
    booking, desk = waiting("cb-1")
    desk.send(booking.branch("br-2", auto_assign=False), booking.staff("st-2", branch_ids=["br-2"]))
    assert desk.one(booking.callback("cb-1", "updated", branch_id="br-2"))["staff_id"] == "st-2"


def test_unassigned_by_hand_is_not_waiting() -> None:
    """A callback that is unassigned by hand waits for a command, also if it was waiting before."""
    booking, desk = waiting("cb-1")
    desk.send(booking.callback("cb-1", "unassigned"))
    assert desk.send(booking.staff("st-2")) == []


def test_assigned_by_hand_is_not_waiting() -> None:
    """A waiting callback that is assigned by hand waits no more."""
    booking, desk = waiting("cb-1")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-9"))
    assert desk.send(booking.staff("st-2")) == []
    assert desk.load("st-9") == 1


def test_across_branches() -> None:
    """One more place of a person of two branches goes to the first in bulk order of both."""
    booking, desk = team()
    desk.send(booking.branch("br-2"))
    desk.send(booking.callback("cb-1", branch_id="br-2"), booking.callback("cb-2"))
    desk.send(booking.callback("cb-3", branch_id="br-2", priority="high"))
    decisions = desk.send(booking.staff("st-1", branch_ids=["br-1", "br-2"], max_active_callbacks=2))
    assert [one["callback_id"] for one in decisions] == ["cb-3", "cb-1"]
    assert desk.one(booking.callback("cb-1", "completed"))["callback_id"] == "cb-2"


def test_helped_by_somebody_elsewhere_it_stays() -> None:
    """A load that falls at another branch decides nobody here."""
    booking, desk = waiting("cb-1")
    desk.send(booking.branch("br-2"), booking.staff("st-2", branch_ids=["br-2"]))
    desk.send(booking.callback("cb-9", branch_id="br-2"))
    assert desk.send(booking.callback("cb-9", "completed", branch_id="br-2")) == []


def test_preferred_in_a_re_decision() -> None:
    """The preferred person is taken in a re-decision too."""
    booking, desk = team("st-1", "st-2", accepts_callbacks=False)
    desk.send(booking.callback(staff_id="st-2"))
    desk.send(booking.staff("st-1", accepts_callbacks=True, service_ids=[]))
    desk.send(booking.staff("st-2", accepts_callbacks=True, service_ids=[]))
    assert desk.send(booking.callback("cb-1", "updated", notes="x")) == []
    decision = desk.one(booking.callback("cb-1", "updated", service_id=None))
    assert (decision["staff_id"], decision["chosen_by"]) == ("st-2", "preferred")
