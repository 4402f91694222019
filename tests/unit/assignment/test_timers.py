"""What time itself causes: it enters the log as a command, and is decided when it is read."""

from datetime import datetime, timedelta
from typing import Any

from streams.batch import Batch, Output
from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking, Message, absence, iso, moment, week

HOUR = timedelta(hours=1)
EIGHT = moment("2026-11-23T08:00:00+01:00")
NINE = moment("2026-11-23T09:00:00+01:00")


def before_work(**fields: Any) -> tuple[Booking, Desk]:
    """At eight, cb-1 waits for st-1, whose shift begins at nine."""
    booking, desk = team("st-1", working_hours=week("09:00", "17:00"), **fields)
    assert desk.one(booking.callback(), at=EIGHT).type == "waiting"
    return booking, desk


def test_a_shift_begins() -> None:
    """When a shift begins at a branch where somebody waits, `branch.reconsider` is written, and decides them."""
    _, desk = before_work()
    assert desk.role.next_wakeup(desk.state) == NINE.timestamp()
    assert desk.tick(NINE - timedelta(milliseconds=1)) == []
    (command,) = desk.tick(NINE)
    assert command["type"] == "branch.reconsider"
    assert command["source"] == "/staffetta/assign"
    assert command["partitionkey"] == "co-1"
    assert command["data"] == {"company_id": "co-1", "branch_id": "br-1", "due_at": iso(NINE)}
    decision = desk.one(Message("assignment.commands", command))
    assert (decision.type, decision["staff_id"], decision["caused_by"]) == ("auto_assigned", "st-1", command["id"])
    assert "command_id" not in decision


def test_the_tick_decides_nothing() -> None:
    """The tick writes commands only; no decision, no journal."""
    _, desk = before_work()
    desk.outputs.clear()
    desk.tick(NINE)
    assert [output.topic for output in desk.outputs] == ["assignment.commands"]


def test_an_absence_ends() -> None:
    """The end of an absence reconsiders a branch like the beginning of a shift."""
    booking, desk = team("st-1", absences=[absence(MONDAY, MONDAY + HOUR)])
    desk.send(booking.callback())
    decisions = desk.pass_time(MONDAY + 2 * HOUR)
    assert [(one["staff_id"], one["decided_at"]) for one in decisions] == [("st-1", iso(MONDAY + HOUR))]


def test_a_second_tick_writes_nothing() -> None:
    """What was written is noted: a second tick, also in a new process, does not write it again."""
    _, desk = before_work()
    assert len(desk.tick(NINE)) == 1
    assert desk.tick(NINE + HOUR) == []
    desk.restart()
    assert desk.tick(NINE + HOUR) == []


def test_a_tick_that_is_taken_back_writes_again() -> None:
    """If the transaction of a tick is taken back, the next tick writes the same command."""
    _, desk = before_work()
    batch = Batch(desk.state, [], NINE.timestamp())
    (first,) = desk.role.step(batch, desk.state).outputs
    desk.state.rollback()
    (second,) = desk.role.step(batch, desk.state).outputs
    assert first == second


def test_a_new_process_knows_the_moment() -> None:
    """A process that takes over writes the command at its moment."""
    _, desk = before_work()
    desk.restart()
    assert desk.role.next_wakeup(desk.state) == NINE.timestamp()
    assert [one["callback_id"] for one in desk.pass_time(NINE)] == ["cb-1"]


def test_after_a_long_stop_one_command_is_enough() -> None:
    """After days without a worker one command reconsiders the branch, by the time at which it is read."""
    _, desk = before_work()
    friday = moment("2026-11-27T11:00:00+01:00")
    desk.at = friday
    (decision,) = desk.pass_time(friday)
    assert (decision["staff_id"], decision["decided_at"]) == ("st-1", iso(friday))


def test_every_beginning_until_somebody_is_there() -> None:
    """As long as somebody waits, each shift that begins reconsiders the branch; nobody waits, none."""
    booking, desk = before_work(accepts_callbacks=True, max_active_callbacks=0)
    desk.send(booking.staff("st-2", working_hours=week("11:00", "12:00"), max_active_callbacks=0))
    written = commands_until(desk, moment("2026-11-24T12:00:00+01:00"))
    assert written == [
        moment("2026-11-23T09:00:00+01:00"),
        moment("2026-11-23T11:00:00+01:00"),
        moment("2026-11-24T09:00:00+01:00"),
        moment("2026-11-24T11:00:00+01:00"),
    ]
    desk.send(booking.callback("cb-1", "cancelled"))
    assert commands_until(desk, moment("2026-11-30T12:00:00+01:00")) == []


def test_people_who_cannot_come_are_not_waited_for() -> None:
    """The shifts of people who are inactive or accept no callbacks reconsider nothing."""
    booking, desk = before_work()
    desk.send(booking.staff("st-1", accepts_callbacks=False))
    assert commands_until(desk, MONDAY + timedelta(days=7)) == []


