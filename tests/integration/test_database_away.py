"""The database goes away, is locked or loses a worker within a transaction: the record waits and goes on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from sinks.database import away
from sinks.database import engine as engine_module
from sinks.database import store as store_module
from sinks.database.engine import create_engine
from sinks.database.mapping import TOPICS
from sinks.database.store import Fenced, RecordStore
from sinks.database.tables import positions
from streams.batch import Effects
from tests.support.databases import Database, contents, write
from tests.support.story import recorded_story

servers = pytest.mark.parametrize("database", ["postgres", "mariadb"], indirect=True)


@pytest.fixture(autouse=True)
def _speaks_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first word after the first failure; a word for each further one."""
    monkeypatch.setattr(away, "FIRST_WORD_SECONDS", 0.0)
    monkeypatch.setattr(away, "SAY_EVERY_SECONDS", 0.0)


def leave(database: Database, engine: sa.Engine) -> Callable[[], None]:
    """Take the database away; the result brings it back."""
    if database.server is not None:
        database.server.stop()
        return database.server.start
    other = create_engine(database.url).connect()
    engine.dispose()
    other.exec_driver_sql("BEGIN EXCLUSIVE")
    return other.close


def save_story(engine: sa.Engine, heartbeat: Callable[[], None], go: Callable[[RecordStore], None]) -> None:
    """`go` is called when the partition is open; the save must write everything once, and say that it waited."""
    effects, after = recorded_story()
    store = RecordStore(engine, TOPICS)
    store.open(0)
    go(store)
    with capture_logs() as logs:
        store.save(0, effects, {}, after, heartbeat)
    events = [entry["event"] for entry in logs]
    assert events.count("database is away, waiting for it") >= 3
    assert events[-1] == "database is back"
    assert store.open(0) == after
    written = contents(engine)
    write(engine, effects.rows)
    assert contents(engine) == written


def beats(count: int, then: Callable[[], None]) -> Callable[[], None]:
    """A heartbeat that acts at its `count`-th call."""
    calls = iter([*[lambda: None] * (count - 1), then])
    return lambda: next(calls, lambda: None)()


def test_the_record_waits_for_the_database(database: Database, engine: sa.Engine) -> None:
    """While the database is away a save waits, gives signs of life and says so; then it is carried out, once."""
    back: list[Callable[[], None]] = []
    save_story(engine, beats(5, lambda: back[0]()), lambda _: back.append(leave(database, engine)))


@servers
def test_the_database_goes_within_a_transaction(database: Database, engine: sa.Engine) -> None:
    """If the database goes away when half of a batch is written, the whole batch is written later, once."""
    back: list[Callable[[], None]] = []

    def leave_at_first_row(*call: Any) -> None:
        if call[2].startswith("INSERT") and not back:
            back.append(leave(database, engine))

    def go(_: RecordStore) -> None:
        sa.event.listen(engine, "before_cursor_execute", leave_at_first_row)

    save_story(engine, beats(5, lambda: back[0]()), go)


def test_opening_waits_too(database: Database, engine: sa.Engine) -> None:
    """A worker that starts while the database is away waits for it."""
    store = RecordStore(engine, TOPICS)
    store.open(0)
    back = leave(database, engine)
    assert store.open(0, beats(3, back)) == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_who_waits_for_its_turn_gives_signs_of_life(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition whose neighbour takes long to save gives signs of life until its turn comes."""
    monkeypatch.setattr(store_module, "TURN_SECONDS", 0.01)
    effects, after = recorded_story()
    store = RecordStore(engine, TOPICS)
    store.open(0)
    store.open(1)
    saving, waited = Event(), Event()

    def take_long(*call: Any) -> None:
        saving.set()
        waited.wait(10)

    sa.event.listen(engine, "before_cursor_execute", take_long, once=True)
    signs = 0

    def heartbeat() -> None:
        nonlocal signs
        signs += 1
        if signs == 5:
            waited.set()

    with ThreadPoolExecutor(1) as pool:
        neighbour = pool.submit(store.save, 0, effects, {}, after)
        saving.wait(10)
        store.save(1, Effects(), {}, after, heartbeat)
        neighbour.result()
    assert signs >= 5


@servers
def test_a_paused_writer_holds_up_nobody(
    database: Database, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is paused within a transaction loses it to the server, and its successor can begin."""
    monkeypatch.setattr(engine_module, "PAUSED_SECONDS", 1)
    effects, after = recorded_story()
    paused_engine = create_engine(database.url)
    paused, successor = RecordStore(paused_engine, TOPICS), RecordStore(engine, TOPICS)
    paused.open(0)

    def pause(*call: Any) -> None:
        if call[2].startswith("INSERT") and not successions:
            successions.append(successor.open(0))

    successions: list[dict[str, int]] = []
    sa.event.listen(paused_engine, "before_cursor_execute", pause)
    with pytest.raises(Fenced):
        paused.save(0, effects, {}, after)
    paused_engine.dispose()
    assert successions == [{}]
    assert not any(contents(engine).values())
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(positions.c.next))) == {0}
    successor.save(0, effects, {}, after)
    assert successor.open(0) == after
