"""A decision's form: its id, its time, its basis, and how it is counted; and the journal beside it."""

import uuid
from datetime import timedelta

import msgspec
import pytest

from schemas import EVENT_TYPES, decode
from tests.support.assigning import Desk, apply, decisions_of, team
from tests.support.booking import MONDAY, Booking, Message, records


def test_the_id_is_the_event_s_and_its_time_the_cause_s() -> None:
    """The CloudEvents id is `decision_id`, its time is `decided_at`: the causing record's timestamp."""
    booking, desk = team("st-1")
    request = booking.callback()
    decision = desk.one(request, at=MONDAY + timedelta(seconds=5, milliseconds=7))
    event = decision.event
    assert event["id"] == decision["decision_id"]
    assert event["time"] == decision["decided_at"] == "2026-11-23T10:00:05.007000Z"
    assert (event["subject"], event["partitionkey"]) == ("callback/cb-1", "co-1")
    assert decision["caused_by"] == request.id


def test_every_decision_is_readable() -> None:
    """Every decision is an event of the contract, keyed by its company."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback("cb-1"), booking.reassign("cb-1"), booking.auto_assign("cb-9"))
    desk.send(
        booking.bulk_auto_assign(), booking.staff("st-2", is_active=False), booking.staff("st-1", is_active=False)
    )
    desk.send(booking.callback("cb-2", expires_at="2026-11-23T11:00:00Z"))
    desk.pass_time(MONDAY + timedelta(hours=2))
    seen = set()
    for output in desk.outputs:
        if output.topic == "assignment.decisions":
            assert output.key == b"co-1"
            record = booking.callback("x").record(offset=0)
            event = decode(output.topic, type(record)(output.topic, 0, 0, 0, output.key, output.value))
            seen.add(event.type)
    assert seen == {name for name, kind in EVENT_TYPES.items() if kind.topic == "assignment.decisions"}


def test_the_id_is_a_function_of_cause_and_callback() -> None:
    """`decision_id` is a UUID of version 5, the same for the same cause and callback, another for any other."""
    ids = set()
    for source, event_id, version, callback_id in [
        ("/a", "ev", 1, "cb-1"),
        ("/b", "ev", 1, "cb-1"),
        ("/a", "ew", 1, "cb-1"),
        ("/a", "ev", 2, "cb-1"),
        ("/a", "ev", 1, "cb-2"),
    ]:
        twice = set()
        for _ in range(2):
            booking, desk = team("st-1")
            request = booking.callback(callback_id, version=version).but(id=event_id, source=source)
            twice.add(desk.one(request)["decision_id"])
        (decision_id,) = twice
        assert uuid.UUID(decision_id).version == 5
        ids.add(decision_id)
    assert len(ids) == 5


def test_one_record_many_decisions() -> None:
    """Decisions of one record about several callbacks have ids of their own."""
    booking, desk = team()
    desk.send(booking.callback("cb-1"), booking.callback("cb-2"))
    decisions = desk.send(booking.staff("st-1"))
    assert len({one["decision_id"] for one in decisions}) == 2
    assert len({one["caused_by"] for one in decisions}) == 1


def test_basis() -> None:
    """`basis` has each topic's offset that was applied last, the causing record's included; others are absent."""
    booking, desk = Booking(), Desk()
    desk.send(booking.branch(), booking.staff("st-1"))
    desk.send(booking.callback("cb-0", assign=False))
    first = desk.one(booking.callback("cb-1"))
    assert first["basis"] == {"booking.directory": 1, "booking.callbacks": 1}
    second = desk.one(booking.auto_assign("cb-0"))
    assert second["basis"] == {"booking.directory": 1, "booking.callbacks": 1, "assignment.commands": 0}


def test_basis_counts_every_record() -> None:
    """Records without effect count in the basis too; after a restart it goes on from there."""
    booking, desk = team("st-1")
    desk.send(booking.service(), booking.directory("customer.erased", "cu-1", customer_id="cu-1"))
    desk.restart()
    assert desk.one(booking.callback())["basis"] == {"booking.directory": 4, "booking.callbacks": 0}


def test_counting() -> None:
    """Each record is counted by what became of it, each decision by type and reason."""
    booking, desk = team("st-1")
    command = booking.auto_assign()
    request = booking.callback()
    desk.send(request, request, command, command, booking.staff())
    counted = desk.counted
    assert counted["staffetta_intake_total", "booking.callbacks", "applied"] == 1
    assert counted["staffetta_intake_total", "booking.callbacks", "stale"] == 1
    assert counted["staffetta_intake_total", "assignment.commands", "applied"] == 1
    assert counted["staffetta_intake_total", "assignment.commands", "duplicate"] == 1
    assert counted["staffetta_intake_total", "booking.directory", "applied"] == 4
    assert counted["staffetta_decisions_total", "callback.auto_assigned", "load_based"] == 1
    assert counted["staffetta_decisions_total", "callback.command_refused", "already_assigned"] == 1


@pytest.mark.parametrize("event_type", ["callback.requested", "callback.auto_assign", "staff.upserted"])
def test_poison(event_type: str) -> None:
    """What cannot be read on its topics is a dead letter, and nothing around it is held up."""
    booking, desk = team("st-1")
    topic = EVENT_TYPES[event_type].topic
    assert topic is not None
    desk.send(Message(topic, booking.callback("cb-0").but(type=event_type, data={"company_id": "co-1"}).event))
    assert desk.intake("dead_letter") == 1
    assert [output.topic for output in desk.outputs[-2:]] == ["intake.dead-letters", "assignment.journal"]
    assert desk.one(booking.callback("cb-1"))["staff_id"] == "st-1"


def test_poison_within_a_batch() -> None:
    """The records before and after one that cannot be read are applied in the same batch."""
    booking, desk = team("st-1")
    messages = [booking.callback("cb-1"), booking.callback("cb-2", priority="later"), booking.callback("cb-3")]
    effects = desk.apply(records(messages))
    assert [one["callback_id"] for one in decisions_of(effects.outputs)] == ["cb-1", "cb-3"]
    assert desk.intake("dead_letter") == 1


def test_an_unknown_strategy_in_a_branch_event() -> None:
    """A branch event with an unknown strategy is a dead letter, and the previous version stays."""
    booking, desk = team("st-1")
    desk.send(booking.branch(strategy="psychic", auto_assign=False))
    assert desk.intake("dead_letter") == 1
    assert desk.one(booking.callback())["strategy"] == "load_based"


def test_wrong_working_hours_refuse_the_staff_event() -> None:
    """Working hours that cannot be, a shift past midnight too, refuse the event; the previous version stays."""
    booking, desk = team("st-1")
    for number, hours in enumerate(
        ({"mon": [["22:00", "06:00"]]}, {"mon": [["9:00", "10:00"]]}, {"monday": []}), 1
    ):
        desk.send(booking.staff("st-1", working_hours=hours))
        assert desk.intake("dead_letter") == number
    assert desk.one(booking.callback())["staff_id"] == "st-1"


def test_the_journal() -> None:
    """One record a batch, in the partition it is about: each topic's next offset in the order of application."""
    booking, desk = Booking(), Desk()
    messages = [booking.branch(), booking.staff("st-1"), booking.callback("cb-1"), booking.auto_assign("cb-1")]
    effects = desk.apply(records(messages))
    (journal,) = [output for output in effects.outputs if output.topic == "assignment.journal"]
    assert (journal.key, journal.partition) == (None, 0)
    event = msgspec.json.decode(journal.value)
    assert event["type"] == "assignment.applied"
    assert event["data"] == {
        "partition": 0,
        "applied": [["booking.directory", 2], ["booking.callbacks", 1], ["assignment.commands", 1]],
    }


def test_a_batch_of_nothing_has_no_journal() -> None:
    """A tick that finds nothing due writes nothing."""
    _, desk = team("st-1")
    assert desk.apply([]).outputs == []


def test_the_role_s_topics_are_applied_in_a_fixed_order() -> None:
    """Within a batch the directory comes first, then callbacks, then commands."""
    assert Desk().role.topics == ("booking.directory", "booking.callbacks", "assignment.commands")


def test_a_record_of_another_partition_is_refused() -> None:
    """A record that does not lie where its key belongs is a dead letter."""
    booking, desk = Booking(), Desk()
    desk.role = type(desk.role)(12)
    record = booking.branch().record(offset=0)  # partition 0 of 1
    effects = apply(desk.role, desk.state, [record], MONDAY)
    assert b'"reason":"wrong_partition"' in effects.outputs[0].value
