"""What is over is forgotten in time, by the time of the records."""

from datetime import timedelta

from streams.policy.assignment import rows
from tests.support.assigning import Desk, team
from tests.support.booking import MONDAY, Booking

DAY = timedelta(days=1)
TICK = timedelta(milliseconds=1)


def test_commands_are_remembered_for_14_days() -> None:
    """A command is recognised for 14 days of record time; after that it would be obeyed again."""
    booking, desk = team("st-1", "st-2")
    desk.send(booking.callback())
    command = booking.reassign()
    desk.send(command)
    assert desk.send(command, at=MONDAY + 14 * DAY - TICK) == []
    assert desk.one(command, at=MONDAY + 14 * DAY).type == "reassigned"


def test_closed_callbacks_are_remembered_for_30_days() -> None:
    """A closed callback is known for 30 days after its last event, then it is unknown."""
    booking, desk = team("st-1")
    desk.send(booking.callback(), booking.callback("cb-1", "completed"))
    desk.send(booking.callback("cb-1", "updated", notes="..."), at=MONDAY + 10 * DAY)
    assert desk.one(booking.auto_assign(), at=MONDAY + 40 * DAY - TICK)["reason"] == "not_open"
    assert desk.one(booking.auto_assign(), at=MONDAY + 40 * DAY)["reason"] == "unknown_callback"


def test_open_callbacks_are_kept() -> None:
    """An open callback is never forgotten."""
    booking, desk = team("st-1")
    desk.send(booking.callback("cb-1"), booking.callback("cb-2", assign=False))
    assert desk.one(booking.auto_assign("cb-1"), at=MONDAY + 400 * DAY)["reason"] == "already_assigned"
    assert desk.one(booking.auto_assign("cb-2")).type == "auto_assigned"


def test_one_that_was_opened_again_is_kept() -> None:
    """A callback that was closed and opened again is not forgotten."""
    booking, desk = team("st-1")
    desk.send(booking.callback(), booking.callback("cb-1", "completed"))
    desk.send(booking.callback("cb-1", "updated", status="pending"), at=MONDAY + DAY)
    desk.send(booking.company(), at=MONDAY + 100 * DAY)
    assert desk.owner("cb-1") == "st-1"


def test_tombstones_are_remembered_for_30_days() -> None:
    """A deletion holds off older events for 30 days of record time; rows of tombstones go then, turns stay."""
    booking, desk = team("st-1")
    desk.send(booking.callback(), booking.callback("cb-1", "completed"))
    desk.send(booking.deleted("staff", "st-1"), booking.deleted("branch", "br-1"), booking.deleted("company"))
    assert len(desk.state.rows(rows.DIRECTORY, "co-1")) == 3
    desk.send(booking.staff("st-1", version=2), at=MONDAY + 30 * DAY - TICK)
    assert desk.intake("stale") == 1
    desk.send(booking.staff("st-1", version=2), at=MONDAY + 30 * DAY)
    assert list(desk.state.rows(rows.DIRECTORY, "co-1")) == ["staff/st-1"]
    assert desk.turn("st-1") == 1


def test_deleted_again() -> None:
    """The 30 days count from the last event."""
    booking, desk = team("st-1")
    desk.send(booking.deleted("staff", "st-1"))
    desk.send(booking.deleted("staff", "st-1"), at=MONDAY + 20 * DAY)
    desk.send(booking.company(), at=MONDAY + 40 * DAY)
    assert "staff/st-1" in desk.state.rows(rows.DIRECTORY, "co-1")


def test_somebody_who_came_back_is_kept() -> None:
    """Somebody who was deleted and came back is not forgotten."""
    booking, desk = team("st-1")
    desk.send(booking.deleted("staff", "st-1"), booking.staff("st-1"))
    assert desk.one(booking.callback(), at=MONDAY + 100 * DAY)["staff_id"] == "st-1"


def test_another_company_s_time() -> None:
    """The time is that of the company's own records: another one's, which runs ahead, makes it forget nothing."""
    booking, desk = team("st-1")
    desk.send(booking.callback(), booking.callback("cb-1", "completed"))
    desk.send(Booking("co-2").company(), at=MONDAY + 100 * DAY)
    desk.at = MONDAY + DAY
    assert desk.one(booking.auto_assign())["reason"] == "not_open"


def test_nothing_is_left_of_a_busy_month() -> None:
    """After 30 quiet days, nothing but the directory and the turns is left of what is over."""
    booking, desk = team("st-1", "st-2")
    for n in range(50):
        at = MONDAY + n * DAY / 2
        desk.send(
            booking.callback(f"cb-{n}"),
            booking.reassign(f"cb-{n}"),
            booking.callback(f"cb-{n}", "completed"),
            at=at,
        )
    desk.send(booking.company(), at=MONDAY + 60 * DAY)
    assert {table: len(desk.state.rows(table, "co-1")) for table in rows.TABLES} == {
        "directory": 4,
        "callbacks": 0,
        "loads": 2,
        "commands": 0,
        "timers": 0,
        "agenda": 0,
    }


def test_memory_survives_a_restart() -> None:
    """A process that takes over forgets at the same moment."""
    booking, desk = team("st-1")
    desk.send(booking.callback(), booking.callback("cb-1", "completed"))
    desk.restart()
    assert desk.one(booking.auto_assign(), at=MONDAY + 30 * DAY - TICK)["reason"] == "not_open"
    desk.restart()
    assert desk.one(booking.auto_assign(), at=MONDAY + 30 * DAY)["reason"] == "unknown_callback"


def test_an_abandoned_one_is_forgotten() -> None:
    """A callback that was abandoned, and of which nothing more was heard, is forgotten like a closed one."""
    booking, desk = team()
    desk.send(booking.callback(expires_at="2026-11-23T11:00:00Z"))
    desk.pass_time(MONDAY + DAY)
    desk.send(booking.company(), at=MONDAY + 40 * DAY)
    assert desk.callback("cb-1") is None


def test_fresh() -> None:
    """A desk that has seen nothing holds nothing."""
    assert all(not list(Desk().state.scopes(table)) for table in rows.TABLES)
