"""Kafka for development, against the real thing."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from streams.errors import UserError
from streams.kafka import DevKafka
from streams.kafka.broker import Broker
from tests.support.kafka import KafkaSpace
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def single() -> Iterator[DevKafka]:
    with DevKafka() as kafka:
        yield kafka


@pytest.fixture(scope="module")
def cluster() -> Iterator[DevKafka]:
    with DevKafka(brokers=3) as kafka:
        yield kafka


def _records(rng: random.Random, count: int = 200) -> list[tuple[str | bytes | None, str | bytes | None]]:
    return [(f"key-{rng.randrange(10)}", rng.randbytes(20)) for _ in range(count)]


def test_records_come_back(kafka: KafkaSpace, rng: random.Random) -> None:
    """What is written to a topic can be read from it, in order within a partition."""
    kafka.create("things")
    written = kafka.produce("things", _records(rng))
    assert kafka.read_all("things") == sorted(written, key=lambda entry: (entry.partition, entry.offset))


def test_a_killed_broker_comes_back_with_its_data(single: DevKafka, rng: random.Random) -> None:
    """After SIGKILL and a start, the broker has the same address and every record that it acknowledged."""
    space = KafkaSpace(single.bootstrap, "killed-")
    space.create("things")
    written = space.produce("things", _records(rng))
    single.kill()
    assert single.pid() is None
    single.start()
    assert sorted(space.read_all("things")) == sorted(written)


def test_a_broker_that_takes_too_long_to_stop_is_killed(single: DevKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone all the same, and can be started again."""
    monkeypatch.setattr("streams.kafka.broker.STOP_TIMEOUT_SECONDS", 0.0)
    single.stop()
    assert single.pid() is None
    single.start()
    assert single.pid() is not None


def test_a_paused_broker_answers_nothing_until_it_is_resumed(single: DevKafka) -> None:
    """SIGSTOP and SIGCONT reach the broker itself."""
    space = KafkaSpace(single.bootstrap, "paused-")
    single.pause()
    with pytest.raises(KafkaException):
        space.admin.list_topics(timeout=1)
    single.resume()
    assert space.admin.list_topics(timeout=10).brokers


def test_data_stays_in_a_given_folder(tmp_path: Path, rng: random.Random) -> None:
    """A second start on the same folder has the topics and records of the first."""
    with DevKafka(data_dir=tmp_path) as kafka:
        space = KafkaSpace(kafka.bootstrap, "kept-")
        space.create("things")
        written = space.produce("things", _records(rng))
    with DevKafka(data_dir=tmp_path) as kafka:
        assert sorted(KafkaSpace(kafka.bootstrap, "kept-").read_all("things")) == sorted(written)
    with pytest.raises(UserError, match=r"holds the data of 1 broker\(s\), not of 3"), DevKafka(3, tmp_path):
        pass


def test_a_cluster_goes_on_without_one_of_its_brokers(cluster: DevKafka, rng: random.Random) -> None:
    """With three brokers, records are taken while the one that led their partition is dead; it catches up."""
    space = KafkaSpace(cluster.bootstrap, "leader-")
    space.create("things", partitions=1, replication_factor=-1)

    def replicas() -> tuple[int, set[int]]:
        partition = space.admin.list_topics("leader-things", timeout=10).topics["leader-things"].partitions[0]
        return partition.leader, set(partition.isrs)

    wait_until(lambda: len(replicas()[1]) == 3, "three replicas in sync")
    before = space.produce("things", _records(rng))
    leader = replicas()[0]
    cluster.kill(leader - 1)
    during = space.produce("things", _records(rng))
    assert replicas()[0] != leader
    cluster.start(leader - 1)
    wait_until(lambda: len(replicas()[1]) == 3, "three replicas in sync again")
    assert space.read_all("things") == before + during


def test_brokers_end_when_their_parent_is_killed() -> None:
    """SIGKILL of the process that started them leaves no broker and no temporary folder behind."""
    code = (
        "import time; from streams.kafka import DevKafka\n"
        "with DevKafka(3) as kafka:\n"
        "    print(kafka.data_dir, *map(kafka.pid, range(3)), flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder, *pids = parent.stdout.readline().split()
        assert len(pids) == 3
        parent.kill()
    wait_until(lambda: not any(_runs(int(pid)) for pid in pids), "the brokers' end", 20)
    wait_until(lambda: not Path(folder).exists(), "the temporary folder's end", 20)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_runs_until_it_is_stopped(tmp_path: Path, ending: signal.Signals) -> None:
    """`staffetta kafka` prints how to use it, works, and stops in order on SIGTERM as on SIGINT, which a script
    that starts it with `&` has ignored."""
    command = [sys.executable, "-m", "streams.cli", "kafka", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=ignore_sigint) as running:
        assert running.stdout is not None
        ready = running.stdout.readline()
        found = re.search(r"ready at (127\.0\.0\.1:\d+)", ready)
        assert found, ready
        KafkaSpace(found[1], "command-").create("things")
        running.send_signal(ending)
        rest = running.stdout.read()
    assert f"export STAFFETTA_BROKERS={found[1]}" in rest
    assert running.returncode == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_can_be_stopped(tmp_path: Path, ending: signal.Signals) -> None:
    """`staffetta demo`, told to stop while it starts Kafka, ends and leaves no folder behind."""
    others = {name: value for name, value in os.environ.items() if name != "STAFFETTA_BROKERS"}
    with subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "demo"],
        env=others | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        preexec_fn=ignore_sigint,
    ) as running:
        wait_until(lambda: [*tmp_path.glob("staffetta-kafka-*/broker-0")], "Kafka's folder", 60)
        assert len([*tmp_path.glob("staffetta-*")]) == 2
        running.send_signal(ending)
        assert running.wait(60) == 130
    wait_until(lambda: not [*tmp_path.glob("staffetta-*")], "the end of the folders", 20)


def test_a_broker_whose_start_is_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until its process id is known there is nothing to kill, least of all the process 0."""

    class Interrupted:
        stdout = property(lambda self: self)

        def __init__(self, *words: object, **options: object) -> None: ...

        def readline(self) -> bytes:
            raise KeyboardInterrupt

        def poll(self) -> None: ...

    monkeypatch.setattr("streams.kafka.broker._java", lambda megabytes: ["java"])
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    broker = Broker(1, tmp_path, 1, heap_mb=1)
    with pytest.raises(KeyboardInterrupt):
        broker.launch()
    assert broker.pid is None


def test_offline_says_what_to_do(tmp_path: Path) -> None:
    """Without a connection the first start ends with one line and no traceback."""
    nowhere = {"XDG_CACHE_HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    command = [sys.executable, "-m", "streams.cli", "kafka"]
    done = subprocess.run(command, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(r"^staffetta: cannot download .*STAFFETTA_BROKERS", done.stderr, re.MULTILINE)


def ignore_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
