"""Latency: events come at a steady pace, and the answers are read as soon as they are committed."""

import threading
import time
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, TopicPartition

from bench.job import Job
from bench.kafka import Load, Progress, producer, send, topics, write
from bench.process import cpu_seconds, peak_mebibytes, status, worker

WARM_UP = 3.0
"""Seconds of events that are not measured."""


def latency(
    module: str, brokers: str, load: Load, rate: float, seconds: float, partitions: int = 4
) -> dict[str, Any]:
    """`rate` events/s: milliseconds from making an event to reading its committed answer."""
    with topics(brokers, load, partitions, latency=True) as job, worker(module, job) as process:
        progress = Progress(job, load)
        progress.wait_for(write(job, load.before()), process)
        with _Listener(job, load) as heard:
            to, warm_up = producer(job, 0), int(rate * WARM_UP)
            used, started = 0.0, time.perf_counter()
            for number, made in enumerate(load.events(warm_up + int(rate * seconds))):
                time.sleep(max(0.0, started + number / rate - time.perf_counter()))
                if number == warm_up:
                    used, since = cpu_seconds(process.pid), time.perf_counter()
                if number >= warm_up:
                    heard.made_at[made.id] = time.perf_counter()
                timestamp = int((job.clock_origin + time.time() - job.clock_started_at) * 1000)
                send(to, job, made._replace(timestamp=timestamp))
                to.poll(0)
            used = (cpu_seconds(process.pid) - used) / (time.perf_counter() - since)
            to.flush()
            progress.wait_for(progress.written(), process)
            heard.all()
            threads, peak = status(process.pid, "Threads"), peak_mebibytes(process.pid)
    steady = sorted(heard.seconds)
    return {
        "p50_ms": round(steady[len(steady) // 2] * 1e3, 2),
        "p90_ms": round(steady[int(len(steady) * 0.9)] * 1e3, 2),
        "p99_ms": round(steady[int(len(steady) * 0.99)] * 1e3, 2),
        "max_ms": round(steady[-1] * 1e3, 1),
        "cpu_percent": round(used * 100, 1),
        "answers": len(steady),
        "threads": threads,
        "peak_mib": peak,
    }


class _Listener:
    """Reads answers in a thread of its own and notes how long each took; of several to one event, the first."""

    def __init__(self, job: Job, load: Load) -> None:
        self.made_at: dict[str, float] = {}
        self.seconds: list[float] = []
        self._load = load
        self._places = [TopicPartition(job.prefix + load.answers, number) for number in range(job.partitions)]
        self._reader = Consumer(
            {
                "bootstrap.servers": job.brokers,
                "group.id": f"{job.group}-reader",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 100,
            }
        )
        self._read: dict[int | None, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._reader.assign([TopicPartition(at.topic, at.partition, 0) for at in self._places])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._reader.close()

    def all(self) -> None:
        """Wait until everything is read that is there."""
        ends = {at.partition: self._reader.get_watermark_offsets(at, timeout=10)[1] for at in self._places}
        while any(self._read.get(number, 0) < end for number, end in ends.items()):
            time.sleep(0.02)

    def _listen(self) -> None:
        while not self._ended.is_set():
            message = self._reader.poll(0.1)
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                self._read[message.partition()] = message.offset() or 0  # beyond the last marker
            elif error is None:
                now = time.perf_counter()
                made_at = self.made_at.pop(self._load.caused_by(message.value() or b""), None)
                if made_at is not None:
                    self.seconds.append(now - made_at)
