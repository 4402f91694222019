"""Server programs that come as jars from Maven Central: fetched once, checked, kept in the user's cache."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jgo.maven import MavenContext

from streams.kafka.install import default_cache


@contextmanager
def cache() -> Iterator[Path]:
    """The cache folder, for one process at a time."""
    folder = default_cache() / "test-servers"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def fetch(coordinate: str, sha256: str, folder: Path) -> Path:
    """The jar of `group:artifact:version`, in `folder`."""
    group, artifact, version = coordinate.split(":")
    for _ in range(2):  # a download that was broken off looks like a whole one: once more
        jar = Path(
            MavenContext(repo_cache=folder).project(group, artifact).at_version(version).artifact().resolve()
        )
        if hashlib.sha256(jar.read_bytes()).hexdigest() == sha256:
            return jar
        jar.unlink()
    raise OSError(f"{coordinate} is not the file that was expected (SHA-256)")
