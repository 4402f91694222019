"""Commands for one callback, and how they are refused."""

from datetime import timedelta

import pytest

from tests.support.assigning import team
from tests.support.booking import MONDAY, Booking, Message


def test_auto_assign() -> None:
    """`auto_assign` assigns a callback that waits for a command; the decision names the command."""
    booking, desk = team("st-1")
    desk.send(booking.branch(auto_assign=False), booking.callback())
    command = booking.auto_assign()
    decision = desk.one(command)
    assert (decision.type, decision["staff_id"]) == ("auto_assigned", "st-1")
    assert decision["command_id"] == decision["caused_by"] == command.id


def refusals(booking: Booking, callback_id: str) -> list[Message]:
    return [booking.auto_assign(callback_id), booking.reassign(callback_id)]


def test_unknown_callback() -> None:
    """A command for a callback that is unknown is refused, and that is final: its arrival does not revive it."""
    booking, desk = team("st-1")
    for command in refusals(booking, "cb-1"):
        decision = desk.one(command)
        assert (decision.type, decision["reason"]) == ("command_refused", "unknown_callback")
        assert (decision["callback_id"], decision["command_id"]) == ("cb-1", command.id)
        assert decision["candidates"] == []
    assert desk.send(booking.callback(assign=False)) == []
    assert desk.owner("cb-1") is None


@pytest.mark.parametrize("event", ["contacted", "completed", "cancelled", "expired"])
def test_not_open(event: str) -> None:
    """A command for a callback whose status is neither pending nor assigned is refused as `not_open`."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback(), booking.callback("cb-1", event))
    for command in refusals(booking, "cb-1"):
        decision = desk.one(command)
        assert (decision.type, decision["reason"]) == ("command_refused", "not_open")


def test_already_assigned() -> None:
    """`auto_assign` for a callback that somebody has is refused."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback())
    assert desk.one(booking.auto_assign())["reason"] == "already_assigned"
    assert desk.owner("cb-1") == "st-1"


def test_not_assigned() -> None:
    """`reassign` for a callback that nobody has is refused, whatever its status says."""
    booking, desk = team("st-1")
    desk.send(booking.callback(assign=False, status="assigned"))
    assert desk.one(booking.reassign())["reason"] == "not_assigned"


def test_the_order_of_refusals() -> None:
    """An unknown strategy is told before an unknown callback, that before not open, that before the assignee."""
    booking, desk = team("st-1")
    for command in (booking.auto_assign, booking.reassign):
        assert desk.one(command("cb-9", strategy="psychic"))["reason"] == "unknown_strategy"
    desk.send(booking.callback("cb-1"), booking.callback("cb-1", "completed"))
    assert desk.one(booking.auto_assign("cb-1", strategy="psychic"))["reason"] == "unknown_strategy"
    assert desk.one(booking.auto_assign("cb-1"))["reason"] == "not_open"
    assert desk.one(booking.reassign("cb-1"))["reason"] == "not_open"


def test_an_unknown_strategy_is_told_as_it_was() -> None:
    """The refusal of an unknown strategy repeats its name."""
    booking, desk = team("st-1")
    desk.send(booking.callback(assign=False))
    decision = desk.one(booking.auto_assign(strategy="psychic"))
    assert (decision.type, decision["strategy"]) == ("command_refused", "psychic")
    assert desk.owner("cb-1") is None


def test_reassign() -> None:
    """`reassign` gives a callback to somebody else; reason, note, who had it and why this person are told."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback())
    decision = desk.one(booking.reassign(reason="krank, leider"))
    assert decision.type == "reassigned"
    assert (decision["previous_staff_id"], decision["staff_id"]) == ("st-1", "st-2")
    assert (decision["reason"], decision["note"], decision["chosen_by"]) == (
        "requested",
        "krank, leider",
        "load_based",
    )
    assert decision.excluded == {"st-1": "present_assignee", "st-2": None}
    assert decision.candidate("st-1")["load"] == 1
    assert (desk.load("st-1"), desk.load("st-2")) == (0, 1)


def test_reassign_never_back_to_the_same() -> None:
    """The present assignee is not taken again, even if they are the preferred one."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback(staff_id="st-1"))
    assert desk.one(booking.reassign())["staff_id"] == "st-2"


def test_reassign_prefers_the_preferred() -> None:
    """The preferred person is taken in a re-assignment too."""
    booking, desk = team("st-1", "st-2", "st-3")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-1", staff_id="st-3"))
    decision = desk.one(booking.reassign())
    assert (decision["staff_id"], decision["chosen_by"], decision["reason"]) == ("st-3", "preferred", "requested")


def test_reassign_when_there_is_nobody_else() -> None:
    """If nobody else is eligible the command is refused, with the candidates, and the assignee keeps it."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback(), booking.staff("st-2", accepts_callbacks=False))
    decision = desk.one(booking.reassign())
    assert (decision.type, decision["reason"]) == ("command_refused", "no_eligible_staff")
    assert decision.excluded == {"st-1": "present_assignee", "st-2": "not_accepting"}
    assert desk.owner("cb-1") == "st-1"


def test_reassign_from_somebody_unknown() -> None:
    """A callback that was given by hand to somebody unknown can be re-assigned."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1", "assigned", assigned_to="st-unknown"))
    assert desk.load("st-unknown") == 1
    decision = desk.one(booking.reassign())
    assert (decision["previous_staff_id"], decision["staff_id"]) == ("st-unknown", "st-1")
    assert desk.load("st-unknown") == 0


def test_a_second_command_changes_nothing() -> None:
    """A command is recognised by source and id: the second one changes nothing and is counted as a duplicate."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback())
    command = booking.reassign()
    assert desk.one(command)["staff_id"] == "st-2"
    assert desk.send(command, command.but(at=MONDAY + timedelta(hours=1))) == []
    assert desk.intake("duplicate") == 2
    assert desk.one(command.but(source="/booking/other"))["staff_id"] == "st-1"


def test_commands_that_read_alike() -> None:
    """Source and id are told apart, whatever they consist of."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1", assign=False), booking.callback("cb-2", assign=False))
    assert desk.one(booking.auto_assign("cb-1").but(source="/crm import", id="7"))["callback_id"] == "cb-1"
    assert desk.one(booking.auto_assign("cb-2").but(source="/crm", id="import 7"))["callback_id"] == "cb-2"


def test_the_same_command_id_in_another_company() -> None:
    """Commands of two companies may have the same id and source."""
    booking, desk = team("st-1")
    other = Booking("co-2")
    assert desk.one(booking.auto_assign("cb-1").but(id="x"))["reason"] == "unknown_callback"
    assert desk.one(other.auto_assign("cb-1").but(id="x"))["reason"] == "unknown_callback"


def test_a_refused_command_is_remembered() -> None:
    """A command that was refused is not tried again when it comes a second time."""
    booking, desk = team("st-1")
    command = booking.auto_assign()
    desk.send(command, booking.callback(assign=False))
    assert desk.send(command) == []
    assert desk.owner("cb-1") is None


def test_a_command_is_always_answered() -> None:
    """A command for a waiting callback is answered, also by a repeated `callback.waiting`."""
    booking, desk = team()
    assert desk.one(booking.callback()).type == "waiting"
    for _ in range(2):
        command = booking.auto_assign()
        decision = desk.one(command)
        assert (decision.type, decision["command_id"]) == ("waiting", command.id)
