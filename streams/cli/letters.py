"""What the commands about dead letters have in common: the database, the filter, and asking first."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import typer
from sqlalchemy import Connection, Engine

from schemas.reasons import ChannelName
from sinks.database import letters
from sinks.database.engine import create_engine
from sinks.database.letters import Filter, Letter
from sinks.database.schema import plainly, require_schema
from streams.cli.moments import moment
from streams.clock import utc
from streams.errors import UserError
from streams.settings import Settings


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


def now(settings: Settings) -> datetime:
    """By the clock that stamps the events."""
    return utc(settings.clock().now())


def filtered(
    settings: Settings,
    reason: str | None,
    channel: ChannelName | None,
    company: str | None,
    since: str | None,
    until: str | None,
    *,
    intake: bool,
) -> Filter:
    if intake and (channel or company):
        raise UserError("--channel and --company are not known of what could not be read", 2)
    at = now(settings)
    return Filter(
        reason,
        channel,
        company,
        None if since is None else moment(since, at),
        None if until is None else moment(until, at),
    )


def one(connection: Connection, id: str, company: str | None) -> Letter:
    """The letter of that id. Raises UserError where there is none, or where several companies have one."""
    found = letters.letters(connection, id, company)
    if not found:
        where = f" in the company {company}" if company else ""
        raise UserError(f"no dead letter {id}{where} in the database")
    if len(found) > 1:
        names = ", ".join(letter["company_id"] for letter in found)
        raise UserError(f"{id} is known in the companies {names}: say which one with --company", 2)
    return found[0]


def one_intake(connection: Connection, id: str) -> Letter:
    found = letters.intake_letter(connection, id)
    if found is None:
        raise UserError(f"no intake dead letter {id} in the database; ids are TOPIC/PARTITION/OFFSET")
    return found


def agreed(count: int, what: str, *, yes: bool) -> bool:
    """Whether the user wants it. Raises UserError where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{count} {what} would be sent again, and nobody is there to ask: say --yes", 2)
    return typer.confirm(f"Send {count} {what} again?")
