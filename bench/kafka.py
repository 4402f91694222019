"""Topics of their own for each run, what is written into them, and how far a worker has come."""

import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from bench.job import Job
from bench.process import Process, cpu_seconds, machine_cpu_seconds, must_run
from schemas import CONTENT_TYPE_HEADER

T = TypeVar("T")
PATIENCE = 90.0
"""Seconds without progress after which a worker is given up."""


class Made(NamedTuple):
    """An event made for a worker. `topic` lacks the group's name; `id` is what its answer will name."""

    topic: str
    key: bytes
    value: bytes
    id: str
    timestamp: int = 0
    """Milliseconds; 0: as of now."""


class Load(Protocol):
    """What the workers of a comparison are given to do."""

    inputs: Sequence[str]
    """Topics without the group's name."""
    answers: str
    origin: float
    """What the business clock shows at the start; 0: the real time."""

    def group(self, job: Job) -> str: ...
    def topics(self, job: Job) -> list[str]:
        """All that must exist, full names. Those that end with `changelog` are compacted."""
        ...

    def before(self) -> Iterable[Made]:
        """What must be applied before anything is measured."""
        ...

    def events(self, count: int) -> Iterable[Made]: ...
    def caused_by(self, answer: bytes) -> str:
        """The `id` of the event that an answer is to."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """At `at` seconds so much was done; the worker had used `cpu` seconds, the machine `all_cpu`."""

    at: float
    count: int
    """Of a worker: the offsets of its answers, committed ones and the markers of transactions; of a server: the
    messages that it has taken."""
    cpu: float
    all_cpu: float
    applied: int = 0
    """Events, by the offsets that the group committed: some workers do so each second only."""


@contextmanager
def topics(brokers: str, load: Load, partitions: int, *, latency: bool = False) -> Iterator[Job]:
    """A group and topics of its own for one run."""
    admin = AdminClient({"bootstrap.servers": brokers})
    with tempfile.TemporaryDirectory(prefix="staffetta-bench-") as folder:
        group = f"bench-{uuid.uuid4().hex[:8]}"
        job = Job(brokers, group, partitions, folder, latency, load.origin or time.time(), time.time())
        names = load.topics(job)
        wanted = [NewTopic(name, partitions, 1, config=_config(name)) for name in names]
        for created in admin.create_topics(wanted).values():
            created.result(30)
        try:
            yield job
        finally:
            for deleted in admin.delete_topics(names).values():
                deleted.result(30)


def _config(name: str) -> dict[str, str]:
    policy = "compact" if name.endswith("changelog") else "delete"
    # The days that are played are not today.
    return {"cleanup.policy": policy, "retention.ms": "-1", "message.timestamp.after.max.ms": str(2**53)}


def producer(job: Job, linger_ms: int) -> Producer:
    return Producer(
        {
            "bootstrap.servers": job.brokers,
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 2_000_000,
            "partitioner": "murmur2_random",
        }
    )


def send(to: Producer, job: Job, made: Made) -> None:
    headers = [CONTENT_TYPE_HEADER]
    to.produce(job.prefix + made.topic, made.value, made.key, timestamp=made.timestamp, headers=headers)


def write(job: Job, events: Iterable[Made]) -> int:
    """How many."""
    to, count = producer(job, 50), 0
    for made in events:
        send(to, job, made)
        count += 1
    to.flush()
    return count


def count_answers(job: Job, load: Load) -> int:
    """How many committed answers there are."""
    reader = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": f"{job.group}-counter",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    topic, count, at_end = job.prefix + load.answers, 0, set[int | None]()
    reader.assign([TopicPartition(topic, number, 0) for number in range(job.partitions)])
    while len(at_end) < job.partitions:
        for message in reader.consume(5000, 0.5):
            error = message.error()
            if error is None:
                count += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                at_end.add(message.partition())
    reader.close()
    return count


def _patiently(ask: Callable[[], T]) -> T:
    """A broker needs a moment to lead partitions that were just made, and to know a new group's coordinator."""
    end = time.monotonic() + 30
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


class Progress:
    """How far a worker has come with a load, told from outside by what is committed."""

    def __init__(self, job: Job, load: Load) -> None:
        group = load.group(job)
        self._asker = Consumer({"bootstrap.servers": job.brokers, "group.id": group, "enable.auto.commit": False})
        self._admin = AdminClient({"bootstrap.servers": job.brokers})
        self._places = [
            TopicPartition(job.prefix + topic, number) for topic in load.inputs for number in range(job.partitions)
        ]
        self._answers = {
            TopicPartition(job.prefix + load.answers, number): OffsetSpec.latest()
            for number in range(job.partitions)
        }

    def answered(self) -> int:
        """Offsets of the answers, all partitions together."""

        def ends() -> int:
            asked = IsolationLevel.READ_COMMITTED
            found = self._admin.list_offsets(self._answers, isolation_level=asked, request_timeout=10)
            return sum(int(end.result().offset) for end in found.values())

        return _patiently(ends)

    def applied(self) -> int:
        """Events, by the offsets that the group committed."""
        places = _patiently(lambda: self._asker.committed(self._places, timeout=10))
        return sum(max(0, place.offset) for place in places)

    def wait_for(self, count: int, worker: Process) -> list[Sample]:
        """Until so many events are applied; how it went."""
        samples: list[Sample] = []
        moved = time.monotonic()
        while not samples or samples[-1].applied < count:
            must_run(worker)
            applied, answered = self.applied(), self.answered()  # first: a busy broker takes its time
            used = cpu_seconds(worker.pid), machine_cpu_seconds()
            sample = Sample(time.perf_counter(), answered, *used, applied)
            if not samples or (answered, applied) != (samples[-1].count, samples[-1].applied):
                moved = time.monotonic()
            elif time.monotonic() - moved > PATIENCE:
                raise TimeoutError(f"stalled at {applied} of {count}")
            samples.append(sample)
            time.sleep(0.02)
        return samples

    def written(self) -> int:
        return sum(self._asker.get_watermark_offsets(place, timeout=10)[1] for place in self._places)
