"""The connection to the database: what has to be set for each of the three so that nothing waits for ever."""

from typing import Any

import sqlalchemy
from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from sinks.database.columns import dump_json
from streams.errors import UserError

LOCK_SECONDS = 5
PAUSED_SECONDS = 15
"""A worker that is paused within a transaction holds the lock on its positions. The server ends such a
transaction after this time: the partition's next owner need not wait for a process that may never go on."""


def create_engine(url: str) -> Engine:
    """An engine for a URL as SQLAlchemy takes it; nothing is connected yet. The URL's own parameters win over
    what is set here."""
    try:
        made = make_url(url)
        arguments = {name: value for name, value in _arguments(made).items() if name not in made.query}
        engine = sqlalchemy.create_engine(
            made,
            connect_args=arguments,
            json_serializer=dump_json,
            pool_pre_ping=True,
            max_overflow=-1,  # one connection for each partition that saves; a queue here would be one more lock
            **_isolation(made),
        )
    except (ArgumentError, ImportError, ValueError) as error:
        raise UserError(
            f"STAFFETTA_DATABASE_URL: {error}; example: postgresql://staffetta:secret@localhost/staffetta", 2
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _arguments(url: URL) -> dict[str, Any]:
    match url.get_backend_name():
        case "sqlite":
            return {"timeout": LOCK_SECONDS}
        case "postgresql":
            return {
                "connect_timeout": 5,
                "tcp_user_timeout": 10_000,
                "application_name": "staffetta",
                "options": f"-c lock_timeout={LOCK_SECONDS}s"
                f" -c idle_in_transaction_session_timeout={PAUSED_SECONDS}s",
            }
        case _:
            return {
                "connect_timeout": 5,
                "read_timeout": 30,
                "write_timeout": 30,
                "charset": "utf8mb4",
                # MySQL limits only a connection at rest, MariaDB also a transaction at rest.
                "init_command": f"SET SESSION innodb_lock_wait_timeout={LOCK_SECONDS}, wait_timeout=60"
                f" /*M!100300 , idle_transaction_timeout={PAUSED_SECONDS} */",
            }


def _isolation(url: URL) -> dict[str, Any]:
    """Where there is a choice, a statement reads what was committed when it began: one that waited for a lock
    sees what the holder of the lock wrote."""
    return {} if url.get_backend_name() == "sqlite" else {"isolation_level": "READ COMMITTED"}


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers do not wait for the writer. What a power cut may take from the end of the log takes the positions
    with it, so that those records are read from Kafka again."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
