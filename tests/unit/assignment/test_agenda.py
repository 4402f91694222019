"""Tasks too large for one transaction."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.assign import LINE
from schemas import decode
from schemas.intake import to_base64
from streams.batch import Batch, Output
from streams.lane.partition import Partition, Surroundings
from streams.lane.queue import PartitionQueue
from streams.lane.settings import LaneSettings
from streams.policy.assignment import rows
from streams.policy.assignment.agenda import Agenda
from streams.policy.assignment.desk import HANDLERS
from tests.support.assigning import Decision, Desk, check_rows, decisions_of, finish
from tests.support.booking import MONDAY, Booking, Message, records


def story() -> list[Message]:
    """Sixty callbacks of one company, a bulk, and what happens meanwhile; another company beside it."""
    booking, other = Booking(), Booking("co-2")
    messages = [booking.company(), booking.branch(auto_assign=False), other.branch(), other.staff("st-1")]
    messages += [booking.staff(f"st-{n}", max_active_callbacks=20) for n in range(4)]
    messages += [booking.callback(f"cb-{n:02}", priority=("normal", "high", "urgent")[n % 3]) for n in range(60)]
    messages += [
        booking.bulk_auto_assign(strategy="round_robin"),
        booking.callback("cb-02", "completed"),
        other.callback("cb-1"),
        booking.reassign("cb-05"),
        booking.staff("st-1", is_active=False),
        booking.callback("cb-07", "cancelled"),
        other.callback("cb-2"),
        booking.bulk_auto_assign(callback_ids=[f"cb-{n:02}" for n in range(0, 60, 7)]),
        booking.staff("st-9"),
        booking.callback("cb-99"),
        booking.auto_assign("cb-99"),
    ]
    return messages


STORY = story()


def play(part: int, at_most: int, batch: int) -> tuple[list[Decision], dict[tuple[str, str, str], bytes]]:
    desk = Desk(part=part, at_most=at_most)
    made: list[Decision] = []
    line = records(STORY)
    for start in range(0, len(line), batch):
        made += decisions_of(desk.apply(line[start : start + batch]).outputs)
    made += decisions_of(finish(desk.role, desk.state, MONDAY))
    rest = {
        (table, scope, key): value
        for table in rows.TABLES
        for scope in desk.state.scopes(table)
        for key, value in desk.state.rows(table, scope).items()
    }
    return made, rest


def busy() -> tuple[Booking, Desk]:
    """A company in the middle of a bulk, of which each step does ten callbacks."""
    booking, desk = Booking(), Desk(part=10, at_most=10)
    desk.send(booking.branch(auto_assign=False), booking.staff("st-1"))
    desk.send(*(booking.callback(f"cb-{n:02}") for n in range(35)), booking.bulk_auto_assign())
    return booking, desk


@pytest.mark.parametrize(
    ("part", "at_most", "batch"), [(1, 1, 1), (1, 1, 200), (7, 20, 5), (7, 3, 200), (40, 40, 13)]
)
def test_in_parts_as_at_once(part: int, at_most: int, batch: int) -> None:
    """Done in parts, a task gives the decisions, order and summary that it gives when done at once."""
    whole, rows_whole = play(10_000, 10_000, 1)
    parts, rows_parts = play(part, at_most, batch)
    for company_id in ("co-1", "co-2"):
        assert [(one.type, one) for one in parts if one["company_id"] == company_id] == [
            (one.type, one) for one in whole if one["company_id"] == company_id
        ]
    assert rows_parts == rows_whole
    assert sum(one.type == "bulk_assigned" for one in whole) == 2


def test_no_transaction_is_larger() -> None:
    """No transaction holds more decisions than allowed, however much there is to do."""
    booking, desk = Booking(), Desk(part=10, at_most=10)
    desk.send(booking.branch(auto_assign=False), booking.staff("st-1"))
    desk.send(*(booking.callback(f"cb-{n:02}") for n in range(35)))
    sizes = [len(desk.send(booking.bulk_auto_assign()))]
    while desk.role.next_wakeup(desk.state) == 0.0:
        sizes.append(len(decisions_of(desk.apply([]).outputs)))
    assert sizes == [10, 10, 10, 6, 0]


def test_a_record_in_line_takes_little_more_than_its_value() -> None:
    """Whatever headers came with a record, its row fits onto the changelog."""
    booking, desk = busy()
    record = desk.record(booking.callback("cb-99"))
    desk.apply([replace(record, headers=[*record.headers, ("trace", bytes(9_000_000))])])
    (key,) = Agenda(desk.state, "co-1").line()
    row = desk.state.get(rows.AGENDA, "co-1", key)
    assert row is not None
    assert len(row) < len(record.value or b"") + 500
    finish(desk.role, desk.state, MONDAY)
    assert desk.callback("cb-99") is not None


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("is_readable", [True, False])
def test_a_record_in_line_on_which_the_role_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_readable: bool, is_alone: bool
) -> None:
    """It is dead-lettered when its turn comes, also if it cannot be read any more; the others in line and in the
    batch are applied as if it had never been there."""
    booking, desk = busy()
    topic, first = "booking.callbacks", desk.state.positions["booking.callbacks"]
    line = [booking.callback(name) for name in ("cb-50", "bad-1", "bad-2", "cb-51")]
    desk.apply([message.record(offset=first + n) for n, message in enumerate(line)])
    right: Any = HANDLERS["callback.requested"] if is_readable else decode

    def failing(*given: Any) -> Any:
        if "bad-" in repr(given[-1]):
            raise ValueError("cannot be applied")
        return right(*given)

    if is_readable:
        monkeypatch.setitem(HANDLERS, "callback.requested", failing)
    else:
        monkeypatch.setattr("streams.policy.assignment.desk.decode", failing)
    settings = LaneSettings(brokers="", group="group", data_dir=tmp_path, partitions=1)
    nothing: Any = None
    around = Surroundings(desk.role, settings, nothing, nothing, nothing, nothing, nothing, nothing)
    partition = Partition(around, desk.state, desk.role.topics)
    outputs: list[Output] = []
    batches = 0
    while desk.role.next_wakeup(desk.state) == 0.0:
        records = [] if is_alone else [desk.record(Booking("co-2").callback(f"cb-{batches}"))]
        outputs += partition.step(Batch(desk.state, [(topic, records)] if records else [], 0.0)).outputs
        desk.state.committed()
        batches += 1
    check_rows(desk.state)
    letters = [msgspec.json.decode(output.value) for output in outputs if output.topic == "intake.dead-letters"]
    assert [(letter["id"], letter["data"]["reason"], letter["data"]["detail"]) for letter in letters] == [
        (f"{topic}/0/{first + n}", "processing_failed", "ValueError: cannot be applied") for n in (1, 2)
    ]
    assert letters[0]["data"]["value_base64"] == to_base64(line[1].value)
    assert [name for name in ("cb-50", "bad-1", "bad-2", "cb-51") if desk.callback(name)] == ["cb-50", "cb-51"]
    assert is_alone or all(desk.callback(f"cb-{n}", "co-2") for n in range(batches))


def test_a_line_does_not_grow_without_end() -> None:
    """While a company's line is long, no more is taken from the queue than has left the line; in the end all of it
    is applied."""
    booking, desk = busy()
    topic = "booking.callbacks"
    first = desk.state.positions[topic]
    queue = PartitionQueue(desk.role.topics, 10**9)
    number = LINE + 1000
    snapshot = booking.callback("cb-99").record(offset=0)
    queue.put(topic, [replace(snapshot, offset=first + n) for n in range(number)])
    longest = 0
    while queue.count or desk.role.next_wakeup(desk.state) == 0.0:
        runs = desk.role.pick(queue, desk.state, 50, 0.0)
        desk.role.step(Batch(desk.state, runs, 0.0), desk.state)
        desk.state.committed()
        longest = max(longest, len(Agenda(desk.state, "co-1").line()))
    assert LINE / 2 < longest <= LINE
    assert desk.state.positions[topic] == first + number


def test_others_do_not_wait() -> None:
    """While one company's task is unfinished, another one's callbacks are decided."""
    booking, other, desk = Booking(), Booking("co-2"), Desk(part=1, at_most=1)
    desk.send(booking.branch(auto_assign=False), booking.staff("st-1"), other.branch(), other.staff("st-1"))
    desk.send(*(booking.callback(f"cb-{n:02}") for n in range(9)))
    desk.send(booking.bulk_auto_assign())
    assert [one["company_id"] for one in desk.send(other.callback())] == ["co-1", "co-2"]
    desk.send(booking.callback("cb-08", "completed"))
    assert desk.load("st-1") < 9  # its own later records wait in line


def test_companies_take_turns() -> None:
    """Two unfinished tasks advance in turns, so that the smaller one is soon done."""
    desk = Desk(part=2, at_most=2)
    for booking, number in ((Booking("co-1"), 20), (Booking("co-2"), 4)):
        desk.send(booking.branch(auto_assign=False), booking.staff("st-1"))
        desk.send(*(booking.callback(f"cb-{n:02}") for n in range(number)))
    desk.send(Booking("co-1").bulk_auto_assign())
    done = desk.send(Booking("co-2").bulk_auto_assign())
    steps = 0
    while not any(one["company_id"] == "co-2" and one.type == "bulk_assigned" for one in done):
        done = decisions_of(desk.apply([]).outputs)
        steps += 1
    assert steps <= 7


def test_a_new_process_goes_on() -> None:
    """A process that takes over in the middle of a task goes on where it was."""
    booking, desk = Booking(), Desk(part=4, at_most=4)
    desk.send(booking.branch(auto_assign=False), booking.staff("st-1"))
    desk.send(*(booking.callback(f"cb-{n:02}") for n in range(10)))
    commands = records([booking.bulk_auto_assign(), booking.reassign("cb-09"), booking.auto_assign("cb-09")])
    made = decisions_of(desk.apply(commands).outputs)
    while desk.role.next_wakeup(desk.state) == 0.0:
        desk.restart()
        made += decisions_of(desk.apply([]).outputs)
    assert [one.get("callback_id") for one in made] == [*(f"cb-{n:02}" for n in range(10)), None, "cb-09", "cb-09"]
    assert (made[10]["total"], made[10]["assigned"]) == (10, 10)
    assert [one["reason"] for one in made[11:]] == ["no_eligible_staff", "already_assigned"]


def test_a_part_that_is_taken_back_is_done_again() -> None:
    """If the transaction of a part is taken back, the part is done again, with the same decisions."""
    booking, desk = Booking(), Desk(part=4, at_most=4)
    desk.send(booking.branch(auto_assign=False), booking.staff("st-1"))
    desk.send(*(booking.callback(f"cb-{n:02}") for n in range(10)), booking.bulk_auto_assign())
    first = desk.role.step(Batch(desk.state, [], 0.0), desk.state).outputs
    desk.state.rollback()
    assert desk.role.next_wakeup(desk.state) == 0.0
    assert desk.role.step(Batch(desk.state, [], 0.0), desk.state).outputs == first
