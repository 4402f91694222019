"""The databases that tests share. A server is started when the first test asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from tests.support.databases import Database, clear
from tests.support.mariadb import MariaDb
from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        server.start()
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    with MariaDb() as server:
        server.start()
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Each of the three in turn."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("record") / "record.db"
        yield Database(f"sqlite:///{path}?timeout=0.2", None)
        return
    server: Postgres | MariaDb = request.getfixturevalue(request.param)
    with server.database() as url:
        yield Database(url, server)


@pytest.fixture
def empty(database: Database, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database without tables."""
    if database.server is None:
        yield create_engine(f"sqlite:///{tmp_path}/empty.db")
        return
    with database.server.database() as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(database: Database) -> Iterator[sa.Engine]:
    """A database with all tables, none with rows."""
    engine = create_engine(database.url)
    upgrade(engine, lambda step: None)
    clear(engine)
    yield engine
    engine.dispose()
