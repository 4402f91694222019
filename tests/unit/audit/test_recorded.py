"""The audit of the database: nothing is found where record has done its work, and every way to fail at it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.record import Recorder
from sinks.database import tables
from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from streams.audit import Finding, Kind, recorded
from streams.batch import Batch
from streams.state import State
from tests.support.databases import write
from tests.unit.audit.theatre import PARTITIONS, Theatre, a_day


@pytest.fixture(scope="module")
def theatre() -> Theatre:
    return a_day()


@pytest.fixture
def engine(theatre: Theatre, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with the whole day in it."""
    engine = create_engine(f"sqlite:///{tmp_path / 'record.db'}")
    upgrade(engine, lambda step: None)
    role = Recorder(PARTITIONS)
    batch = Batch(State(0, ()), [(topic, theatre.log.get(topic, [])) for topic in role.topics], now=0.0)
    write(engine, role.step(batch, batch.state).rows)
    yield engine
    engine.dispose()


def found(engine: sa.Engine, theatre: Theatre) -> list[Finding]:
    return list(recorded.check(engine, theatre.log, PARTITIONS))


def test_nothing_is_found_where_all_is_recorded(engine: sa.Engine, theatre: Theatre) -> None:
    """A database that has everything passes."""
    assert found(engine, theatre) == []


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (tables.decisions, "staff_id"),
        (tables.callbacks, "version"),
        (tables.notifications, "status"),
        (tables.outcomes, "type"),
        (tables.dead_letters, "reason"),
        (tables.intake_dead_letters, "reason"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.name,
)
def test_a_row_is_missing_false_or_too_many(
    engine: sa.Engine, theatre: Theatre, table: sa.Table, column: str
) -> None:
    """A row that is not there is lost; one that says something else, or that nothing told, is wrong."""
    with engine.begin() as connection:
        row = dict(connection.execute(sa.select(table).limit(1)).mappings().one())
        named = [column == row[column.name] for column in table.primary_key]
        connection.execute(sa.update(table).where(*named).values({column: 7 if column == "version" else "other"}))
    assert [finding.kind for finding in found(engine, theatre)] == [Kind.WRONG]
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(*named))
    assert [finding.kind for finding in found(engine, theatre)] == [Kind.LOST]
    with engine.begin() as connection:
        connection.execute(sa.insert(table), row)
        connection.execute(
            sa.insert(table), {**row, "company_id" if "company_id" in row else "id": "nobody-knows"}
        )
    (finding,) = found(engine, theatre)
    assert finding.kind is Kind.WRONG
    assert finding.what.endswith("nothing says so")
