"""What the booking system says later: by hand, in passing, or as the echo of a decision of ours."""

import pytest

from tests.support.assigning import Decision, Desk, team
from tests.support.booking import Booking


def decided(*staff_ids: str) -> tuple[Booking, Desk, Decision]:
    """cb-1 is assigned to st-1 by a decision."""
    booking, desk = team(*(staff_ids or ("st-1", "st-2", "st-3")))
    return booking, desk, desk.one(booking.callback())


def test_a_snapshot_without_assignee_undoes_nothing() -> None:
    """A snapshot of an open callback without `assigned_to` does not undo a decision, whatever its type."""
    booking, desk, _ = decided()
    assert desk.send(booking.callback("cb-1", "updated"), booking.callback("cb-1", "requested")) == []
    assert desk.owner("cb-1") == "st-1"


def test_unassigned_by_hand_undoes_it() -> None:
    """`callback.unassigned` takes the callback away; it is pending and waits for a command."""
    booking, desk, _ = decided()
    assert desk.send(booking.callback("cb-1", "unassigned")) == []
    assert (desk.owner("cb-1"), desk.load("st-1")) == (None, 0)
    assert desk.send(booking.branch(), booking.staff("st-4")) == []
    assert desk.one(booking.auto_assign())["staff_id"] == "st-2"


def test_unassigned_that_still_names_somebody() -> None:
    """`callback.unassigned` unassigns, also if its snapshot still carries the former assignee."""
    for by_hand in ("st-1", "st-2"):  # st-1 has it by a decision that is not confirmed yet
        booking, desk, _ = decided()
        if by_hand == "st-2":
            desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2"))
        desk.send(booking.callback("cb-1", "unassigned", assigned_to=by_hand))
        assert (desk.owner("cb-1"), desk.load(by_hand)) == (None, 0)


@pytest.mark.parametrize("event", ["assigned", "updated", "requested"])
def test_another_assignee_moves_the_load(event: str) -> None:
    """A snapshot with another `assigned_to` moves load and turn, for every type of event and to any id."""
    booking, desk, _ = decided()
    assert desk.send(booking.callback("cb-1", event, assigned_to="st-unknown")) == []
    assert (desk.load("st-1"), desk.load("st-unknown"), desk.turn("st-unknown")) == (0, 1, 2)


def test_another_assignee_in_a_closing_snapshot() -> None:
    """Who is named when the callback is closed had the turn; a closed callback is nobody's load."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "completed", assigned_to="st-2"))
    assert (desk.load("st-1"), desk.load("st-2"), desk.turn("st-2")) == (0, 0, 2)


def test_an_unchanged_assignee_moves_nothing() -> None:
    """Only a change of `assigned_to` against the previous snapshot is a statement."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert desk.one(booking.reassign())["staff_id"] == "st-2"
    desk.send(booking.callback("cb-1", "updated", priority="high"))  # still says st-1
    assert desk.owner("cb-1") == "st-2"


def test_the_echo_of_a_decision() -> None:
    """The snapshot that brings our decision back changes nothing: no load, no turn."""
    booking, desk, _ = decided()
    assert desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1")) == []
    assert (desk.load("st-1"), desk.turn("st-1")) == (1, 1)


def test_the_late_echo_of_an_earlier_decision() -> None:
    """The echo of a decision that was followed by another one does not move the callback back."""
    booking, desk, _ = decided()
    assert desk.one(booking.reassign())["staff_id"] == "st-2"
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert desk.owner("cb-1") == "st-2"
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2"))
    assert (desk.owner("cb-1"), desk.turn("st-2")) == ("st-2", 2)


def test_after_both_echoes_a_hand_is_a_hand() -> None:
    """Once all decisions are confirmed, the first assignee can be named again by hand."""
    booking, desk, _ = decided()
    desk.send(booking.reassign())
    for staff_id in ("st-1", "st-2", "st-1"):
        desk.send(booking.callback("cb-1", "assigned", assigned_to=staff_id))
    assert (desk.owner("cb-1"), desk.turn("st-1")) == ("st-1", 3)


def test_a_confirming_snapshot_brings_the_rest() -> None:
    """An echo still brings its version, status and priority."""
    booking, desk, _ = decided()
    desk.send(booking.reassign())
    desk.send(booking.callback("cb-1", "updated", assigned_to="st-1", priority="urgent", version=9))
    row = desk.callback("cb-1")
    assert row is not None
    assert (row.owner, row.urgency, row.version) == ("st-2", 0, 9)
    desk.send(booking.callback("cb-1", "completed"))
    assert desk.load("st-2") == 0


def test_a_third_person_clears_what_was_expected() -> None:
    """An assignment by hand to somebody else ends the waiting for echoes: the next change is a hand again."""
    booking, desk, _ = decided()
    desk.send(booking.reassign())  # unconfirmed: st-1, st-2
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-3"))
    assert desk.owner("cb-1") == "st-3"
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert desk.owner("cb-1") == "st-1"


def test_unassigned_clears_what_was_expected() -> None:
    """After `callback.unassigned` no echo is expected: whoever is named then was named by hand."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "unassigned"), booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert (desk.owner("cb-1"), desk.turn("st-1")) == ("st-1", 2)


def test_closing_clears_what_was_expected() -> None:
    """After closing no echo is expected."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "cancelled"))
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert (desk.owner("cb-1"), desk.turn("st-1")) == ("st-1", 2)


def test_the_echo_skips_a_decision() -> None:
    """A snapshot that names the present assignee, skipping an earlier decision, confirms both."""
    booking, desk, _ = decided()
    desk.send(booking.reassign())  # st-1, st-2
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2"))
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    assert desk.owner("cb-1") == "st-1"


