"""`staffetta doctor` against a real Kafka, a database file, a mail server and the simulated providers."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from aiosmtpd.controller import Controller
from confluent_kafka import Producer

from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from streams.app import ROLES
from streams.cli.doctor import doctor
from streams.clock import utc
from streams.settings import load_settings
from streams.simulator import At, Fault, Kind, Rule, Simulator
from streams.topics import topic_admin, wanted_topics
from streams.topics.hidden import OLD_SECONDS
from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.simulated import simulated
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
    admin, wanted = topic_admin(settings), wanted_topics(ROLES, settings.delay_ladder_seconds)
    admin.apply(wanted)
    wait_until(lambda: not admin.plan(wanted), "the broker to know its new topics")
    status, found = examine()
    assert list(found) == ["settings", "brokers", "topics", "database", "data folder", "smtp"]
    assert {said.partition(":")[0] for said in found.values()} == {"ok"}
    assert status == 0


@pytest.fixture
def providers(configured: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """SMS, WhatsApp and both ways of push are set up."""
    with simulated() as simulator:
        for name, value in simulator.settings().items():
            monkeypatch.setenv(name, value)
        yield simulator


def test_accounts(providers: Simulator, examine: Doctor) -> None:
    """Every account of the channels that are set up is asked about, and nobody gets anything by it."""
    _, found = examine()
    assert list(found)[-5:] == ["smtp", "twilio", "whatsapp", "fcm", "webpush"]
    assert {found[name].partition(":")[0] for name in list(found)[-5:]} == {"ok"}
    assert providers.world.accepted == []


def test_accounts_that_are_refused(providers: Simulator, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what to correct, without a secret, and those that are in order are said to be so."""
    monkeypatch.setenv("STAFFETTA_TWILIO_AUTH_TOKEN", "s3cr3t")
    fault = Fault(kind=Kind.REFUSE, code="invalid_grant")
    providers.world.rules.add(Rule(fault=fault, at=At.TOKEN))
    status, found = examine()
    assert status == 1
    assert found["twilio"].startswith("problem: Twilio refuses the account (HTTP 401, code 20003: Authenticate")
    assert "correct STAFFETTA_TWILIO_ACCOUNT_SID and STAFFETTA_TWILIO_AUTH_TOKEN" in found["twilio"]
    assert found["fcm"].startswith("problem: Google refuses the account")
    assert "correct STAFFETTA_FCM_CREDENTIALS" in found["fcm"]
    assert found["whatsapp"].startswith("ok")
    assert found["webpush"].startswith("ok")
    assert "s3cr3t" not in "".join(found.values())


def test_half_an_account(configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of which a part is missing is a problem of the settings; nobody is asked about it."""
    monkeypatch.setenv("STAFFETTA_TWILIO_ACCOUNT_SID", "AC" + "6" * 32)
    _, found = examine()
    assert "STAFFETTA_TWILIO_AUTH_TOKEN is not set" in found["settings"]
    assert "twilio" not in found


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
    assert found["smtp"].startswith("problem: no mail can be handed to 127.0.0.1:1")
    assert "STAFFETTA_SMTP_URL" in found["smtp"]
    assert found["brokers"].startswith("ok")
    assert found["data folder"].startswith("ok")


def test_wrong_partition_count(configured: None, kafka: KafkaSpace, examine: Doctor) -> None:
    """A topic with another number of partitions is named."""
    kafka.create("booking.callbacks", partitions=PARTITIONS + 1)
    said = examine()[1]["topics"]
    assert f"booking.callbacks has {PARTITIONS + 1} partitions, but STAFFETTA_PARTITIONS is {PARTITIONS}" in said


def test_a_transaction_that_was_never_ended(configured: None, kafka: KafkaSpace, examine: Doctor) -> None:
    """What is hidden behind a transaction for longer than any of ours takes is named; one under way is nothing."""
    settings = load_settings()
    topic_admin(settings).apply(wanted_topics(ROLES, settings.delay_ladder_seconds))
    wait_until(lambda: examine()[1]["topics"].startswith("ok"), "the broker to know its new topics")
    began = {0: utc(time.time()), 1: utc(time.time() - 2 * OLD_SECONDS)}
    writers = [
        Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{kafka.prefix}{number}"})
        for number in began
    ]
    for writer, (number, made_at) in zip(writers, began.items(), strict=True):
        writer.init_transactions()
        writer.begin_transaction()
        made_at_ms = int(made_at.timestamp() * 1000)
        writer.produce(f"{kafka.prefix}delivery.email", b"{}", b"co-7", number, timestamp=made_at_ms)
        assert writer.flush(30) == 0
    status, found = examine()
    assert status == 1
    said = f"what was written to delivery.email/1 since {began[1]:%Y-%m-%d %H:%M:%S} UTC because a transaction"
    assert said in found["topics"]
    assert '"A broker has crashed" in docs/operations.md' in found["topics"]
    for writer in writers:
        writer.abort_transaction()
    wait_until(lambda: examine()[1]["topics"].startswith("ok"), "the transactions to be over")


def test_nothing_answers(configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brokers and a database that do not answer are problems like any other, without a password in sight."""
    monkeypatch.setenv("STAFFETTA_BROKERS", "127.0.0.1:1")
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", "postgresql://anna:s3cr3t@127.0.0.1:1/staffetta")
    status, found = examine()
    assert status == 1
    assert "no broker answers at 127.0.0.1:1" in found["brokers"]
    assert "postgresql://anna:***@127.0.0.1:1/staffetta cannot be used" in found["database"]
    assert "s3cr3t" not in "".join(found.values())


def test_data_folder(configured: None, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be made or written to is a problem."""
    monkeypatch.setenv("STAFFETTA_DATA_DIR", "/proc/staffetta")
    status, found = examine()
    assert status == 1
    assert found["data folder"].startswith("problem: /proc/staffetta cannot be written to")
    assert "STAFFETTA_DATA_DIR" in found["data folder"]
