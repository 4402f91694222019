"""What people and machines do wrong: it is said in a line, by its name, and with what to do about it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.event_types import (
    APPOINTMENTS,
    CALLBACKS,
    DEAD_LETTERS,
    DECISIONS,
    DIRECTORY,
    INTAKE_DEAD_LETTERS,
    OUTCOMES,
)
from streams.kafka import DevKafka
from tests.e2e.messages import in_two_days, opening
from tests.e2e.small_disk import small_disk
from tests.e2e.system import System, system
from tests.support.booking import Booking
from tests.support.smtp import closed_port
from tests.support.waiting import wait_until


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("wrong", "problem", "example"),
    [
        ({"partitions": "many"}, "STAFFETTA_PARTITIONS=many: must be a whole number", "STAFFETTA_PARTITIONS=12"),
        ({"brokers": "localhost"}, "STAFFETTA_BROKERS=localhost: must be HOST:PORT", "kafka-1:9092"),
        (
            {"recipient_hash_key": ""},
            "STAFFETTA_RECIPIENT_HASH_KEY is not set, but needed",
            "Example: STAFFETTA_RECIPIENT_HASH_KEY=",
        ),
    ],
)
def test_a_wrong_setting(
    bootstrap: str, tmp_path: Path, wrong: dict[str, str], problem: str, example: str
) -> None:
    """A wrong or missing setting ends the start with a line that names variable, problem and example; status 2."""
    with system(bootstrap, tmp_path, prepared=False) as made:
        done = made.staffetta("worker", **wrong)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert problem in line
    assert example in line


def test_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    """A worker that is started before its broker says every few seconds that none answers, and connects to it when
    it is there."""
    with DevKafka() as broker, system(broker.bootstrap, tmp_path) as made:
        broker.kill()
        worker = made.start("--role", "assign")
        said = worker.wait_for_log(f"no broker answers at {broker.bootstrap}", times=2)
        assert "trying again" in said[0]["event"]
        assert worker.get("/readyz")[0] == 503
        broker.start()
        worker.wait_until_ready()
        assert worker.roles["assign"]["restarts"] == 0


def test_topics_with_another_number_of_partitions(road: System) -> None:
    """All roles refuse to work with topics that have another partition count, and name them, once; status 1."""
    worker = road.start(partitions=3)
    assert worker.ended() == 1
    (line,) = worker.plain_lines
    assert "STAFFETTA_PARTITIONS is 3" in line
    assert f"{road.settings.topic_prefix}booking.directory (2)" in line


def test_topics_that_are_missing(bootstrap: str, tmp_path: Path) -> None:
    """Without topics a worker ends, naming one and the command that makes them; status 1."""
    with system(bootstrap, tmp_path, prepared=False) as made:
        worker = made.start("--role", "notify")
        assert worker.ended() == 1
        (line,) = worker.plain_lines
        assert (
            f"there is no topic {made.settings.topic_prefix}booking.directory: run `staffetta topics apply`"
            in line
        )


def test_a_database_without_tables(road: System) -> None:
    """Without its tables record ends the worker, naming the database and the command that makes them; status 1."""
    worker = road.start(database_url=f"sqlite:///{road.folder / 'empty.db'}")
    assert worker.ended() == 1
    (line,) = worker.plain_lines
    assert "empty.db is missing: run `staffetta db upgrade`" in line


def test_a_record_that_is_too_large(road: System) -> None:
    """A record that only fits compressed is a dead letter, of which the beginning is kept; what comes after it is
    applied, and the letter is recorded."""
    worker, salon = road.ready(), Booking("co-1")
    road.send(*opening(salon))
    packing = {"message.max.bytes": 6_000_000, "compression.type": "gzip"}
    packed = Producer({"bootstrap.servers": road.kafka.bootstrap, "log_level": 0, **packing})
    for topic in (CALLBACKS, APPOINTMENTS, DIRECTORY):
        packed.produce(road.settings.topic_prefix + topic, bytes(5_000_000), b"co-1", partition=0)
    assert packed.flush(60) == 0
    road.send(salon.callback())
    log = road.check()
    letters = [entry.event["data"] for entry in log[INTAKE_DEAD_LETTERS]]
    assert sorted((letter["topic"], letter["reason"]) for letter in letters) == [
        (topic, "too_long") for topic in sorted((CALLBACKS, APPOINTMENTS, DIRECTORY))
    ]
    assert all("only the first" in letter["detail"] for letter in letters)
    assert [entry.event["type"] for entry in log[DECISIONS]] == ["callback.auto_assigned"]
    assert all(role["restarts"] == 0 for role in worker.roles.values())


def test_a_mail_server_that_refuses_connections(road: System) -> None:
    """Where nobody listens, each mail is tried as often as the schedule says, fails with the reason and becomes a
    dead letter, and the road goes on."""
    with closed_port() as port:
        worker = road.ready(smtp_url=f"smtp://127.0.0.1:{port}")
        salon = Booking("co-1")
        road.send(*opening(salon))
        road.send(salon.callback(), salon.appointment(starts_at=in_two_days()))
        log = road.check()
        assert worker.is_ready()
    outcomes = [(entry.event["type"], entry.event["data"]["reason"]) for entry in log[OUTCOMES]]
    schedule = [("notification.retrying", "connection_failed")] * 2 + [
        ("notification.failed", "connection_failed")
    ]
    assert Counter(outcomes) == Counter(schedule * 2)
    letters = [entry.event["data"] for entry in log[DEAD_LETTERS]]
    assert [letter["reason"] for letter in letters] == ["connection_failed"] * 2
    assert all(letter["contents"]["email"]["body_text"] for letter in letters)
    assert [entry.event["type"] for entry in log[DECISIONS]] == ["callback.auto_assigned"]


def test_a_full_disk(bootstrap: str, tmp_path: Path) -> None:
    """When the disk with the data folder and the database is full, record says so and waits; nobody else does, not
    even who is started again. When there is room, it catches up."""
    with small_disk(tmp_path / "disk") as disk:
        database_url = f"sqlite:///{disk.folder / 'staffetta.db'}"
        with system(bootstrap, tmp_path, data_dir=disk.folder, database_url=database_url) as road:
            worker, salon = road.ready(), Booking("co-1")
            road.send(*opening(salon), salon.callback("cb-0"))
            wait_until(lambda: len(road.box.mails) == 1, "the first mail", 90)
            writer = worker.pid("record")
            disk.fill(writer)
            road.send(*[salon.callback(f"cb-{number}") for number in range(1, 150)])
            worker.wait_for_log("database is away", role="record")
            worker.kill_role("assign")
            road.send(*[salon.callback(f"cb-{number}") for number in range(150, 300)])
            wait_until(lambda: len(road.box.mails) == 300, "all mails", 90)
            assert worker.pid("record") == writer
            disk.free(writer)
            worker.wait_for_log("database is back", role="record")
            road.check()


def test_two_workers_with_one_member_id(road: System) -> None:
    """Of two workers with the same static member id one goes on; the other ends with status 2, as with any wrong
    setting, says why, and is not started again."""
    first = road.ready("--role", "assign", instance_id="desk-1")
    second = road.start("--role", "assign", instance_id="desk-1")
    both = (first, second)
    wait_until(lambda: any(worker.process.poll() is not None for worker in both), "the end of one", 90)
    gone, there = both if first.process.poll() is not None else (second, first)
    assert gone.ended() == 2
    (line,) = gone.logged("the lane ends this process")
    assert "another worker uses the same static member id" in line["event"]
    assert not gone.logged("role ended")
    there.wait_until_ready()
    salon = Booking("co-1")
    road.send(*opening(salon), salon.callback())
    wait_until(lambda: road.events(DECISIONS), "a decision by the one that is left", 90)