def test_new_hours_count_at_once() -> None:
    """When the hours change, the moment changes with them."""
    booking, desk = before_work()
    desk.send(booking.staff("st-1", working_hours=week("08:30", "17:00")))
    assert desk.role.next_wakeup(desk.state) == (EIGHT + HOUR / 2).timestamp()
    desk.send(booking.branch(timezone="Europe/Athens"))  # 08:30 there is 07:30 in Berlin, where it is 08:00
    assert desk.owner("cb-1") == "st-1"


def test_a_branch_nobody_knows_has_the_company_s_zone() -> None:
    """Where the branch is unknown, a new zone of the company moves the moment."""
    booking, desk = Booking(), Desk(at=EIGHT)
    desk.send(booking.company(), booking.staff("st-1", working_hours=week("09:00", "17:00")))
    desk.send(booking.callback(), booking.auto_assign())
    assert desk.role.next_wakeup(desk.state) == NINE.timestamp()
    desk.send(booking.company(timezone="Europe/Lisbon"))
    assert commands_until(desk, NINE + HOUR) == [NINE + HOUR]


def test_silent_ones_have_no_moment() -> None:
    """A callback that waits for its branch or for a command is reconsidered by no shift."""
    booking, desk = Booking(), Desk(at=EIGHT)
    desk.send(booking.staff("st-1", branch_ids=["br-1", "br-2"], working_hours=week("09:00", "17:00")))
    desk.send(booking.callback("cb-1"), booking.branch("br-2", auto_assign=False))
    desk.send(booking.callback("cb-2", branch_id="br-2"))
    assert desk.role.next_wakeup(desk.state) is None


def test_a_record_that_comes_late() -> None:
    """A callback whose record is older than the last reconsideration, and found nobody, is reconsidered soon."""
    booking, desk = before_work()
    desk.pass_time(NINE + HOUR)  # cb-1 is assigned at nine
    late = booking.callback("cb-2").but(at=NINE - timedelta(seconds=10))
    assert desk.one(late).type == "waiting"
    (decision,) = desk.pass_time(NINE + HOUR)
    assert (decision["callback_id"], decision["staff_id"]) == ("cb-2", "st-1")


def test_a_record_that_comes_early() -> None:
    """A callback whose record is a little ahead of the clock does not take away the moment others wait for."""
    booking, desk = before_work()
    early = booking.callback("cb-2", service_id="sv-2").but(at=NINE + timedelta(milliseconds=100))
    assert [one.type for one in desk.send(early, at=NINE - timedelta(milliseconds=100))] == ["waiting"]
    assert [one["callback_id"] for one in desk.pass_time(NINE + HOUR)] == ["cb-1"]


def test_a_backlog_of_old_records() -> None:
    """While old records are caught up with, each leaving somebody to wait, a branch is reconsidered at most once a
    second of our clock, and everybody finds somebody in the end."""
    booking, desk = before_work()
    desk.pass_time(NINE + HOUR)
    before = len(commands_in(desk))
    for n in range(60):
        desk.at = NINE + HOUR + n * timedelta(milliseconds=100)
        desk.send(booking.callback(f"cb-old-{n}").but(at=EIGHT + n * timedelta(seconds=1)))
        desk.obey()
    assert 5 <= len(commands_in(desk)) - before <= 7
    desk.at = NINE + 2 * HOUR
    desk.obey()
    assert desk.load("st-1") == 61


def commands_in(desk: Desk) -> list[Output]:
    return [output for output in desk.outputs if output.topic == "assignment.commands"]


def test_a_command_read_before_its_moment() -> None:
    """A clock that runs behind does not make the timer write without end: at most one command a second."""
    _, desk = before_work()
    desk.at = NINE
    written = 0
    for _ in range(5):
        for command in desk.tick(NINE):
            written += 1
            desk.send(Message("assignment.commands", command, at=EIGHT))
    assert written == 1


def test_the_id_is_a_function_of_the_data() -> None:
    """Two workers would write the same command: it is applied once."""
    ids = set()
    for _ in range(2):
        _, desk = before_work()
        (command,) = desk.tick(NINE)
        ids.add(command["id"])
        assert len(desk.send(Message("assignment.commands", command))) == 1
        assert desk.send(Message("assignment.commands", command)) == []
    assert len(ids) == 1


def test_many_expiries_at_one_moment() -> None:
    """Of many callbacks that expire at one moment all are asked for, in parts."""
    booking, desk = team()
    for n in range(1203):
        desk.send(booking.callback(f"cb-{n}", assign=False, expires_at=iso(MONDAY + HOUR)))
    desk.at = MONDAY + HOUR
    sizes = [len(desk.apply([]).outputs) for _ in range(4)]
    assert sizes == [1000, 203, 0, 0]


def commands_until(desk: Desk, until: datetime) -> list[datetime]:
    """When `branch.reconsider` fell due, each obeyed at its moment."""
    written: list[datetime] = []
    while (due := desk.role.next_wakeup(desk.state)) is not None and due <= until.timestamp():
        for command in desk.tick(max(desk.at, datetime.fromtimestamp(due, MONDAY.tzinfo))):
            written.append(moment(command["data"]["due_at"]))
            desk.send(Message("assignment.commands", command))
    return written
