"""`staffetta produce` against a real Kafka."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import CONTENT_TYPE_HEADER, murmur2_partition
from tests.support.kafka import PARTITIONS, KafkaSpace

DIRECTORY, CALLBACKS = "booking.directory", "booking.callbacks"
Produce = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def produce(kafka: KafkaSpace, tmp_path: Path) -> Produce:
    """Runs the command over the given lines, as a file or, with `piped`, through a pipe."""
    kafka.create(DIRECTORY, CALLBACKS)

    def run(
        lines: list[str], *options: str, piped: bool = False, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "events.jsonl"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", "produce", "-" if piped else str(file), *options],
            input=file.read_text(encoding="utf-8") if piped else None,
            env={
                **os.environ,
                "STAFFETTA_BROKERS": kafka.bootstrap,
                "STAFFETTA_TOPIC_PREFIX": kafka.prefix,
                "STAFFETTA_PARTITIONS": str(PARTITIONS),
                **(environment or {}),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def event(type: str, company_id: str = "co-1", **data: Any) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"{type}-{data.get('version', 1)}",
            "source": "/test",
            "type": type,
            "data": {"company_id": company_id, "version": 1, **data},
        },
        ensure_ascii=False,
    )


def company(company_id: str = "co-1", **data: Any) -> str:
    fields = {"name": "Größe & Söhne", "locale": "de", "timezone": "Europe/Berlin", **data}
    return event("company.upserted", company_id, **fields)


def callback(company_id: str = "co-1", **data: Any) -> str:
    fields = {
        "callback_id": "cb-1",
        "branch_id": "br-1",
        "customer": {"customer_id": "cu-1", "name": "Änne"},
        "priority": "normal",
        "status": "pending",
        "requested_at": "2026-11-22T09:00:00Z",
        **data,
    }
    return event("callback.requested", company_id, **fields)


def test_events_go_where_their_type_and_company_say(kafka: KafkaSpace, produce: Produce) -> None:
    """Each line is written as it is, to its type's topic, in the partition that a Java producer would choose."""
    lines = [company(f"co-{n}") for n in range(5)] + [callback("co-1"), callback("co-2")]
    done = produce(lines)
    assert done.returncode == 0, done.stderr
    assert "7 events written" in done.stdout
    assert f"{DIRECTORY}  5" in done.stdout
    written = kafka.read_all(DIRECTORY, CALLBACKS)
    assert sorted(entry.value or b"" for entry in written) == sorted(line.encode() for line in lines)
    assert {entry.topic for entry in written if b"callback" in (entry.value or b"")} == {CALLBACKS}
    for entry in written:
        key = json.loads(entry.value or b"")["data"]["company_id"].encode()
        assert entry.key == key
        assert entry.partition == murmur2_partition(key, PARTITIONS)
        assert list(entry.headers) == [CONTENT_TYPE_HEADER]


def test_file_order_is_kept(kafka: KafkaSpace, produce: Produce) -> None:
    """Within a topic a company's events lie in the order of the lines."""
    lines = [company(version=version) for version in range(1, 301)]
    assert produce(lines).returncode == 0
    assert [entry.value for entry in kafka.read_all(DIRECTORY)] == [line.encode() for line in lines]


def test_a_wrong_line_stops_the_whole_file(kafka: KafkaSpace, produce: Produce) -> None:
    """Wrong lines are named by number and reason, all in one go, and nothing of the file is sent."""
    done = produce(
        [
            company(),
            "not json",
            "",
            event("company.upsertet"),
            company().replace('"company_id": "co-1", ', ""),
            company(locale=7),
            company().replace('"source"', '"partitionkey": "co-2", "source"'),
        ]
    )
    assert done.returncode == 1
    assert "events.jsonl:2: no CloudEvent in JSON" in done.stderr
    assert "events.jsonl:4: 'company.upsertet' is no event type; did you mean 'company.upserted'?" in done.stderr
    assert "events.jsonl:5: has neither partitionkey nor data.company_id" in done.stderr
    assert "events.jsonl:6: invalid_data: locale" in done.stderr
    assert "events.jsonl:7: key_mismatch" in done.stderr
    assert done.stderr.endswith("5 lines are wrong and nothing was sent\n")
    assert kafka.read_all(DIRECTORY) == []


