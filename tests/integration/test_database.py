"""The record in a real SQLite, PostgreSQL and MariaDB: exactly once, whoever dies or goes away."""

import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from sinks.database.facets import Row
from sinks.database.letters import LetterKey, letters, outcomes_of
from sinks.database.mapping import TOPICS
from sinks.database.questions import subjects
from sinks.database.schema import VERSION_TABLE, SchemaState, require_schema, schema_state, upgrade
from sinks.database.store import Fenced, RecordStore
from sinks.database.tables import callbacks, entities, metadata, notifications, positions
from streams.errors import UserError
from streams.state import State
from tests.support.databases import clear, contents, write
from tests.support.story import Log, decision, outcome, recorded, recorded_story, request, story


def test_upgrade_makes_the_tables_that_the_program_writes(empty: sa.Engine) -> None:
    """`db upgrade` makes exactly the tables, columns and indices that the program uses, and says what it did."""
    steps: list[str] = []
    assert schema_state(empty) is SchemaState.MISSING
    upgrade(empty, steps.append)
    assert [step.partition(":")[0] for step in steps] == ["0001", "0002", "0003"]
    assert schema_state(empty) is SchemaState.CURRENT
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_upgrade_can_be_run_again(engine: sa.Engine) -> None:
    """A second `db upgrade` changes nothing."""
    steps: list[str] = []
    upgrade(engine, steps.append)
    assert steps == []


def test_several_upgrades_at_once(empty: sa.Engine) -> None:
    """Of several `db upgrade` at once, one does the work and the others find it done."""
    steps: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: upgrade(empty, steps.append), range(4)))
    assert len(steps) == len(set(steps)) == 3
    assert schema_state(empty) is SchemaState.CURRENT


def test_upgrade_goes_on_where_one_was_broken_off(empty: sa.Engine) -> None:
    """`db upgrade` completes what an earlier one, killed in the middle, has left."""
    with empty.begin() as connection:
        entities.create(connection)
        connection.execute(sa.schema.CreateTable(callbacks))  # without its index
    upgrade(empty, lambda step: None)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_record_refuses_a_missing_or_foreign_schema(empty: sa.Engine) -> None:
    """Without its tables the program names the command that makes them; it leaves a later version's alone."""
    with pytest.raises(UserError, match="missing: run `staffetta db upgrade`"):
        require_schema(empty)
    upgrade(empty, lambda step: None)
    require_schema(empty)
    with empty.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(UserError, match="later version"):
        require_schema(empty)
    with pytest.raises(UserError, match="later version"):
        upgrade(empty, lambda step: None)


def test_ids_differ_by_case(engine: sa.Engine) -> None:
    """`cb-a` and `CB-A` are two callbacks on every database."""
    rows = recorded(story().records).rows
    facet, values = next(row for row in rows if row.facet.table is callbacks)
    write(engine, [Row(facet, {**values, "callback_id": id}) for id in ("cb-a", "CB-A")])
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(callbacks.c.callback_id))) == {"cb-a", "CB-A"}
        assert connection.scalar(sa.select(callbacks).where(callbacks.c.callback_id == "Cb-A")) is None


def test_replaying_any_prefix_changes_nothing(engine: sa.Engine) -> None:
    """Messages that are written again, however many, leave every table as it was."""
    rows = recorded(story().records).rows
    write(engine, rows)
    first = contents(engine)
    for length in range(1, len(rows) + 1):
        write(engine, rows[:length])
    assert contents(engine) == first


def test_any_cut_into_batches_gives_the_same_tables(engine: sa.Engine, rng: random.Random) -> None:
    """It makes no difference how messages are gathered into batches: all at once, one by one, or anyhow."""
    records = story().records
    write(engine, recorded(records).rows)
    expected = contents(engine)
    for size in [1, *(rng.randrange(2, len(records)) for _ in range(5))]:
        clear(engine)
        for start in range(0, len(records), size):
            write(engine, recorded(records[start : start + size]).rows)
        assert contents(engine) == expected, f"batches of {size}"