def test_a_decision_for_whom_the_booking_system_has_named_already() -> None:
    """A snapshot confirms a decision by naming its assignee, also if it named the same person before."""
    booking, desk, _ = decided("st-1")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"), booking.staff("st-1", is_active=False))
    assert desk.one(booking.staff("st-1", is_active=True))["staff_id"] == "st-1"
    desk.send(booking.callback("cb-1", "updated", assigned_to="st-1"))
    desk.send(
        booking.staff("st-2"), booking.reassign(), booking.staff("st-3"), booking.reassign(strategy="round_robin")
    )
    assert desk.owner("cb-1") == "st-3"
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2"))  # the late echo
    assert desk.owner("cb-1") == "st-3"


class TestDecisionId:
    """Events that name the decision they apply."""

    def test_of_an_earlier_decision(self) -> None:
        """An event that applies a decision that is not the latest changes nothing."""
        booking, desk, first = decided()
        desk.send(booking.reassign())
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-3"))  # by hand
        late = booking.callback("cb-1", "assigned", assigned_to="st-1", decision_id=first["decision_id"])
        assert desk.send(late) == []
        assert desk.owner("cb-1") == "st-3"

    def test_of_the_latest_decision(self) -> None:
        """An event that applies the latest decision moves the callback to its assignee, if a hand had moved it."""
        booking, desk, first = decided()
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-3"))
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", decision_id=first["decision_id"]))
        assert desk.owner("cb-1") == "st-1"

    def test_it_confirms_up_to_it(self) -> None:
        """A named decision confirms those before it too: the first assignee can then be named by hand."""
        booking, desk, _ = decided()
        second = desk.one(booking.reassign())
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2", decision_id=second["decision_id"]))
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", decision_id=None))
        assert desk.owner("cb-1") == "st-1"

    def test_it_is_no_echo_by_name_then(self) -> None:
        """An event that names the latest decision is not taken for the echo of an older one to that person."""
        booking, desk, _ = decided("st-1", "st-2")
        desk.send(booking.reassign())
        third = desk.one(booking.reassign())  # back to st-1: unconfirmed are st-1, st-2, st-1
        assert third["staff_id"] == "st-1"
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", decision_id=third["decision_id"]))
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2", decision_id=None))
        assert desk.owner("cb-1") == "st-2"

    @pytest.mark.parametrize("strange", ["not-one-of-ours", "6b0f1a52-6f0e-5d0c-9f0a-3f1d2c7b8e94"])
    def test_of_nobody(self, strange: str) -> None:
        """An id that is no decision of ours makes no echo."""
        booking, desk, _ = decided()
        desk.send(booking.callback("cb-1", "assigned", assigned_to="st-2", decision_id=strange))
        assert desk.owner("cb-1") == "st-2"

    def test_of_a_waiting_decision(self) -> None:
        """An event that applies our `callback.waiting` does not take the callback out of waiting."""
        booking, desk, _ = decided("st-1")
        waits = desk.one(booking.staff("st-1", is_active=False))
        desk.send(booking.callback("cb-1", "unassigned", decision_id=waits["decision_id"]))
        assert desk.one(booking.staff("st-2"))["staff_id"] == "st-2"

    def test_of_what_came_before_waiting(self) -> None:
        """The late echo of an assignment to somebody who has left since does not give it back to them."""
        for named in (True, False):
            booking, desk, first = decided("st-1")
            desk.send(booking.staff("st-1", is_active=False))
            extra = {"decision_id": first["decision_id"]} if named else {}
            desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", **extra))
            assert (desk.owner("cb-1"), desk.load("st-1")) == (None, 0)
            assert desk.one(booking.staff("st-2"))["staff_id"] == "st-2"

    def test_many_decisions_are_remembered(self) -> None:
        """Of many decisions about one callback the early ones are still recognised as ours."""
        booking, desk, first = decided("st-1", "st-2")
        for _ in range(40):
            desk.send(booking.reassign())
        owner = desk.owner("cb-1")
        other = "st-1" if owner == "st-2" else "st-2"
        desk.send(booking.callback("cb-1", "assigned", assigned_to=other, decision_id=first["decision_id"]))
        assert desk.owner("cb-1") == owner


@pytest.mark.parametrize(
    ("event", "status"),
    [("completed", "pending"), ("cancelled", "assigned"), ("expired", "pending"), ("contacted", "completed")],
)
def test_type_and_status_disagree(event: str, status: str) -> None:
    """An event whose type and status contradict each other is a dead letter, and changes nothing."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", event, status=status))
    assert desk.owner("cb-1") == "st-1"
    assert desk.intake("dead_letter") == 1
    assert desk.outputs[-2].topic == "intake.dead-letters"
    assert b'"reason":"inconsistent"' in desk.outputs[-2].value


def test_assigned_without_assignee() -> None:
    """`callback.assigned` that names nobody is a dead letter."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "assigned", assigned_to=None))
    assert desk.intake("dead_letter") == 1


def test_otherwise_status_rules() -> None:
    """For the other types the status counts: `callback.updated` with a closing status closes."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "updated", status="expired"))
    assert desk.load("st-1") == 0
    assert desk.one(booking.auto_assign())["reason"] == "not_open"


def test_a_closed_callback_keeps_its_last_assignee() -> None:
    """A closed callback keeps its last assignee for the record, outside the load."""
    booking, desk, _ = decided()
    desk.send(booking.callback("cb-1", "completed"))
    row = desk.callback("cb-1")
    assert row is not None
    assert (row.owner, desk.load("st-1")) == ("st-1", 0)