def test_from_a_pipe_wrong_lines_are_left_out(kafka: KafkaSpace, produce: Produce) -> None:
    """From a pipe the good lines are sent, the wrong ones are named, and the exit status is 1."""
    done = produce([company(), "{}", callback()], piped=True)
    assert done.returncode == 1
    assert "-:2: no CloudEvent in JSON" in done.stderr
    assert "2 events written" in done.stdout
    assert len(kafka.read_all(DIRECTORY, CALLBACKS)) == 2


@pytest.mark.parametrize(("piped", "name"), [(True, "-"), (False, "events.jsonl")])
def test_no_events(produce: Produce, piped: bool, name: str) -> None:
    """Where there is no event that is said; it is no fault, for a pipe may well be empty."""
    done = produce(["", ""], piped=piped)
    assert done.returncode == 0
    assert done.stderr.startswith("There was no event in ")
    assert done.stderr.endswith(f"{name}\n")


def test_unchecked_events_are_sent_as_they_are(kafka: KafkaSpace, produce: Produce) -> None:
    """With --no-check an event that its readers will refuse is sent all the same."""
    wrong = company(locale=7)
    assert produce([wrong], "--no-check").returncode == 0
    assert [entry.value for entry in kafka.read_all(DIRECTORY)] == [wrong.encode()]


def test_records_carry_the_time_of_the_clock(kafka: KafkaSpace, produce: Produce) -> None:
    """Records are stamped by the clock of the settings, so that a compressed day is a day in Kafka too."""
    started_at = time.time() - 10
    environment = {
        "STAFFETTA_CLOCK_ORIGIN": "2026-03-01T06:00:00Z",
        "STAFFETTA_CLOCK_SPEED": "600",
        "STAFFETTA_CLOCK_STARTED_AT": str(started_at),
    }
    before = time.time()
    assert produce([company()], environment=environment).returncode == 0
    origin = 1772344800  # 2026-03-01T06:00:00Z
    earliest = origin + (before - started_at) * 600
    latest = origin + (time.time() - started_at) * 600
    assert earliest <= kafka.read_all(DIRECTORY)[0].timestamp / 1000 <= latest


def test_rate(kafka: KafkaSpace, produce: Produce) -> None:
    """--rate spaces the events evenly: the last of 21 at 20 a second is written a second after the first."""
    assert produce([callback(version=version) for version in range(1, 22)], "--rate", "20").returncode == 0
    stamps = [entry.timestamp for entry in kafka.read_all(CALLBACKS)]
    assert 0.95 <= (stamps[-1] - stamps[0]) / 1000 <= 3


def test_the_directory_is_written_before_what_follows_it(kafka: KafkaSpace, produce: Produce) -> None:
    """What follows a directory entry in the file is not even sent until that entry is written: where it cannot
    be written, nothing after it is."""
    kafka.admin.delete_topics([kafka.prefix + DIRECTORY])[kafka.prefix + DIRECTORY].result(30)
    kafka.create(DIRECTORY, config={"max.message.bytes": "200"})
    done = produce([company(name="x" * 500), callback()])
    assert done.returncode == 1
    assert f"line 1 could not be written to {kafka.prefix}{DIRECTORY}: it is larger" in done.stderr
    assert kafka.read_all(CALLBACKS) == []


def test_missing_topic(produce: Produce) -> None:
    """Events of a topic that is not there end the command with one line that names the topic and the way out."""
    appointment = event(
        "appointment.created",
        appointment_id="ap-1",
        branch_id="br-1",
        customer={"customer_id": "cu-1", "name": "Änne"},
        starts_at="2026-11-22T09:00:00Z",
        duration_minutes=30,
        status="booked",
    )
    done = produce([appointment])
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].endswith("booking.appointments: run `staffetta topics apply`")
    assert "Traceback" not in done.stderr


def test_no_broker(produce: Produce) -> None:
    """Without a broker the command ends with one line that names the address and the setting."""
    done = produce([company()], environment={"STAFFETTA_BROKERS": "127.0.0.1:1"})
    assert done.returncode == 1
    assert "no broker answers at 127.0.0.1:1" in done.stderr
    assert "STAFFETTA_BROKERS" in done.stderr
    assert "Traceback" not in done.stderr
