"""What tests do with any of the three databases."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sinks.database import writing
from sinks.database.facets import Row, merge
from sinks.database.tables import metadata
from tests.support.mariadb import MariaDb
from tests.support.postgres import Postgres


@dataclass(frozen=True)
class Database:
    """`server` is None for SQLite."""

    url: str
    server: Postgres | MariaDb | None


def contents(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of the record, the positions left out."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
            if table.name != "positions"
        }


def clear(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(sa.delete(table))


def write(engine: sa.Engine, rows: Iterable[Row]) -> None:
    """As one batch, without asking for positions."""
    with engine.begin() as connection:
        writing.write(connection, merge(rows))