def test_rows_and_positions_are_one(engine: sa.Engine) -> None:
    """What a save has written is there together with the positions after it, for whoever opens the partition."""
    effects, after = recorded_story()
    store = RecordStore(engine, TOPICS, topic_prefix="x.")
    assert store.open(0) == {}
    store.save(0, effects, {}, after)
    assert store.open(0) == after
    assert store.open(1) == {}, "another partition"
    assert RecordStore(engine, TOPICS).open(0) == {}, "another prefix"
    assert RecordStore(engine, TOPICS, topic_prefix="x.", cluster_id="new").open(0) == {}, "another cluster"
    with engine.connect() as connection:
        assert "x.booking.callbacks" in set(connection.scalars(sa.select(positions.c.topic)))


def test_a_new_cluster_tells_what_is_newer(engine: sa.Engine) -> None:
    """What is told in a new Kafka cluster, whose offsets begin again, takes the place of what the old one told."""
    new = Log()
    new.add("assignment.decisions", "callback.reassigned", decision("d-2", staff_id="st-2"), id="d-2")
    new.add("delivery.outcomes", "notification.delivered", outcome())
    new.add("delivery.dead-letters", "notification.dead_lettered", request("n-2", reason="rejected", redrive=1))
    for cluster, log in (("old", story()), ("new", new)):
        store, state = RecordStore(engine, TOPICS, cluster_id=cluster), State(0, ())
        effects = recorded(log.records, state)
        store.save(0, effects, store.open(0), state.positions)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(callbacks.c.last_decision_id)) == "d-2"
        (subject,) = subjects(connection, "cb-1")
        assert subject.decision is not None
        assert subject.decision["decision_id"] == "d-2"
        (letter,) = letters(connection, "n-2")
        assert letter["redrive"] == 1
        assert outcomes_of(connection, LetterKey("n-1", "co-1"))[-1]["type"] == "notification.delivered"
        status = sa.select(notifications.c.status).where(notifications.c.notification_id == "n-1")
        assert connection.scalar(status) == "delivered"


def test_a_replaced_worker_is_refused(engine: sa.Engine) -> None:
    """A worker that was paused and replaced cannot write, although its successor has not written anything yet."""
    effects, after = recorded_story()
    zombie, successor = RecordStore(engine, TOPICS), RecordStore(engine, TOPICS)
    zombie.open(0)
    successor.open(0)
    with pytest.raises(Fenced):
        zombie.save(0, effects, {}, after)
    assert not any(contents(engine).values())
    successor.save(0, effects, {}, after)
    with pytest.raises(Fenced):
        zombie.save(0, effects, {}, after)
    assert successor.open(0) == after


def test_positions_that_do_not_follow_are_refused(engine: sa.Engine) -> None:
    """A batch that begins elsewhere than where the record ends is not written."""
    effects, after = recorded_story()
    store = RecordStore(engine, TOPICS)
    store.open(0)
    store.save(0, effects, {}, after)
    written = contents(engine)
    with pytest.raises(Fenced):
        store.save(0, effects, {}, {topic: end + 1 for topic, end in after.items()})
    assert (store.open(0), contents(engine)) == (after, written)


def lost_connection(dialect: str) -> Exception:
    """As the driver tells it."""
    if dialect == "mysql":
        return pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")
    if dialect == "postgresql":
        return psycopg.OperationalError("server closed the connection unexpectedly")
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


@pytest.mark.parametrize("carried_out", [True, False], ids=["carried out", "not carried out"])
def test_a_commit_without_an_answer(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, carried_out: bool) -> None:
    """If the connection is lost during the commit, the next attempt finds out whether it was carried out."""
    effects, after = recorded_story()
    store = RecordStore(engine, TOPICS)
    store.open(0)
    commit = engine.dialect.do_commit

    def lose_the_answer(connection: Any) -> None:
        monkeypatch.undo()
        if carried_out:
            commit(connection)
        raise lost_connection(engine.dialect.name)

    monkeypatch.setattr(engine.dialect, "do_commit", lose_the_answer)
    beats: list[None] = []
    store.save(0, effects, {}, after, lambda: beats.append(None))
    assert len(beats) == 2
    assert store.open(0) == after
    expected = contents(engine)
    clear(engine)
    write(engine, effects.rows)
    assert contents(engine) == expected
