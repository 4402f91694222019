"""`staffetta dead-letters redrive --all` asks first: at a terminal, into a real Kafka."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from sinks.database.tables import dead_letters
from tests.support.databases import write
from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.story import Log, recorded, request
from tests.support.terminal import terminal

OUT = "delivery.email.high"
ALL = ("dead-letters", "redrive", "--all")
QUESTION = "Send 2 dead letters again? [y/N]: "


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with two notifications that were given up, and a record that could not be read."""
    engine = create_engine(f"sqlite:///{tmp_path}/record.db")
    upgrade(engine, lambda step: None)
    log = Log()
    for minutes, id in enumerate(("n-1", "n-2")):
        letter = request(id, reason="rejected")
        log.add("delivery.dead-letters", "notification.dead_lettered", letter, minutes=minutes)
    log.refuse("booking.callbacks", b"{")
    write(engine, recorded(log.records).rows)
    yield engine
    engine.dispose()


@pytest.fixture
def environment(kafka: KafkaSpace, engine: sa.Engine, tmp_path: Path) -> Mapping[str, str]:
    kafka.create(OUT, "booking.callbacks")
    others = {name: value for name, value in os.environ.items() if not name.startswith("STAFFETTA_")}
    return others | {
        "STAFFETTA_BROKERS": kafka.bootstrap,
        "STAFFETTA_TOPIC_PREFIX": kafka.prefix,
        "STAFFETTA_PARTITIONS": str(PARTITIONS),
        "STAFFETTA_DATA_DIR": str(tmp_path),
        "STAFFETTA_DATABASE_URL": str(engine.url),
    }


def noted(engine: sa.Engine) -> list[int | None]:
    """With which number each letter was sent again, as the database has it."""
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(dead_letters.c.redriven)))


@pytest.mark.parametrize("answer", ["n\n", "no\n", "\n", "what?\n"])
def test_no(answer: str, environment: Mapping[str, str], kafka: KafkaSpace, engine: sa.Engine) -> None:
    """Whoever does not say yes sends nothing, and is told so."""
    with terminal(*ALL, environment=environment) as person:
        person.waits_for(QUESTION)
        person.type(answer)
        status, shown = person.ended()
    assert shown.endswith("Nothing was sent.\r\n")
    assert status == 1
    assert kafka.read_all(OUT) == []
    assert noted(engine) == [None, None]


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_neither(key: str, environment: Mapping[str, str], kafka: KafkaSpace, engine: sa.Engine) -> None:
    """Ctrl-C and Ctrl-D in place of an answer send nothing either, and show no traceback."""
    with terminal(*ALL, environment=environment) as person:
        person.waits_for(QUESTION)
        person.type(key)
        status, shown = person.ended()
    assert shown.rstrip().endswith("Nothing was sent.")
    assert "Traceback" not in shown
    assert status == 1
    assert kafka.read_all(OUT) == []
    assert noted(engine) == [None, None]


def test_yes(environment: Mapping[str, str], kafka: KafkaSpace, engine: sa.Engine) -> None:
    """Nothing is sent before the answer; after a yes all of it is, each letter named."""
    with terminal(*ALL, environment=environment) as person:
        person.waits_for(QUESTION)
        assert kafka.read_all(OUT) == []
        person.type("y\n")
        status, shown = person.ended()
    assert status == 0
    for id in ("n-1", "n-2"):
        assert f"{id}  sent again as redrive 1 on {OUT}" in shown
    assert len(kafka.read_all(OUT)) == 2
    assert noted(engine) == [1, 1]


def test_output_kept(environment: Mapping[str, str], kafka: KafkaSpace, tmp_path: Path) -> None:
    """Where the output goes into a file the question is still seen, and the file holds none of it."""
    with (
        (tmp_path / "said").open("wb") as output,
        terminal(*ALL, environment=environment, output=output) as person,
    ):
        person.waits_for(QUESTION)
        person.type("y\n")
        assert person.ended()[0] == 0
    said = (tmp_path / "said").read_text().splitlines()
    assert said == [f"{id}  sent again as redrive 1 on {OUT}" for id in ("n-1", "n-2")]
    assert len(kafka.read_all(OUT)) == 2


def test_records(environment: Mapping[str, str], kafka: KafkaSpace) -> None:
    """With --intake it asks for the records in the same way."""
    for answer, sent in (("n\n", 0), ("y\n", 1)):
        with terminal(*ALL, "--intake", "--no-check", environment=environment) as person:
            person.waits_for("Send 1 record again? [y/N]: ")
            person.type(answer)
            assert person.ended()[0] == 1 - sent
        assert len(kafka.read_all("booking.callbacks")) == sent


@pytest.mark.parametrize("reading", [subprocess.DEVNULL, subprocess.PIPE])
def test_nobody_to_ask(reading: int, environment: Mapping[str, str], kafka: KafkaSpace, engine: sa.Engine) -> None:
    """Without a terminal it refuses, names the way out, and takes no answer from a pipe; --yes sends."""

    def staffetta(*words: str) -> "subprocess.CompletedProcess[str]":
        answer = {"input": "y\n"} if reading == subprocess.PIPE else {"stdin": reading}
        command = [sys.executable, "-m", "streams.cli", *words]
        return subprocess.run(
            command, env=dict(environment), capture_output=True, text=True, check=False, **answer
        )

    refused = staffetta(*ALL)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        "staffetta: 2 dead letters would be sent again, and nobody is there to ask: say --yes\n"
    )
    assert kafka.read_all(OUT) == []
    assert noted(engine) == [None, None]
    assert staffetta(*ALL, "--yes").returncode == 0
    assert len(kafka.read_all(OUT)) == 2
