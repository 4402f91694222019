"""Who may get a callback, and the reason for everybody who may not."""

from datetime import timedelta

import pytest

from tests.support.assigning import team
from tests.support.booking import MONDAY, absence, iso, week

HOUR = timedelta(hours=1)


def test_everything_in_order() -> None:
    """A person of the branch who is active, accepts callbacks and offers the service is eligible."""
    booking, desk = team("st-1")
    decision = desk.one(booking.callback())
    assert decision["candidates"] == [{"staff_id": "st-1", "eligible": True, "load": 0, "turn": 0}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_active": False}, "inactive"),
        ({"accepts_callbacks": False}, "not_accepting"),
        ({"service_ids": ["sv-2"]}, "lacks_service"),
        ({"working_hours": week("12:00", "13:00")}, "outside_hours"),
        ({"working_hours": {}}, "outside_hours"),
        ({"absences": [absence(MONDAY, MONDAY + HOUR)]}, "absent"),
        ({"max_active_callbacks": 0}, "at_capacity"),
        # several hold: the first in the order of the list is given
        ({"is_active": False, "accepts_callbacks": False}, "inactive"),
        ({"accepts_callbacks": False, "service_ids": []}, "not_accepting"),
        ({"service_ids": [], "working_hours": {}}, "lacks_service"),
        ({"working_hours": {}, "absences": [absence(MONDAY, MONDAY + HOUR)]}, "outside_hours"),
        ({"absences": [absence(MONDAY, MONDAY + HOUR)], "max_active_callbacks": 0}, "absent"),
    ],
)
def test_exclusions(fields: dict[str, object], reason: str) -> None:
    """Each exclusion is one reason, the first that holds in the order of the list."""
    booking, desk = team("st-1", **fields)
    decision = desk.one(booking.callback())
    assert decision.type == "waiting"
    assert decision["reason"] == "no_eligible_staff"
    assert decision.excluded == {"st-1": reason}


def test_people_of_other_branches_are_no_candidates() -> None:
    """Staff of another branch is not considered and not listed."""
    booking, desk = team("st-1")
    desk.send(booking.branch("br-2"), booking.staff("st-2", branch_ids=["br-2"]))
    assert desk.one(booking.callback()).excluded == {"st-1": None}


def test_the_preferred_person_from_elsewhere_is_listed() -> None:
    """The preferred person is a candidate also from another branch, and excluded as `other_branch`."""
    booking, desk = team("st-1")
    desk.send(booking.branch("br-2"), booking.staff("st-0", branch_ids=["br-2"]))
    decision = desk.one(booking.callback(staff_id="st-0"))
    assert decision.excluded == {"st-0": "other_branch", "st-1": None}
    assert decision["staff_id"] == "st-1"


def test_a_callback_without_service() -> None:
    """A callback that names no service can be given to somebody who offers none."""
    booking, desk = team("st-1", service_ids=[])
    assert desk.one(booking.callback(service_id=None))["staff_id"] == "st-1"


def test_absence_is_half_open() -> None:
    """An absence holds from its beginning until just before its end."""
    booking, desk = team("st-1", absences=[absence(MONDAY, MONDAY + HOUR)])
    for number, (at, there) in enumerate(
        [
            (MONDAY - HOUR / 3600_000, True),
            (MONDAY, False),
            (MONDAY + HOUR - HOUR / 3600_000, False),
            (MONDAY + HOUR, True),
        ]
    ):
        decision = desk.send(booking.callback(f"cb-{number}"), at=at)[0]
        assert (decision.type == "auto_assigned") is there, at


def test_an_absence_may_end_within_a_millisecond() -> None:
    """A boundary between two milliseconds counts from the first millisecond that is not before it."""
    booking, desk = team(
        "st-1", absences=[{"from": "2026-11-23T10:00:00.0005Z", "until": "2026-11-23T11:00:00.0005Z"}]
    )
    at = [MONDAY, MONDAY + timedelta(milliseconds=1), MONDAY + HOUR, MONDAY + HOUR + timedelta(milliseconds=1)]
    types = [desk.send(booking.callback(f"cb-{n}"), at=moment)[0].type for n, moment in enumerate(at)]
    assert types == ["auto_assigned", "waiting", "waiting", "auto_assigned"]


def test_capacity() -> None:
    """With as many callbacks as `max_active_callbacks` a person gets no more; one less, and they do."""
    booking, desk = team("st-1", max_active_callbacks=1)
    assert desk.one(booking.callback("cb-1"))["staff_id"] == "st-1"
    decision = desk.one(booking.callback("cb-2"))
    assert decision.excluded == {"st-1": "at_capacity"}
    assert decision.candidate("st-1")["load"] == 1


def test_capacity_comes_before_present_assignee() -> None:
    """The present assignee who is at capacity reads `at_capacity`."""
    booking, desk = team("st-1", max_active_callbacks=1)
    desk.send(booking.callback())
    assert desk.one(booking.reassign()).excluded == {"st-1": "at_capacity"}
    desk.send(booking.staff("st-1", max_active_callbacks=2))
    assert desk.one(booking.reassign()).excluded == {"st-1": "present_assignee"}


def test_hours_are_those_of_the_branch() -> None:
    """Working hours are read on the wall clock of the callback's branch."""
    booking, desk = team("st-1", working_hours=week("09:00", "17:00"))
    desk.send(booking.branch("br-2", timezone="Europe/Lisbon"), booking.staff("st-1", branch_ids=["br-1", "br-2"]))
    at = MONDAY.replace(hour=8, minute=30)  # 09:30 in Berlin, 08:30 in Lisbon
    assert desk.one(booking.callback("cb-1"), at=at).type == "auto_assigned"
    assert desk.one(booking.callback("cb-2", branch_id="br-2")).type == "waiting"


def test_a_new_zone_counts_at_once() -> None:
    """When a branch moves to another time zone, its working hours move with it."""
    booking, desk = team("st-1", working_hours=week("09:00", "17:00"))
    at = MONDAY.replace(hour=8, minute=30)
    assert desk.one(booking.callback("cb-1"), at=at).type == "auto_assigned"
    desk.send(booking.branch(timezone="Europe/Lisbon"))
    assert desk.one(booking.callback("cb-2")).type == "waiting"


def test_timestamps_may_go_backwards() -> None:
    """Each record is decided by its own timestamp, also when it lies before the last one's."""
    booking, desk = team("st-1", "st-2", working_hours=week("09:00", "17:00"))
    evening, noon = MONDAY.replace(hour=20), MONDAY.replace(hour=11)
    types = [
        desk.send(booking.callback(f"cb-{n}"), at=at)[0].type
        for n, at in enumerate([noon, evening, noon, evening])
    ]
    assert types == ["auto_assigned", "waiting", "auto_assigned", "waiting"]


def test_a_decision_tells_how_everybody_stood() -> None:
    """A candidate shows load and turn before the decision, and when they were assigned last."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1"))
    second = desk.one(booking.callback("cb-2"), at=MONDAY + HOUR)
    assert second.candidate("st-1") == {
        "staff_id": "st-1",
        "eligible": True,
        "load": 1,
        "turn": 1,
        "last_assigned_at": iso(MONDAY),
    }
    assert second.candidate("st-2") == {"staff_id": "st-2", "eligible": True, "load": 0, "turn": 0}


def test_deleted_people_are_no_candidates() -> None:
    """Somebody who was deleted is not listed; somebody who is inactive is."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.deleted("staff", "st-1"), booking.staff("st-2", is_active=False))
    assert desk.one(booking.callback()).excluded == {"st-2": "inactive", "st-3": None}
