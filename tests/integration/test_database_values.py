"""Whatever a message can hold can be written, and is the same on every database."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.database.facets import ENTITY, OUTCOME, Row
from sinks.database.tables import entities, outcomes
from tests.support.databases import clear, write
from tests.support.story import at

anything = st.text(st.characters(exclude_categories=()), max_size=80)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)
few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored(text: str) -> str:
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def stored_json(value: Any) -> Any:
    match value:
        case str():
            return stored(value)
        case list():
            return [stored_json(each) for each in value]
        case dict():
            return {stored(name): stored_json(each) for name, each in value.items()}
        case _:
            return value


def outcome(**values: Any) -> Row:
    empty = dict.fromkeys(OUTCOME.columns)
    ids = {"notification_id": "n-1", "company_id": "co-1", "event_id": "o-1"}
    told = {"type": "notification.failed", "attempt": 1, "happened_at": at(0), "partition": 0, "offset": 0}
    return Row(OUTCOME, {**empty, **ids, **told, **values})


def read_outcome(engine: sa.Engine) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.select(outcomes)).one()


def entity(**values: Any) -> Row:
    ids = {"company_id": "co-1", "type": "branch", "entity_id": "br-1"}
    return Row(ENTITY, {**ids, "version": 1, "is_deleted": False, "data": {}, "changed_at": at(0), **values})


@few
@given(anything)
def test_any_text(engine: sa.Engine, text: str) -> None:
    """A text is stored as it is; what no database takes becomes a visible mark, one for one."""
    clear(engine)
    write(engine, [outcome(error=text, reason=text[:64], event_id=text)])
    row = read_outcome(engine)
    assert row.error == stored(text)
    assert row.reason == stored(text[:64])


@few
@given(json_values)
def test_any_json(engine: sa.Engine, value: Any) -> None:
    """JSON is stored as it is, its texts like any other text."""
    clear(engine)
    write(engine, [entity(data={"it": value})])
    with engine.connect() as connection:
        assert connection.scalar(sa.select(entities.c.data)) == {"it": stored_json(value)}


def test_deep_json(engine: sa.Engine) -> None:
    """JSON may be as deep as the reader of messages allows."""
    deep: Any = "end"
    for _ in range(150):
        deep = [deep]
    write(engine, [entity(data={"it": deep, "large": 10**30})])
    with engine.connect() as connection:
        assert connection.scalar(sa.select(entities.c.data)) == {"it": deep, "large": str(10**30)}


def test_long_texts(engine: sa.Engine) -> None:
    """A long text is cut; two long names that begin alike stay two."""
    names = ["x" * 300 + end for end in "ab"]
    write(engine, [outcome(event_id=name, offset=n, error="\U0001f600" * 20_000) for n, name in enumerate(names)])
    with engine.connect() as connection:
        rows = connection.execute(sa.select(outcomes)).all()
    assert len({row.event_id for row in rows}) == 2
    assert {row.error for row in rows} == {"\U0001f600" * 10_000}


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 3, 29, 1, 0, 0, 123456, UTC), datetime(2026, 3, 29, 1, 0, 0, 123456, UTC)),
        (datetime(1, 1, 3, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC)),
        (datetime(9999, 12, 29, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)),
    ],
)
def test_times(engine: sa.Engine, moment: datetime, expected: datetime) -> None:
    """Times keep their microseconds and come back in UTC; the first year of all is MariaDB's."""
    write(engine, [outcome(happened_at=moment)])
    assert read_outcome(engine).happened_at == expected
    assert read_outcome(engine).happened_at.tzinfo is UTC


def test_large_numbers(engine: sa.Engine) -> None:
    """A version of 64 bits is kept; a larger one is the largest."""
    write(engine, [entity(version=2**63 - 1), entity(entity_id="br-2", version=2**70)])
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(entities.c.version))) == {2**63 - 1}
