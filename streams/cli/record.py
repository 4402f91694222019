"""The database, as commands open it, and what they ask of it by id."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine

from sinks.database.engine import create_engine
from sinks.database.schema import plainly, require_schema
from streams.errors import UserError
from streams.settings import Settings

Found = TypeVar("Found")


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The database, with its tables; what it refuses is UserError."""
    engine = create_engine(settings.database_url)
    require_schema(engine, wait=False)
    try:
        with plainly(engine):
            yield engine
    finally:
        engine.dispose()


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    with opened(settings) as engine, engine.connect() as connection:
        yield connection


def the_only(found: Mapping[str, Found], what: str, id: str, company: str | None) -> Found:
    """The one of that id, of those by company. Raises UserError where there is none, or several have one."""
    if not found:
        where = f" in the company {company}" if company else ""
        raise UserError(f"no {what} {id}{where} in the database")
    if len(found) > 1:
        raise UserError(f"{id} is known in the companies {', '.join(found)}: say which one with --company", 2)
    return next(iter(found.values()))
