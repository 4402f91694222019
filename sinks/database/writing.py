"""A batch of rows, written: messages first, then what they leave of people who are to be forgotten."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from sinks.database.erasing import forget
from sinks.database.facets import Facet
from sinks.database.upsert import upsert

Merged = Mapping[Facet, list[Mapping[str, Any]]]


def write(connection: Connection, rows: Merged) -> None:
    """Write what `facets.merge` has left. Written again, it changes nothing."""
    for facet, values in rows.items():
        connection.execute(upsert(facet, connection.dialect.name), values)
    forget(connection, rows)
