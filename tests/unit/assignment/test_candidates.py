"""The candidates of a decision, where there are many."""

from datetime import timedelta

from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking, absence, week


def crowd(number: int) -> tuple[Booking, Desk]:
    return team(*(f"st-{n:03}" for n in range(number)))


def test_fifty_are_all_listed() -> None:
    """Up to 50 candidates are listed one by one, by staff id."""
    booking, desk = crowd(50)
    decision = desk.one(booking.callback())
    assert [one["staff_id"] for one in decision["candidates"]] == [f"st-{n:03}" for n in range(50)]
    assert "candidates_omitted" not in decision


def test_the_preferred_guest_counts_among_the_fifty() -> None:
    """The preferred person from elsewhere is the 51st candidate of a branch of 50."""
    booking, desk = crowd(50)
    desk.send(booking.staff("st-x", branch_ids=["br-2"]))
    decision = desk.one(booking.callback(staff_id="st-x"))
    assert decision.excluded == {**{f"st-{n:03}": None for n in range(20)}, "st-x": "other_branch"}
    assert decision["candidates_omitted"] == {"eligible": 30}


def test_above_fifty_the_best_twenty_and_counts() -> None:
    """Above 50, the 20 best-ranked eligible people are listed, and the rest is counted by reason."""
    booking, desk = crowd(60)
    away = [absence(MONDAY, MONDAY + timedelta(days=1))]
    for n, fields in enumerate(
        [
            {"is_active": False},
            {"is_active": False},
            {"accepts_callbacks": False},
            {"service_ids": ["sv-9"]},
            {"working_hours": week("00:00", "01:00")},
            {"absences": away},
            {"absences": away},
            {"max_active_callbacks": 0},
        ]
    ):
        desk.send(booking.staff(f"st-{n:03}", **fields))
    decision = desk.one(booking.callback())
    assert decision.excluded == {f"st-{n:03}": None for n in range(8, 28)}
    assert decision["staff_id"] == "st-008"
    assert decision["candidates_omitted"] == {
        "eligible": 32,
        "inactive": 2,
        "not_accepting": 1,
        "lacks_service": 1,
        "outside_hours": 1,
        "absent": 2,
        "at_capacity": 1,
    }


def test_above_fifty_the_ranking_is_the_strategy_s() -> None:
    """The 20 best are those that the strategy of the decision would take first."""
    booking, desk = crowd(60)
    for n in range(3):
        desk.send(booking.callback(f"by-hand-{n}", "assigned", assigned_to=f"st-{n:03}"))
    decision = desk.one(booking.callback("cb-1"))
    assert list(decision.excluded) == [f"st-{n:03}" for n in range(3, 23)]


def test_above_fifty_the_chosen_preferred_is_listed() -> None:
    """The preferred person is listed also where they are not among the best 20."""
    booking, desk = crowd(60)
    decision = desk.one(booking.callback(staff_id="st-059"))
    assert decision["staff_id"] == "st-059"
    assert list(decision.excluded) == [*(f"st-{n:03}" for n in range(20)), "st-059"]
    assert decision["candidates_omitted"] == {"eligible": 39}


def test_above_fifty_the_present_assignee_is_listed() -> None:
    """In a re-assignment the present assignee is listed, with the load that includes this callback."""
    booking, desk = crowd(60)
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-050"))
    decision = desk.one(booking.reassign("cb-1"))
    assert decision.type == "reassigned"
    assert decision.candidate("st-050") == {
        "staff_id": "st-050",
        "eligible": False,
        "load": 1,
        "turn": 1,
        "excluded_by": "present_assignee",
        "last_assigned_at": "2026-11-23T10:00:00Z",
    }
    assert decision["candidates_omitted"] == {"eligible": 39}


def test_above_fifty_nobody_eligible() -> None:
    """When nobody of many is eligible, all are counted by reason."""
    booking, desk = team(*(f"st-{n:03}" for n in range(60)), working_hours={})
    decision = desk.one(booking.callback())
    assert decision["candidates"] == []
    assert decision["candidates_omitted"] == {"outside_hours": 60}


def test_an_unknown_preferred_person_is_no_candidate() -> None:
    """A preferred id that the directory does not know is not listed."""
    booking, desk = team("st-1")
    decision = desk.one(booking.callback(staff_id="st-unknown"))
    assert decision.excluded == {"st-1": None}
    assert decision["chosen_by"] == "load_based"
