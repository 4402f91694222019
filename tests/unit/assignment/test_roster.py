"""The index of a branch's people over many changes."""

from zoneinfo import ZoneInfo

from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.roster import LOOK_BACK, Roster

EVERYBODY = ("st-1", "st-2", "st-3")


def test_more_changes_than_are_kept() -> None:
    """A pool that has not been asked during more changes than are kept still gives the order of now."""
    standings = {staff_id: Standing() for staff_id in EVERYBODY}
    people = [
        Person(staff_id, "N.", frozenset({"br-1"}), frozenset({"sv-1"}), True, True, None, None, [])
        for staff_id in EVERYBODY
    ]
    roster = Roster(ZoneInfo("UTC"), 0, people, standings)
    roster.touch("st-3")
    assert roster.pool("sv-1").best("load_based", 3, None) == ["st-1", "st-2", "st-3"]
    standings["st-1"].load = 7
    roster.touch("st-1")
    for load in range(LOOK_BACK + 5 * len(EVERYBODY)):
        standings["st-2"].load = load
        roster.touch("st-2")
    assert roster.pool("sv-1").best("load_based", 3, None) == ["st-3", "st-1", "st-2"]
