"""Bulk commands."""

from tests.support.assigning import Decision, Desk, hours, team
from tests.support.booking import MONDAY, Booking, iso


def given(decisions: list[Decision]) -> list[str]:
    return [one["callback_id"] for one in decisions if one.type == "auto_assigned"]


def stacked() -> tuple[Booking, Desk]:
    """Five callbacks that wait for a command."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.branch(auto_assign=False))
    desk.send(
        booking.callback("cb-5", requested_at=iso(MONDAY)),
        booking.callback("cb-4", requested_at=iso(MONDAY - hours(2))),
        booking.callback("cb-3", priority="high", requested_at=iso(MONDAY)),
        booking.callback("cb-2", priority="high", requested_at=iso(MONDAY)),
        booking.callback("cb-1", priority="urgent", requested_at=iso(MONDAY + hours(1))),
    )
    return booking, desk


def test_bulk_order_and_summary() -> None:
    """Urgent, high, normal; then the older; then the smaller id; one decision each, and one summary."""
    booking, desk = stacked()
    command = booking.bulk_auto_assign()
    decisions = desk.send(command)
    assert given(decisions) == ["cb-1", "cb-2", "cb-3", "cb-4", "cb-5"]
    assert {one["command_id"] for one in decisions} == {command.id}
    summary = decisions[-1]
    assert summary.type == "bulk_assigned"
    assert (summary["total"], summary["assigned"], summary["failed"]) == (5, 5, 0)
    assert "strategy" not in summary
    assert "callback_id" not in summary
    assert summary["candidates"] == []


def test_each_decision_sees_the_one_before() -> None:
    """Loads and turns grow from decision to decision within a bulk."""
    booking, desk = stacked()
    decisions = desk.send(booking.bulk_auto_assign(strategy="round_robin"))
    assert [one["staff_id"] for one in decisions[:-1]] == ["st-1", "st-2", "st-1", "st-2", "st-1"]
    assert decisions[-1]["strategy"] == "round_robin"


def test_of_a_branch() -> None:
    """With `branch_id`, only that branch's."""
    booking, desk = stacked()
    desk.send(booking.branch("br-2", auto_assign=False), booking.staff("st-3", branch_ids=["br-2"]))
    desk.send(booking.callback("cb-9", branch_id="br-2"))
    decisions = desk.send(booking.bulk_auto_assign(branch_id="br-2"))
    assert given(decisions) == ["cb-9"]
    assert (decisions[-1]["total"], decisions[-1]["branch_id"]) == (1, "br-2")


def test_of_an_unknown_branch() -> None:
    """An unknown branch has no callbacks: a summary with total 0."""
    booking, desk = stacked()
    for fields in ({}, {"callback_ids": ["cb-1"]}):
        summary = desk.one(booking.bulk_auto_assign(branch_id="br-unknown", **fields))
        assert (summary.type, summary["total"], summary["failed"]) == ("bulk_assigned", 0, 0)


def test_named_ones() -> None:
    """Named ids are assigned in bulk order, each once; others stay."""
    booking, desk = stacked()
    decisions = desk.send(booking.bulk_auto_assign(callback_ids=["cb-5", "cb-1", "cb-5"]))
    assert given(decisions) == ["cb-1", "cb-5"]
    assert decisions[-1]["total"] == 2
    assert desk.owner("cb-2") is None


def test_named_ones_that_cannot_be_assigned() -> None:
    """Unknown, closed and assigned ids are refused after the others, in the order given, and count as failed."""
    booking, desk = stacked()
    desk.send(booking.auto_assign("cb-2"), booking.callback("cb-3", "cancelled"))
    command = booking.bulk_auto_assign(callback_ids=["cb-x", "cb-3", "cb-5", "cb-2", "cb-x", "cb-1"])
    decisions = desk.send(command)
    assert [(one.get("callback_id"), one.type, one.get("reason")) for one in decisions] == [
        ("cb-1", "auto_assigned", "load_based"),
        ("cb-5", "auto_assigned", "load_based"),
        ("cb-x", "command_refused", "unknown_callback"),
        ("cb-3", "command_refused", "not_open"),
        ("cb-2", "command_refused", "already_assigned"),
        (None, "bulk_assigned", None),
    ]
    assert (decisions[-1]["total"], decisions[-1]["assigned"], decisions[-1]["failed"]) == (5, 2, 3)


def test_named_ones_of_a_branch() -> None:
    """With ids and a branch, the ids of that branch; the others are neither assigned nor refused nor counted."""
    booking, desk = stacked()
    desk.send(booking.branch("br-2", auto_assign=False), booking.callback("cb-9", branch_id="br-2"))
    decisions = desk.send(booking.bulk_auto_assign(branch_id="br-1", callback_ids=["cb-9", "cb-1", "cb-x"]))
    assert given(decisions) == ["cb-1"]
    assert [one.type for one in decisions] == ["auto_assigned", "bulk_assigned"]
    assert decisions[-1]["total"] == 1


def test_no_ids_at_all() -> None:
    """An empty list of ids names nothing."""
    booking, desk = stacked()
    assert desk.one(booking.bulk_auto_assign(callback_ids=[]))["total"] == 0


def test_those_who_find_nobody() -> None:
    """Where nobody is eligible each gets `callback.waiting`, again if need be, and counts as failed."""
    booking, desk = stacked()
    desk.send(booking.staff("st-1", max_active_callbacks=1), booking.staff("st-2", accepts_callbacks=False))
    decisions = desk.send(booking.bulk_auto_assign())
    assert [one.type for one in decisions] == ["auto_assigned", *["waiting"] * 4, "bulk_assigned"]
    assert (decisions[-1]["total"], decisions[-1]["assigned"], decisions[-1]["failed"]) == (5, 1, 4)
    again = desk.send(booking.bulk_auto_assign())
    assert [one.type for one in again] == [*["waiting"] * 4, "bulk_assigned"]


def test_every_pending_callback() -> None:
    """Without ids and branch: every open callback without assignee, waiting or not, its branch known or not."""
    booking, desk = team("st-1", service_ids=["sv-1", "sv-2"])
    desk.send(booking.callback("cb-assigned"))
    desk.send(booking.staff("st-1", service_ids=["sv-1"]))
    desk.send(booking.callback("cb-waiting", service_id="sv-2"), booking.callback("cb-command", assign=False))
    desk.send(booking.callback("cb-branch", branch_id="br-9"))
    decisions = desk.send(booking.bulk_auto_assign())
    assert [(one.get("callback_id"), one.type) for one in decisions] == [
        ("cb-branch", "waiting"),
        ("cb-command", "auto_assigned"),
        ("cb-waiting", "waiting"),
        (None, "bulk_assigned"),
    ]


def test_an_unknown_strategy() -> None:
    """An unknown strategy refuses the whole command, without callback id and without summary."""
    booking, desk = stacked()
    decision = desk.one(booking.bulk_auto_assign(strategy="psychic", callback_ids=["cb-1"]))
    assert (decision.type, decision["reason"]) == ("command_refused", "unknown_strategy")
    assert "callback_id" not in decision


def test_a_second_bulk_changes_nothing() -> None:
    """A bulk command that comes again is not answered again."""
    booking, desk = stacked()
    command = booking.bulk_auto_assign()
    desk.send(command)
    assert desk.send(command) == []
