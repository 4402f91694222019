"""`staffetta doctor` against a real Kafka, a database file and a mail server."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from aiosmtpd.controller import Controller

from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from streams.app import role_tables
from streams.cli.doctor import doctor
from streams.settings import load_settings
from streams.topics import topic_admin, wanted_topics
from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.waiting import wait_until

Doctor = Callable[[], tuple[int, dict[str, str]]]


@pytest.fixture
def mail_server() -> Iterator[int]:
    """The port of a server that takes mail."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    controller = Controller(object(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port
    controller.stop()


@pytest.fixture
def configured(kafka: KafkaSpace, mail_server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings under which everything is as a worker needs it, but for the topics."""
    for name in os.environ:
        if name.startswith("STAFFETTA_"):
            monkeypatch.delenv(name)
    for name, value in {
        "BROKERS": kafka.bootstrap,
        "TOPIC_PREFIX": kafka.prefix,
        "PARTITIONS": str(PARTITIONS),
        "DATA_DIR": str(tmp_path),
        "SMTP_URL": f"smtp://127.0.0.1:{mail_server}",
        "RECIPIENT_HASH_KEY": "key",
    }.items():
        monkeypatch.setenv(f"STAFFETTA_{name}", value)
    upgrade(create_engine(load_settings().database_url), lambda step: None)


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs the command: its exit status, and its verdict on each part."""

    def run() -> tuple[int, dict[str, str]]:
        try:
            doctor()
        except typer.Exit as end:
            status = end.exit_code
        else:
            status = 0
        lines = capsys.readouterr().out.splitlines()
        return status, {line[9:21].strip(): f"{line[:7].strip()}: {line[21:]}" for line in lines}

    return run


def test_all_is_well(configured: None, examine: Doctor) -> None:
    """Where nothing is wrong each part is said to be so, and the exit status is 0."""
    settings = load_settings()
    admin, wanted = topic_admin(settings), wanted_topics(role_tables(), settings.delay_ladder_seconds)
    admin.apply(wanted)
    wait_until(lambda: not admin.plan(wanted), "the broker to know its new topics")
    status, found = examine()
    assert list(found) == ["settings", "brokers", "topics", "database", "mail server", "data folder"]
    assert {said.partition(":")[0] for said in found.values()} == {"ok"}
    assert status == 0


def test_each_problem_is_named_with_what_to_do(
    configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One problem does not hide another, and each says what to do."""
    (tmp_path / "staffetta.db").unlink()
    monkeypatch.delenv("STAFFETTA_RECIPIENT_HASH_KEY")
    monkeypatch.setenv("STAFFETTA_SMTP_URL", "smtp://127.0.0.1:1")
    status, found = examine()
    assert status == 1
    assert found["settings"].startswith("problem: STAFFETTA_RECIPIENT_HASH_KEY is not set")
    assert found["topics"].startswith("problem: ")
    assert "missing" in found["topics"]
    assert "`staffetta topics apply`" in found["topics"]
    assert found["database"].startswith("problem: ")
    assert "`staffetta db upgrade`" in found["database"]
    assert found["mail server"].startswith("problem: no mail can be handed to 127.0.0.1:1")
    assert "STAFFETTA_SMTP_URL" in found["mail server"]
    assert found["brokers"].startswith("ok")
    assert found["data folder"].startswith("ok")


def test_wrong_partition_count(configured: None, kafka: KafkaSpace, examine: Doctor) -> None:
    """A topic with another number of partitions is named."""
    kafka.create("booking.callbacks", partitions=PARTITIONS + 1)
    said = examine()[1]["topics"]
    assert f"booking.callbacks has {PARTITIONS + 1} partitions, but STAFFETTA_PARTITIONS is {PARTITIONS}" in said


def test_nothing_answers(configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers and a database that do not answer are problems like any other, without a password in sight."""
    monkeypatch.setenv("STAFFETTA_BROKERS", "127.0.0.1:1")
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", "postgresql://anna:s3cr3t@127.0.0.1:1/staffetta")
    status, found = examine()
    assert status == 1
    assert "no broker answers at 127.0.0.1:1" in found["brokers"]
    assert "does not answer" in found["database"]
    assert "s3cr3t" not in "".join(found.values())


def test_data_folder(configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be made or written to is a problem."""
    monkeypatch.setenv("STAFFETTA_DATA_DIR", "/proc/staffetta")
    status, found = examine()
    assert status == 1
    assert found["data folder"].startswith("problem: /proc/staffetta cannot be written to")
    assert "STAFFETTA_DATA_DIR" in found["data folder"]
