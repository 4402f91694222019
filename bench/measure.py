"""Measuring a worker from outside: what arrives in its output topic, and what the kernel says it used."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from bench.job import Job
from bench.workload import event, events

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """At `at` seconds `count` outputs were there; the worker had used `cpu` seconds, the machine `all_cpu`."""

    at: float
    count: int
    cpu: float
    all_cpu: float


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def machine_cpu_seconds() -> float:
    values = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(values) - values[3] - values[4]) / _TICKS


def peak_mebibytes(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel names no VmHWM")


@contextmanager
def topics(brokers: str, partitions: int) -> Iterator[Job]:
    """A group and topics of its own for one run."""
    admin = AdminClient({"bootstrap.servers": brokers})
    group = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory(prefix="staffetta-bench-") as folder:
        job = Job(brokers, group, partitions, folder)
        names = (job.events, job.decisions, job.changelog, f"{group}-positions-changelog")
        wanted = [
            NewTopic(
                name,
                partitions,
                1,
                config={"cleanup.policy": "compact" if name.endswith("changelog") else "delete"},
            )
            for name in names
        ]
        for created in admin.create_topics(wanted).values():
            created.result(30)
        try:
            yield job
        finally:
            for deleted in admin.delete_topics(list(names)).values():
                deleted.result(30)


@contextmanager
def worker(module: str, job: Job) -> Iterator["subprocess.Popen[bytes]"]:
    with open(Path(job.folder) / "worker.log", "w+b") as log:
        process = subprocess.Popen([sys.executable, "-m", module], env=job.environment(), stdout=log, stderr=log)
        try:
            yield process
        except Exception as error:
            log.seek(0)
            error.add_note(log.read()[-2000:].decode(errors="replace"))
            raise
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def end_of(admin: AdminClient, topic: str, partitions: int) -> int:
    """Records in the topic, markers of transactions included."""
    wanted = {TopicPartition(topic, number): OffsetSpec.latest() for number in range(partitions)}
    return sum(found.result().offset for found in admin.list_offsets(wanted).values())


def throughput(module: str, brokers: str, count: int, partitions: int = 4) -> dict[str, Any]:
    """A backlog of `count` events: events/s between the first tenth and the ninth of the answers."""
    with topics(brokers, partitions) as job:
        producer = Producer(
            {
                "bootstrap.servers": brokers,
                "linger.ms": 50,
                "queue.buffering.max.messages": 1_000_000,
                "partitioner": "murmur2_random",
            }
        )
        for key, value in events(count):
            producer.produce(job.events, value, key)
        producer.flush()
        admin = AdminClient({"bootstrap.servers": brokers})
        with worker(module, job) as process:
            samples = _samples(lambda: end_of(admin, job.decisions, partitions), process, count)
            peak = peak_mebibytes(process.pid)
            distinct = _count_answers(job, count)
    first, last = _at(samples, count * 0.1), _at(samples, count * 0.9)
    seconds, done = last.at - first.at, count * 0.8
    return {
        "events_per_second": round(done / seconds),
        "cpu_seconds_per_100k": round((last.cpu - first.cpu) / done * 1e5, 3),
        "peak_mib": round(peak),
        "other_cpu_percent": round(((last.all_cpu - first.all_cpu) - (last.cpu - first.cpu)) / seconds * 100),
        "answers": distinct,
    }


def _samples(arrived: Callable[[], int], process: "subprocess.Popen[bytes]", count: int) -> list[Sample]:
    samples: list[Sample] = []
    moved = time.monotonic()
    while not samples or samples[-1].count < count:
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with {process.returncode}")
        sample = Sample(time.perf_counter(), arrived(), cpu_seconds(process.pid), machine_cpu_seconds())
        if not samples or sample.count != samples[-1].count:
            moved = time.monotonic()
        elif time.monotonic() - moved > 60:
            raise TimeoutError(f"stalled at {sample.count} of {count}")
        samples.append(sample)
        time.sleep(0.02)
    return samples


def _at(samples: list[Sample], count: float) -> Sample:
    """Interpolated to the moment at which `count` outputs were there."""
    for before, after in zip(samples, samples[1:], strict=False):
        if before.count <= count <= after.count and after.count > before.count:
            part = (count - before.count) / (after.count - before.count)
            return Sample(
                before.at + part * (after.at - before.at),
                round(count),
                before.cpu + part * (after.cpu - before.cpu),
                before.all_cpu + part * (after.all_cpu - before.all_cpu),
            )
    raise RuntimeError("too few samples: take more events")


def _reader(job: Job) -> Consumer:
    reader = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": f"{job.group}-reader",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 10,
        }
    )
    reader.assign([TopicPartition(job.decisions, number, 0) for number in range(job.partitions)])
    return reader


def _count_answers(job: Job, count: int) -> int:
    """Distinct committed answers; waits until all are there, and for no more than that."""
    reader, found, end = _reader(job), set(), time.monotonic() + 60
    while len(found) < count and time.monotonic() < end:
        for message in reader.consume(5000, 0.5):
            if not message.error():
                found.add(orjson.loads(message.value() or b"{}")["event_id"])
    reader.close()
    return len(found)


def latency(module: str, brokers: str, rate: float, seconds: float, partitions: int = 4) -> dict[str, Any]:
    """`rate` events/s: milliseconds from making an event to reading its committed answer."""
    with topics(brokers, partitions) as job:
        job = Job(job.brokers, job.group, job.partitions, job.folder, latency=True)
        with worker(module, job) as process, _Listener(job) as heard:
            producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0, "partitioner": "murmur2_random"})
            rng, number = Random(7), 0
            end = time.monotonic() + 120
            while not heard.seconds:  # until it answers
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the worker does not answer ({process.returncode})")
                _send(producer, job, number, rng)
                number += 1
                time.sleep(0.25)
            used, started = cpu_seconds(process.pid), time.perf_counter()
            for sent in range(int(rate * seconds)):
                _send(producer, job, number, rng)
                number += 1
                time.sleep(max(0.0, started + (sent + 1) / rate - time.perf_counter()))
            used = (cpu_seconds(process.pid) - used) / (time.perf_counter() - started)
            producer.flush()
            heard.wait_for(number)
    steady = sorted(heard.seconds[int(rate * 2) :])  # the first two seconds are the start's
    return {
        "p50_ms": round(steady[len(steady) // 2] * 1e3, 2),
        "p99_ms": round(steady[int(len(steady) * 0.99)] * 1e3, 2),
        "max_ms": round(steady[-1] * 1e3, 1),
        "cpu_percent": round(used * 100, 1),
        "answers": len(heard.seconds),
    }


def _send(producer: Producer, job: Job, number: int, rng: Random) -> None:
    key, value = event(number, rng, time.time())
    producer.produce(job.events, value, key)
    producer.poll(0)


class _Listener:
    """Reads answers in a thread of its own and notes how long each took."""

    def __init__(self, job: Job) -> None:
        self.seconds: list[float] = []
        self._reader = _reader(job)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._reader.close()

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 30
        while len(self.seconds) < count and time.monotonic() < end:
            time.sleep(0.01)
        if len(self.seconds) < count:
            raise TimeoutError(f"{len(self.seconds)} of {count} answers")

    def _listen(self) -> None:
        while not self._ended.is_set():
            message = self._reader.poll(0.1)
            if message is not None and not message.error():
                made_at = orjson.loads(message.value() or b"{}")["made_at"]
                self.seconds.append(time.time() - made_at)
