"""Callbacks whose time runs out."""

from datetime import timedelta

import pytest

from tests.support.assigning import COMMANDS, Desk, team
from tests.support.booking import MONDAY, Booking, Message, iso, moment

HOUR = timedelta(hours=1)
SOON = MONDAY + HOUR


def test_a_waiting_one_is_abandoned() -> None:
    """When `expires_at` passes, the timer asks and a waiting callback is abandoned, once; then it is not open."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    assert desk.tick(SOON - timedelta(milliseconds=1)) == []
    (command,) = desk.tick(SOON)
    assert command["type"] == "callback.expire"
    assert command["data"] == {"company_id": "co-1", "callback_id": "cb-1", "due_at": iso(SOON)}
    assert desk.tick(SOON + HOUR) == []
    decision = desk.one(booking.expire("cb-1", SOON).but(id=command["id"], source=command["source"]))
    assert (decision.type, decision["reason"], decision["callback_id"]) == ("abandoned", "expired", "cb-1")
    assert decision["caused_by"] == command["id"]
    assert desk.one(booking.auto_assign())["reason"] == "not_open"
    assert desk.send(booking.staff("st-1")) == []


def test_one_that_waits_for_a_command() -> None:
    """A callback that waits for a command is abandoned too."""
    booking, desk = team("st-1")
    desk.send(booking.callback(assign=False, expires_at=iso(SOON)))
    assert [one.type for one in desk.pass_time(SOON)] == ["abandoned"]
    assert desk.one(booking.reassign())["reason"] == "not_open"
    assert [one["total"] for one in desk.send(booking.bulk_auto_assign())] == [0]


def test_one_that_waits_for_its_branch() -> None:
    """A callback that waits for its branch is abandoned too, and the branch finds nothing to do."""
    booking, desk = Booking(), Desk()
    desk.send(booking.callback(expires_at=iso(SOON)))
    assert [one.type for one in desk.pass_time(SOON)] == ["abandoned"]
    assert desk.send(booking.staff("st-1"), booking.branch()) == []


def test_an_assigned_one_stays() -> None:
    """An assigned callback stays in its owner's load until the booking system says so."""
    booking, desk = team("st-1")
    desk.send(booking.callback(expires_at=iso(SOON)))
    assert desk.pass_time(SOON + HOUR) == []
    assert desk.send(booking.expire("cb-1", SOON)) == []
    assert desk.load("st-1") == 1
    desk.send(booking.callback("cb-1", "expired"))
    assert desk.load("st-1") == 0


@pytest.mark.parametrize("how", ["unassigned", "left", "deleted"])
@pytest.mark.parametrize("by_command", [True, False])
def test_expired_while_assigned(how: str, by_command: bool) -> None:
    """If an expired callback then loses its owner it is abandoned at once."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback(expires_at=iso(SOON)))
    if by_command:  # also where the record's clock stands before the moment
        desk.send(booking.expire("cb-1", SOON))
    else:
        desk.at = SOON
    event = {
        "unassigned": booking.callback("cb-1", "unassigned"),
        "left": booking.staff("st-1", is_active=False),
        "deleted": booking.deleted("staff", "st-1"),
    }[how]
    decision = desk.one(event)
    assert (decision.type, decision["reason"]) == ("abandoned", "expired")
    assert (decision["previous_staff_id"], decision["caused_by"]) == ("st-1", event.id)
    assert desk.load("st-1") == 0
    assert desk.one(booking.auto_assign())["reason"] == "not_open"


def test_an_expired_one_can_be_reassigned() -> None:
    """A re-assignment of an expired callback that somebody has is no loss of its owner."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback(expires_at=iso(SOON)), booking.expire("cb-1", SOON))
    assert desk.one(booking.reassign(), at=SOON)["staff_id"] == "st-2"


def test_before_its_time_it_only_waits() -> None:
    """A callback that loses its owner before `expires_at` is pending, and abandoned in time."""
    booking, desk = team("st-1")
    desk.send(booking.callback(expires_at=iso(SOON)), booking.callback("cb-1", "unassigned"))
    assert [one.type for one in desk.pass_time(SOON)] == ["abandoned"]


