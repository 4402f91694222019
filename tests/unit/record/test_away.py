"""Which errors are waited out, and which must stop the role because waiting would hide them."""

import sqlite3

import psycopg
import pymysql
import pytest
from sqlalchemy.exc import DBAPIError

from sinks.database.away import is_away, patiently


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_BUSY),
        sqlite_error(sqlite3.SQLITE_FULL),
        sqlite_error(sqlite3.SQLITE_IOERR_WRITE),
        psycopg.OperationalError("connection refused"),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.DiskFull(),
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.ReadOnlySqlTransaction(),
        psycopg.InterfaceError("the connection is closed"),
        pymysql.err.OperationalError(2003, "Can't connect"),
        pymysql.err.OperationalError(2013, "Lost connection"),
        pymysql.err.OperationalError(1213, "Deadlock found"),
        pymysql.err.OperationalError(1290, "running with --read-only"),
        pymysql.err.InterfaceError(0, ""),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_it_may_succeed_later(error: Exception) -> None:
    """No connection, locked, full, read-only: it is tried again."""
    assert is_away(DBAPIError("statement", {}, error))


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_ERROR),
        psycopg.errors.UndefinedTable(),
        psycopg.errors.NotNullViolation(),
        pymysql.err.OperationalError(1045, "Access denied"),
        pymysql.err.ProgrammingError(1146, "Table does not exist"),
        pymysql.err.DataError(1406, "Data too long"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_it_would_fail_again(error: Exception) -> None:
    """A missing table, a refused value or password is told at once."""
    wrapped = DBAPIError("statement", {}, error)

    def attempt() -> None:
        raise wrapped

    with pytest.raises(DBAPIError):
        patiently(attempt, lambda: None)
