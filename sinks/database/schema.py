"""The schema's revision: what a database has, what this program needs, and the way from one to the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from sinks.database.away import patiently, summary
from sinks.database.columns import MYSQL
from streams.errors import UserError

VERSION_TABLE = "staffetta_schema"
"""Where Alembic notes the revision; not its usual name, so that another program's notes may be beside it."""
LOCK = 0x57AFFE77A


class SchemaState(StrEnum):
    CURRENT = "current"
    MISSING = "missing"
    OLD = "old"
    NEWER = "newer"
    """Made by a later version of this program."""


def schema_state(engine: Engine) -> SchemaState:
    """Raises sqlalchemy.exc.DBAPIError where the database cannot be reached."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return SchemaState.MISSING  # connecting would create the file
    with engine.connect() as connection:
        return _state(connection)


def require_schema(engine: Engine, *, wait: bool = True) -> None:
    """Raises UserError unless the database has the schema that this program writes. While the database is away:
    waits, or raises UserError."""
    with plainly(engine):
        state = patiently(lambda: schema_state(engine), lambda: None) if wait else schema_state(engine)
    if state is not SchemaState.CURRENT:
        raise UserError(_problem(engine, state))


def upgrade(engine: Engine, progress: Callable[[str], None]) -> None:
    """Bring the schema to this program's revision; `progress` is called with what each step has done.

    Of several at once one works and the others wait for it. One that was broken off is taken up again. Raises
    UserError where a later version of this program has been at work.
    """
    if engine.dialect.name == "sqlite":
        with suppress(OSError):  # SQLite will say what it cannot open
            Path(engine.url.database or "").absolute().parent.mkdir(parents=True, exist_ok=True)
    config = _config()
    with engine.connect() as connection, _alone(connection):
        if _state(connection) is SchemaState.NEWER:
            raise UserError(_problem(engine, SchemaState.NEWER))
        config.attributes.update(connection=connection, progress=progress)
        command.upgrade(config, "head")


@contextmanager
def plainly(engine: Engine) -> Iterator[None]:
    """A database that refuses is the user's to mend: UserError, with what it said."""
    try:
        yield
    except DBAPIError as error:
        problem = f"the database {name_of(engine)} cannot be used ({summary(error)})"
        raise UserError(f"{problem}: mend it or set STAFFETTA_DATABASE_URL") from error


def _config() -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _state(connection: Connection) -> SchemaState:
    options = {"version_table": VERSION_TABLE}
    revision = MigrationContext.configure(connection, opts=options).get_current_revision()
    scripts = ScriptDirectory.from_config(_config())
    if revision is None:
        return SchemaState.MISSING
    if revision == scripts.get_current_head():
        return SchemaState.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return SchemaState.OLD if revision in known else SchemaState.NEWER


def _problem(engine: Engine, state: SchemaState) -> str:
    if state is SchemaState.NEWER:
        return f"the schema of {name_of(engine)} was made by a later version of staffetta: run that version"
    return f"the schema of {name_of(engine)} is {state}: run `staffetta db upgrade`"


def name_of(engine: Engine) -> str:
    """Its URL without the password, and without the driver, which settings add."""
    url = engine.url.set(drivername=engine.url.get_backend_name())
    return url.difference_update_query(["password", "passwd"]).render_as_string(hide_password=True)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the database's lock on schema changes, and commit what was done under it."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        # The driver begins a transaction before data is changed, but not before a table is.
        connection.exec_driver_sql("PRAGMA busy_timeout=60000")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif dialect in MYSQL:
        name = f"staffetta.{connection.engine.url.database}"[:64]
        while not connection.scalar(text("SELECT GET_LOCK(:name, 10)"), {"name": name}):
            pass
    else:
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    yield
    connection.commit()
    # MariaDB gives its lock back with the connection, the others theirs with the transaction.
    connection.invalidate()
