"""What happens when a callback arrives."""

from datetime import timedelta

import pytest

from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking, week


def test_assigned_at_once() -> None:
    """`callback.requested` is assigned at once where the branch has `auto_assign`."""
    booking, desk = team("st-1")
    decision = desk.one(booking.callback())
    assert decision.type == "auto_assigned"
    assert desk.owner("cb-1") == "st-1"


def test_waits_for_a_command() -> None:
    """Without `auto_assign` it waits for a command, and switching `auto_assign` on later does not touch it."""
    booking, desk = team("st-1")
    assert desk.send(booking.branch(auto_assign=False), booking.callback()) == []
    assert desk.send(booking.branch(auto_assign=True)) == []
    assert desk.send(booking.staff("st-2"), booking.callback("cb-1", "updated")) == []
    assert desk.one(booking.auto_assign())["staff_id"] == "st-1"


@pytest.mark.parametrize("event", ["updated", "requested"])
def test_the_first_snapshot_is_the_request(event: str) -> None:
    """The first snapshot of an open callback without assignee is a request, whatever its type and version."""
    booking, desk = team("st-1")
    decision = desk.one(booking.callback("cb-1", event, version=2))
    assert decision["staff_id"] == "st-1"
    assert desk.send(booking.callback("cb-1", "requested", version=1)) == []


def test_a_first_snapshot_that_says_unassigned() -> None:
    """A callback first heard of as unassigned by hand waits for a command."""
    booking, desk = team("st-1")
    assert desk.send(booking.callback("cb-1", "unassigned")) == []
    assert desk.one(booking.auto_assign())["staff_id"] == "st-1"


def test_status_assigned_without_assignee_is_a_request() -> None:
    """The assignee decides, not the text of `status`: an `assigned` callback that names nobody is a request."""
    booking, desk = team("st-1")
    assert desk.one(booking.callback(status="assigned"))["staff_id"] == "st-1"


def test_requested_with_an_assignee() -> None:
    """`callback.requested` with `assigned_to` is an assignment by hand: no decision."""
    booking, desk = team("st-1")
    assert desk.send(booking.callback(assigned_to="st-1")) == []
    assert desk.load("st-1") == 1


