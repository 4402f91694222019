"""Load, turns, and who is taken of several."""

from datetime import timedelta

import pytest

from tests.support.assigning import team
from tests.support.booking import MONDAY, iso


def test_load_counts_pending_and_assigned() -> None:
    """A person's load is the number of callbacks assigned to them whose status is pending or assigned."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1"), booking.callback("cb-2"), booking.callback("cb-3"))
    desk.send(booking.callback("cb-1", "updated", status="assigned"))
    assert desk.load("st-1") == 3
    desk.send(booking.callback("cb-1", "contacted"), booking.callback("cb-2", "completed"))
    assert desk.load("st-1") == 1
    desk.send(booking.callback("cb-3", "cancelled"))
    assert desk.load("st-1") == 0


def test_by_hand_counts_the_same() -> None:
    """An assignment by hand counts in the load and as a turn as soon as its event is applied."""
    booking, desk = team("st-1", "st-2")
    assert desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1")) == []
    assert (desk.load("st-1"), desk.turn("st-1")) == (1, 1)
    assert desk.one(booking.callback("cb-2"))["staff_id"] == "st-2"


def test_load_based() -> None:
    """load_based takes the smallest load, then the smallest turn, then the smallest id."""
    booking, desk = team("st-1", "st-2", "st-3")
    chosen = [desk.one(booking.callback(f"cb-{n}"))["staff_id"] for n in range(3)]
    assert chosen == ["st-1", "st-2", "st-3"]  # loads and turns are equal at first: by id
    desk.send(booking.callback("cb-1", "completed"))  # st-2 has 0, the others 1
    assert desk.one(booking.callback("cb-4"))["staff_id"] == "st-2"
    assert desk.one(booking.callback("cb-5"))["staff_id"] == "st-1"  # all have 1: turns 1, 4, 3


def test_round_robin() -> None:
    """round_robin takes whose turn is the longest ago, whatever their load; in a fixed team it goes round."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.branch(strategy="round_robin"))
    chosen = [desk.one(booking.callback(f"cb-{n}"))["staff_id"] for n in range(5)]
    assert chosen == ["st-1", "st-2", "st-3", "st-1", "st-2"]
    desk.send(*(booking.callback(f"cb-{n}", "completed") for n in (0, 1, 3)))
    decision = desk.one(booking.callback("cb-9"))  # st-3 has the most, and the oldest turn
    assert decision["staff_id"] == "st-3"
    assert decision["strategy"] == decision["chosen_by"] == decision["reason"] == "round_robin"


def test_round_robin_and_newcomers() -> None:
    """Somebody new has never had a turn, and is next."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.branch(strategy="round_robin"), booking.callback("cb-1"), booking.callback("cb-2"))
    desk.send(booking.staff("st-9"))
    assert desk.one(booking.callback("cb-3"))["staff_id"] == "st-9"


def test_turns_are_counted_by_company() -> None:
    """The counter grows by one with each assignment: decided, preferred, re-assigned, or by hand."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.callback("cb-1"))  # 1: st-1
    desk.send(booking.callback("cb-2", staff_id="st-1"))  # 2: st-1, preferred
    desk.send(booking.reassign("cb-2"))  # 3: st-2
    desk.send(booking.callback("cb-3", "assigned", assigned_to="st-3"), at=MONDAY + timedelta(hours=1))  # 4
    assert [desk.turn(staff) for staff in ("st-1", "st-2", "st-3")] == [2, 3, 4]
    assert desk.one(booking.callback("cb-4")).candidate("st-3")["last_assigned_at"] == iso(
        MONDAY + timedelta(hours=1)
    )


def test_another_company_has_its_own_turns() -> None:
    """Companies do not share turns, and the same ids in two companies are two people."""
    booking, desk = team("st-1", "st-2")
    other, _ = team()
    other.company_id = "co-2"
    desk.send(other.company(), other.branch(), other.staff("st-1"), other.staff("st-2"))
    desk.send(booking.callback("cb-1"))
    assert desk.one(other.callback("cb-1"))["staff_id"] == "st-1"
    assert desk.turn("st-1", "co-2") == 1


def test_closing_and_unassigning_reset_no_turn() -> None:
    """A person's turn stays when the callback is closed or taken away."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1"), booking.callback("cb-2"))
    desk.send(booking.callback("cb-1", "completed"), booking.callback("cb-2", "unassigned"))
    assert (desk.turn("st-1"), desk.turn("st-2")) == (1, 2)


def test_naming_the_present_assignee_again_is_no_turn() -> None:
    """An event that names who has the callback anyway is no turn."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1"), booking.callback("cb-2"))
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1"))
    desk.send(
        booking.callback("cb-1", "updated", assigned_to=None),
        booking.callback("cb-1", "assigned", assigned_to="st-1"),
    )
    assert desk.turn("st-1") == 1


@pytest.mark.parametrize("status", ["assigned", "completed", "contacted"])
def test_a_first_snapshot_that_names_somebody_is_a_turn(status: str) -> None:
    """A first snapshot with an assignee is a turn, open or closed; only an open one is load."""
    booking, desk = team("st-1")
    assert desk.send(booking.callback("cb-1", "updated", status=status, assigned_to="st-1")) == []
    assert desk.turn("st-1") == 1
    assert desk.load("st-1") == (1 if status == "assigned" else 0)


def test_the_preferred_person() -> None:
    """The preferred person is taken if eligible, whatever the strategy and their load."""
    booking, desk = team("st-1", "st-2")
    for n in range(3):
        decision = desk.one(booking.callback(f"cb-{n}", staff_id="st-2"))
        assert (decision["staff_id"], decision["chosen_by"], decision["reason"]) == (
            "st-2",
            "preferred",
            "preferred",
        )
        assert decision["strategy"] == "load_based"


def test_a_preferred_person_who_is_not_eligible() -> None:
    """A preferred person who cannot take it leaves the choice to the strategy."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.staff("st-2", accepts_callbacks=False))
    decision = desk.one(booking.callback(staff_id="st-2"))
    assert (decision["staff_id"], decision["chosen_by"]) == ("st-1", "load_based")
    assert decision.excluded["st-2"] == "not_accepting"


def test_the_strategy_is_the_command_s_else_the_branch_s() -> None:
    """A command's strategy comes before the branch's."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.branch(strategy="round_robin", auto_assign=False))
    desk.send(booking.callback("cb-0", "assigned", assigned_to="st-1"), booking.callback("cb-0", "completed"))
    desk.send(*(booking.callback(f"cb-{n}") for n in (1, 2, 3)))
    # loads are equal, turns are 1, 0, 0: both strategies take st-2 first, then they differ
    assert desk.one(booking.auto_assign("cb-1"))["strategy"] == "round_robin"
    decision = desk.one(booking.auto_assign("cb-2", strategy="load_based"))
    assert (decision["strategy"], decision["staff_id"]) == ("load_based", "st-3")
    assert desk.one(booking.auto_assign("cb-3"))["staff_id"] == "st-1"


def test_the_chosen_person_is_named() -> None:
    """A decision carries the id and the name of the person."""
    booking, desk = team("st-1")
    desk.send(booking.staff("st-1", name="Jana Österreich"))
    assert desk.one(booking.callback())["staff_name"] == "Jana Österreich"