def test_more_time() -> None:
    """A later `expires_at` counts: the earlier one is not asked for, and if it was, nothing happens."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    desk.send(booking.callback("cb-1", "updated", expires_at=iso(SOON + HOUR)))
    assert desk.pass_time(SOON + HOUR / 2) == []
    assert desk.send(booking.expire("cb-1", SOON)) == []
    assert [one.type for one in desk.pass_time(SOON + HOUR)] == ["abandoned"]


def test_an_abandoned_one_gets_more_time() -> None:
    """With more time an abandoned callback is in assignment again."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    desk.pass_time(SOON)
    desk.send(booking.staff("st-1"))
    assert desk.send(booking.callback("cb-1", "updated", notes="bitte")) == []
    assert desk.send(booking.callback("cb-1", "updated", expires_at=iso(SOON - HOUR / 2))) == []
    desk.restart()
    assert desk.one(booking.callback("cb-1", "updated", expires_at=iso(SOON + HOUR)))["staff_id"] == "st-1"


def test_an_abandoned_one_gets_for_ever() -> None:
    """An abandoned callback that does not expire any more is in assignment again."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    desk.pass_time(SOON)
    assert desk.one(booking.callback("cb-1", "updated", expires_at=None)).type == "waiting"


@pytest.mark.parametrize("days", [0, 15])
@pytest.mark.parametrize("obeyed", [True, False])
def test_more_time_is_taken_back(days: int, obeyed: bool) -> None:
    """Given more time and then the first moment again, it is asked for anew, also where the first command is
    remembered no longer: another command, and another decision."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    (first,) = desk.tick(SOON)
    abandoned = desk.send(Message(COMMANDS, first)) if obeyed else []
    desk.at = SOON + timedelta(days=days)
    desk.send(booking.callback("cb-1", "updated", expires_at=iso(desk.at + HOUR)), Message(COMMANDS, first))
    desk.send(booking.callback("cb-1", "updated", expires_at=iso(SOON)))
    desk.restart()
    (decision,) = desk.obey()
    assert decision.type == "abandoned"
    assert decision["caused_by"] != first["id"]
    assert decision["decision_id"] not in {one["decision_id"] for one in abandoned}


def test_an_abandoned_one_is_assigned_by_hand() -> None:
    """Who takes an abandoned callback by hand has it in their load; losing them, it is abandoned again."""
    booking, desk = team("st-1")
    desk.send(booking.callback(assign=False, expires_at=iso(SOON)))
    desk.pass_time(SOON)
    assert desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1")) == []
    assert desk.load("st-1") == 1
    assert desk.one(booking.callback("cb-1", "unassigned")).type == "abandoned"


def test_opened_again_after_its_time() -> None:
    """A callback that is opened again after its time is a new request, and is abandoned if nobody takes it."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)))
    desk.pass_time(SOON)
    desk.send(booking.callback("cb-1", "cancelled"), at=SOON + HOUR)
    assert desk.one(booking.callback("cb-1", "updated", status="pending")).type == "waiting"
    assert [one.type for one in desk.pass_time(SOON + 2 * HOUR)] == ["abandoned"]


def test_to_the_microsecond() -> None:
    """The command names the moment as it was given, and is not written before it."""
    booking, desk = team()
    exact = "2026-11-23T11:00:00.000250Z"
    desk.send(booking.callback(expires_at=exact))
    assert desk.tick(moment("2026-11-23T11:00:00.000000Z")) == []
    (command,) = desk.tick(moment("2026-11-23T11:00:00.001000Z"))
    assert command["data"]["due_at"] == exact


def test_expired_by_the_booking_system() -> None:
    """What the booking system has closed is not asked for."""
    booking, desk = team()
    desk.send(booking.callback(expires_at=iso(SOON)), booking.callback("cb-1", "expired"))
    assert desk.tick(SOON) == []
    assert desk.send(booking.expire("cb-1", SOON)) == []
