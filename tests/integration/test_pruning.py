"""`staffetta db prune` on a real SQLite, PostgreSQL and MariaDB: what ended goes, what is open stays."""

from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from sinks.database import letters, pruning
from sinks.database.letters import LetterKey
from sinks.database.tables import dead_letters, intake_dead_letters
from streams.cli import db
from streams.errors import UserError
from tests.support.databases import contents, write
from tests.support.story import Log, at, branch, callback, decision, outcome, recorded, request, story

DAY = 1440


def prune(engine: sa.Engine, minutes: int) -> dict[str, int]:
    """Everything that ended before that; table -> rows deleted, of those that are not 0."""
    deleted: dict[str, int] = {}
    for step in pruning.prune(engine, at(minutes)):
        for table, count in step.items():
            deleted[table] = deleted.get(table, 0) + count
    return {table: count for table, count in deleted.items() if count}


def fill(engine: sa.Engine, log: Log) -> None:
    write(engine, recorded(log.records).rows)


def left(engine: sa.Engine) -> dict[str, int]:
    return {table: len(rows) for table, rows in contents(engine).items() if rows}


@pytest.mark.parametrize("step", [1, 2, 500])
def test_all_that_ended(engine: sa.Engine, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A story that is over goes, all of it, but for the directory; pruning again finds nothing."""
    monkeypatch.setattr(pruning, "STEP", step)
    fill(engine, story())
    before = left(engine)
    assert prune(engine, -1) == {}
    assert left(engine) == before
    entities = before.pop("entities")
    assert prune(engine, DAY) == before
    assert left(engine) == {"entities": entities}
    assert prune(engine, DAY) == {}


@pytest.mark.parametrize("status", ["pending", "assigned"])
def test_open_callbacks_stay(engine: sa.Engine, status: str) -> None:
    """A callback that nobody closed stays, with its history and its decisions, however old."""
    log = Log()
    log.add("booking.directory", "branch.upserted", branch())
    log.add("booking.callbacks", "callback.requested", callback(status=status))
    log.add("assignment.decisions", "callback.auto_assigned", decision())
    log.add("assignment.decisions", "callback.auto_assigned", decision("d-2", callback_id="cb-unknown-yet"))
    fill(engine, log)
    assert prune(engine, DAY) == {}


@pytest.mark.parametrize(
    "told", [None, "notification.retrying", "notification.unconfirmed", "notification.fell_back"]
)
def test_notifications_without_an_end_stay(engine: sa.Engine, told: str | None) -> None:
    """What is requested and has not come to its end stays, with all that became of it so far."""
    log = Log()
    log.add("notification.requests", "notification.requested", request())
    if told is not None:
        log.add("delivery.outcomes", told, outcome(reason="mailbox_full"))
    fill(engine, log)
    assert prune(engine, DAY) == {}


def test_what_ended_lately_stays(engine: sa.Engine) -> None:
    """What counts is the end, not the beginning: of a notification its last outcome, of a callback its last
    event."""
    log = Log()
    log.add("notification.requests", "notification.requested", request())
    log.add("delivery.outcomes", "notification.sent", outcome(at=at(600)))
    log.add("booking.callbacks", "callback.requested", callback())
    log.add("booking.callbacks", "callback.completed", callback(2, "completed"), minutes=600)
    log.add("assignment.decisions", "callback.auto_assigned", decision())
    fill(engine, log)
    assert prune(engine, 599) == {}
    assert prune(engine, 601) == {
        "notifications": 1,
        "outcomes": 1,
        "callbacks": 1,
        "callback_events": 2,
        "decisions": 1,
    }


def test_what_was_sent_again_lately_stays(engine: sa.Engine) -> None:
    """A dead letter that an operator sent again is under way; so is a record."""
    log = Log()
    log.add("notification.requests", "notification.requested", request())
    log.add("delivery.outcomes", "notification.failed", outcome(reason="rejected"))
    log.add("delivery.dead-letters", "notification.dead_lettered", request(reason="rejected"))
    log.refuse("booking.callbacks", b"no")
    fill(engine, log)
    with engine.begin() as connection:
        letters.mark(connection, {LetterKey("n-1", "co-1"): 1}, at(600))
        letters.mark_intake(connection, ["booking.callbacks/0/7"], at(600))
    assert prune(engine, 599) == {}
    assert prune(engine, 601) == {"notifications": 1, "outcomes": 1, "dead_letters": 1, "intake_dead_letters": 1}


def test_one_that_went_on_meanwhile_stays(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody goes on with between the finding and the deleting is not deleted."""
    log = Log()
    log.refuse("booking.callbacks", b"no")
    fill(engine, log)
    find = pruning._next

    def and_then(connection: sa.Connection, *arguments: Any) -> list[sa.Row[Any]]:
        found = find(connection, *arguments)
        letters.mark_intake(connection, ["booking.callbacks/0/7"], at(DAY + 1))
        return found

    monkeypatch.setattr(pruning, "_next", and_then)
    assert prune(engine, DAY) == {}


def test_letters_without_a_notification_go_too(engine: sa.Engine) -> None:
    """A letter of which nothing else is known goes by its own time."""
    log = Log()
    log.add("delivery.dead-letters", "notification.dead_lettered", request(reason="rejected"), minutes=5)
    fill(engine, log)
    assert prune(engine, 5) == {}
    assert prune(engine, 6) == {"dead_letters": 1}


def test_the_command(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts by table; less than a day must be meant, and a duration must be one."""
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("STAFFETTA_CLOCK_ORIGIN", at(3 * DAY).isoformat())
    fill(engine, story())

    def run(*words: str) -> Any:
        return CliRunner().invoke(db.app, ["prune", *words], catch_exceptions=False)

    with pytest.raises(UserError, match="less than a day: say --yes"):
        run("--older-than", "23h")
    wrong = run("--older-than", "90 days")
    assert wrong.exit_code == 2
    assert "Invalid value for --older-than: '90 days' is no duration" in wrong.output
    assert run("--older-than", "90d").stdout.startswith("0 rows deleted")
    done = run("--older-than", "1d")
    assert done.exit_code == 0
    assert "of what ended before 2026-11-25 12:00:0" in done.stdout
    assert "  outcomes  3\n" in done.stdout
    with engine.connect() as connection:
        for table in (dead_letters, intake_dead_letters):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
