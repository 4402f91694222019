"""`INSERT`, or `UPDATE` where the row is there and this message's word counts, in each database's own words."""

from functools import cache

from sqlalchemy import ColumnElement, Insert, case, or_
from sqlalchemy.dialects import mysql, postgresql, sqlite

from sinks.database.columns import MYSQL
from sinks.database.facets import Facet


@cache
def upsert(facet: Facet, dialect: str) -> Insert:
    """To be executed with a list of values, as `facets.merge` gives them."""
    if dialect in MYSQL:
        return _on_duplicate_key(facet)
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(facet.table)
    return insert.on_conflict_do_update(
        index_elements=facet.key,
        set_={name: insert.excluded[name] for name in facet.columns if name not in facet.key},
        where=_counts(facet, insert.excluded[facet.guard]),
    )


def _on_duplicate_key(facet: Facet) -> Insert:
    insert = mysql.insert(facet.table)
    counts = _counts(facet, insert.inserted[facet.guard])
    # Assignments are made from left to right and see those before them: the guard must change last.
    names = [name for name in facet.columns if name not in (*facet.key, facet.guard)]
    return insert.on_duplicate_key_update(
        [
            (name, case((counts, insert.inserted[name]), else_=facet.table.c[name]))
            for name in (*names, facet.guard)
        ]
    )


def _counts(facet: Facet, new: ColumnElement[object]) -> ColumnElement[bool]:
    present = facet.table.c[facet.guard]
    return present.is_(None) if facet.keep == "first" else or_(present.is_(None), present < new)
