"""Worker processes on the lane, as tests start, watch, hurt and end them."""

import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from confluent_kafka import Consumer, TopicPartition

from tests.support import lane_worker
from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.waiting import wait_until

# Workers are forked from a process that has imported everything, which makes each start a second shorter.
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["pytest", "tests.support.workers"])

INPUTS = ("events", "commands")
CHANGELOG = "counting-state-changelog"


class LaneWorker:
    """One process of `tests.support.lane_worker`, and its log."""

    def __init__(self, kafka: KafkaSpace, folder: Path, log: Path, options: dict[str, object]) -> None:
        self._log = log
        log.touch()
        given = [f"{name}={value}" for name, value in options.items()]
        arguments = (kafka.bootstrap, kafka.prefix, str(folder), *given)
        self._process = FORKSERVER.Process(target=_run, args=(log, *arguments))
        self._process.start()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def said(self, pattern: str) -> list[str]:
        """Every match so far of `pattern`, or of its group."""
        return re.findall(pattern, self.log)

    def wait_for(self, pattern: str, times: int = 1, timeout_seconds: float = 30.0) -> list[str]:
        def enough() -> list[str]:
            found = self.said(pattern)
            return found if len(found) >= times else []

        try:
            return wait_until(enough, f"{times} x {pattern!r}", timeout_seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the log ends:\n{self.log[-3000:]}") from None

    def wait_until_ready(self, times: int = 1) -> None:
        self.wait_for("READY", times)

    def counts(self, scope: str = "all") -> dict[str, int]:
        """What it found at its last recovery: key -> count, of all partitions that it recovered."""
        found = [orjson.loads(line) for line in self.said(r"RECOVERED (\{.*\})")]
        by_partition = {each["partition"]: each.get(scope, {}) for each in found}
        return {key: count for counts in by_partition.values() for key, count in counts.items()}

    def pause(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        self._process.join()

    def leave(self) -> None:
        """SIGTERM."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, number)

    def ended(self, timeout_seconds: float = 30.0) -> int:
        """Its exit status, awaited; negative for a signal."""
        self._process.join(timeout_seconds)
        assert self._process.exitcode is not None, f"still running; the log ends:\n{self.log[-3000:]}"
        return self._process.exitcode

    @property
    def resident_megabytes(self) -> float:
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _run(log: Path, *arguments: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    lane_worker.main(*arguments)


class LaneWorkers:
    """The workers of one test: they share topics, a data folder and options. All are ended with the test."""

    def __init__(self, kafka: KafkaSpace, folder: Path, options: dict[str, object]) -> None:
        self.kafka = kafka
        self.folder = folder
        self.all: list[LaneWorker] = []
        self.session = float(str(options.get("session", 3)))
        self._options = {"session": self.session, **options}
        group = f"{kafka.prefix}counting"
        self._outsider = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "log_level": 0})

    def start(self, **options: object) -> LaneWorker:
        log = self.folder / f"worker-{len(self.all)}.log"
        worker = LaneWorker(self.kafka, self.folder / "data", log, {**self._options, **options})
        self.all.append(worker)
        return worker

    def ready(self, **options: object) -> LaneWorker:
        worker = self.start(**options)
        worker.wait_until_ready()
        return worker

    def end(self) -> None:
        for worker in self.all:
            if worker.is_alive:
                worker.kill()
        self._outsider.close()

    def lag(self) -> int:
        """Offsets between what the group has committed and the ends of its inputs, as seen from outside."""
        committed = self.committed()
        ends: dict[tuple[str, int], int] = {
            place: self._outsider.get_watermark_offsets(TopicPartition(*place), timeout=10)[1]
            for place in committed
        }
        return sum(ends.values()) - sum(committed.values())

    def committed(self) -> dict[tuple[str, int], int]:
        """The group's offsets: (topic, partition) -> offset."""
        places = [
            TopicPartition(self.kafka.prefix + topic, number) for topic in INPUTS for number in range(PARTITIONS)
        ]
        found = self._outsider.committed(places, timeout=10)
        return {(place.topic, place.partition): max(0, place.offset) for place in found}


@contextmanager
def lane_workers(
    kafka: KafkaSpace,
    folder: Path,
    replication_factor: int = 1,
    changelog_config: dict[str, str] | None = None,
    **options: object,
) -> Iterator[LaneWorkers]:
    """Create the worker's topics; `options` are those of `tests.support.lane_worker`."""
    kafka.create(*INPUTS, "answers", "poison", replication_factor=replication_factor)
    config = {"cleanup.policy": "compact", **(changelog_config or {})}
    kafka.create(CHANGELOG, replication_factor=replication_factor, config=config)
    workers = LaneWorkers(kafka, folder, options)
    try:
        yield workers
    finally:
        workers.end()
