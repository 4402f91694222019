"""When the database is away: wait, say so, and go on where it comes back."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg
import pymysql
import structlog
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

log = structlog.get_logger("staffetta.database")

FIRST_WORD_SECONDS = 0.5
"""A lock that somebody held for a moment, or a deadlock, is not worth a word."""
SAY_EVERY_SECONDS = 5.0
SHORTEST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 2.0

# https://www.sqlite.org/rescode.html: busy, locked, readonly, ioerr, full, cantopen
_SQLITE = frozenset({5, 6, 8, 10, 13, 14})
# https://mariadb.com/docs/server/reference/error-codes: too many connections, shutting down, lock wait, deadlock,
# read-only, disk full, connection killed; from 2000 on, the client's own: no connection, connection lost.
_MARIADB = frozenset({1021, 1030, 1040, 1053, 1114, 1152, 1158, 1159, 1160, 1161, 1205, 1213, 1290, 1836, 1927})


def is_away(error: DBAPIError) -> bool:
    """Whether the same may succeed later: no connection, shutting down, locked, read-only, full. Anything else is
    a fault of ours or of the installation, and waiting would hide it."""
    if error.connection_invalidated:
        return True
    match error.orig:
        case sqlite3.Error() as sqlite_error:
            return getattr(sqlite_error, "sqlite_errorcode", 0) & 0xFF in _SQLITE
        case psycopg.OperationalError() | psycopg.InterfaceError() | psycopg.errors.ReadOnlySqlTransaction():
            return True
        case pymysql.err.InterfaceError():
            return True
        case pymysql.err.MySQLError() as mysql_error:
            code = mysql_error.args[0] if mysql_error.args else 0
            return code in _MARIADB or (isinstance(code, int) and 2000 <= code < 3000)
        case _:
            return False


def patiently(attempt: Callable[[], T], heartbeat: Callable[[], None]) -> T:
    """The result of `attempt`, made again for as long as the database is away.

    `heartbeat` is called before each attempt, so that whoever watches over progress knows why there is none.
    """
    began = time.monotonic()
    say_at = began + FIRST_WORD_SECONDS
    wait = SHORTEST_WAIT_SECONDS
    while True:
        heartbeat()
        try:
            result = attempt()
        except DBAPIError as error:
            if not is_away(error):
                raise
            now = time.monotonic()
            if now >= say_at:
                log.warning("database is away, waiting for it", seconds=round(now - began), error=summary(error))
                say_at = now + SAY_EVERY_SECONDS
        else:
            if say_at > began + FIRST_WORD_SECONDS:
                log.warning("database is back", seconds=round(time.monotonic() - began))
            return result
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)


def summary(error: DBAPIError) -> str:
    """What the database said, in one line."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