def test_a_closed_first_snapshot() -> None:
    """A callback that is closed when it is first heard of calls for nothing."""
    booking, desk = team("st-1")
    assert desk.send(booking.callback("cb-1", "completed")) == []
    assert desk.one(booking.auto_assign())["reason"] == "not_open"


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_is_not_newer_changes_nothing(version: int) -> None:
    """A snapshot whose version is not greater than the known one changes nothing and is counted as stale."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1", version=2))
    assert desk.send(booking.callback("cb-1", "completed", version=version)) == []
    assert desk.owner("cb-1") == "st-1"
    assert desk.intake("stale") == 1


def test_assign_false_suppresses_only_the_arrival() -> None:
    """`assign: false` keeps a callback from being assigned on arrival; a command assigns it."""
    booking, desk = team("st-1")
    assert desk.send(booking.callback(assign=False)) == []
    assert desk.one(booking.auto_assign())["staff_id"] == "st-1"


def test_assign_false_does_not_keep_it_from_waiting_and_leaving() -> None:
    """A callback that came with `assign: false` is re-assigned on leaving and decided again while it waits."""
    booking, desk = team("st-1")
    desk.send(booking.callback(assign=False), booking.auto_assign())
    assert desk.one(booking.staff("st-1", is_active=False)).type == "waiting"
    assert desk.one(booking.staff("st-2"))["staff_id"] == "st-2"


class TestUnknownBranch:
    """A callback can overtake its branch, which comes on another topic."""

    @staticmethod
    def overtaken() -> tuple[Booking, Desk]:
        booking, desk = Booking(), Desk()
        assert desk.send(booking.callback("cb-2"), booking.callback("cb-1", priority="urgent")) == []
        return booking, desk

    def test_it_is_decided_when_the_branch_arrives(self) -> None:
        """When the branch arrives with `auto_assign`, those before it are decided, caused by its event."""
        booking, desk = self.overtaken()
        assert desk.send(booking.staff("st-1")) == []
        branch = booking.branch()
        decisions = desk.send(branch)
        assert [(one["callback_id"], one.type, one["caused_by"]) for one in decisions] == [
            ("cb-1", "auto_assigned", branch.id),
            ("cb-2", "auto_assigned", branch.id),
        ]

    def test_nobody_there_when_the_branch_arrives(self) -> None:
        """If nobody is eligible when the branch arrives, that is said, once each."""
        booking, desk = self.overtaken()
        assert [one.type for one in desk.send(booking.branch())] == ["waiting", "waiting"]
        assert desk.send(booking.branch()) == []
        assert [one["callback_id"] for one in desk.send(booking.staff("st-1"))] == ["cb-1", "cb-2"]

    def test_the_branch_arrives_without_auto_assign(self) -> None:
        """If the branch does not assign by itself, they wait for a command, also when it does later."""
        booking, desk = self.overtaken()
        assert desk.send(booking.staff("st-1"), booking.branch(auto_assign=False)) == []
        assert desk.send(booking.branch(auto_assign=True), booking.staff("st-1")) == []
        assert desk.one(booking.auto_assign("cb-2"))["staff_id"] == "st-1"

    def test_a_command_is_obeyed_without_the_branch(self) -> None:
        """A command for it is decided load-based and in the company's time zone."""
        booking, desk = self.overtaken()
        desk.send(booking.company(timezone="America/New_York"))
        desk.send(
            booking.staff("st-1", working_hours=week("05:00", "06:00")), booking.staff("st-2", working_hours={})
        )
        decision = desk.one(booking.auto_assign("cb-1"))  # 10:00 UTC is 05:00 in New York
        assert (decision["staff_id"], decision["strategy"]) == ("st-1", "load_based")

    def test_a_command_without_branch_and_company(self) -> None:
        """Without branch and company, working hours are read in UTC."""
        booking, desk = self.overtaken()
        desk.send(booking.staff("st-1", working_hours=week("10:00", "11:00")))
        assert desk.one(booking.auto_assign("cb-1"))["staff_id"] == "st-1"

    def test_assign_false_holds_for_the_branch_s_arrival_too(self) -> None:
        """With `assign: false` the branch's arrival does not assign it either."""
        booking, desk = Booking(), Desk()
        desk.send(booking.callback("cb-1", assign=False), booking.staff("st-1"))
        assert desk.send(booking.branch()) == []

    def test_it_moves_to_a_branch_that_is_known(self) -> None:
        """A callback that waits for its branch and is moved to a known one is decided there."""
        booking, desk = self.overtaken()
        desk.send(booking.branch("br-2"), booking.staff("st-1", branch_ids=["br-2"]))
        assert desk.one(booking.callback("cb-1", "updated", branch_id="br-2"))["staff_id"] == "st-1"


def test_a_closed_callback_is_opened_again() -> None:
    """Closing ends the assignment; opened again, a callback is unassigned and handled as a new request."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1"), booking.callback("cb-1", "completed"))
    decision = desk.one(booking.callback("cb-1", "updated", status="pending"))
    assert (decision.type, decision["staff_id"]) == ("auto_assigned", "st-2")
    assert "previous_staff_id" not in decision


def test_opened_again_with_an_assignee() -> None:
    """Opened again with an assignee, it is theirs."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1", "completed", assigned_to="st-1"))
    assert desk.send(booking.callback("cb-1", "updated", status="assigned")) == []
    assert (desk.load("st-1"), desk.turn("st-1")) == (1, 2)


def test_a_preferred_time_window_of_any_form_is_ignored() -> None:
    """`preferred_time_window` may be any JSON and changes nothing."""
    booking, desk = team("st-1")
    for n, window in enumerate(["after 5", {"from": 1}, [1, [2]], 3.5, False]):
        assert desk.one(booking.callback(f"cb-{n}", preferred_time_window=window))["staff_id"] == "st-1"


def test_decided_by_the_record_s_time() -> None:
    """A decision's clock is the timestamp of the record, not the clock on the wall."""
    booking, desk = team("st-1", working_hours=week("09:00", "17:00"))
    desk.at = MONDAY + timedelta(days=300)
    late = booking.callback("cb-1").but(at=MONDAY)
    decision = desk.one(late)
    assert decision.type == "auto_assigned"
    assert decision["decided_at"] == decision.event["time"] == "2026-11-23T10:00:00Z"
