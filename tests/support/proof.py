"""A standing load, faults at random instants, and the guarantees checked afterwards from the topics.

The load writes numbered events and commands all the time. The checks read what was committed, and what a fresh
worker finds when it recovers: they know nothing of the workers' inner life.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from tests.support.kafka import PARTITIONS, Entry, KafkaSpace
from tests.support.waiting import wait_until
from tests.support.workers import INPUTS, LaneWorker, LaneWorkers

KEYS = [f"company-{n}" for n in range(40)]


class Load(threading.Thread):
    """Writes `rate` records a second until it is stopped, and remembers what the brokers have acknowledged."""

    def __init__(self, kafka: KafkaSpace, rate: int, rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.written: dict[str, set[str]] = {topic: set() for topic in INPUTS}
        """Topic -> the values that were acknowledged; no two records have the same."""
        self._kafka, self._rate, self._rng = kafka, rate, rng
        self._told = threading.Event()
        self._failed: KafkaError | None = None

    def run(self) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._kafka.bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "log_level": 0,
            }
        )
        numbers = count()
        while not self._told.wait(0.02):
            for _ in range(max(1, self._rate // 50)):
                topic = "commands" if self._rng.random() < 0.2 else "events"
                key, value = self._rng.choice(KEYS), f"{topic}-{next(numbers)}"
                producer.produce(self._kafka.prefix + topic, value, key, on_delivery=self._delivered)
            producer.poll(0)
        producer.flush(60)

    def finish(self) -> None:
        self._told.set()
        self.join()
        assert self._failed is None, f"the load itself was not written: {self._failed}"

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
        else:
            topic = str(message.topic()).removeprefix(self._kafka.prefix)
            self.written[topic].add((message.value() or b"").decode())


class Proof:
    """Workers under a load and under faults; supervises its workers."""

    def __init__(self, workers: LaneWorkers, rng: random.Random, size: int = 2, rate: int = 300) -> None:
        self.workers = workers
        self.rng = rng
        self.done: Counter[str] = Counter()
        self.ended: Counter[int] = Counter()
        """Exit status -> how many workers ended with it by themselves."""
        self._present: list[LaneWorker] = [workers.start() for _ in range(size)]
        self._paused: list[tuple[float, LaneWorker]] = []
        self.load = Load(workers.kafka, rate, rng)
        self.load.start()
        self._until_it_moves()

    def inject(self, faults: list[str], others: dict[str, Callable[[], None]] | None = None) -> None:
        """Carry out the faults in this order: `kill`, `pause`, `join`, `leave`, or one of `others`, by name.

        Each strikes at a random instant after the group has made progress since the one before.
        """
        known = {
            "kill": self._kill,
            "pause": self._pause,
            "join": self._join,
            "leave": self._leave,
            **(others or {}),
        }
        for fault in faults:
            self._supervise_for(self.rng.uniform(0.0, 1.5))
            known[fault]()
            self.done[fault] += 1
            self._until_it_moves()

    def settle(self) -> None:
        """Stop the load and wait until everything is applied."""
        wait_until(lambda: self._supervise() and not self._paused, "the paused ones")
        self.load.finish()
        wait_until(lambda: self._supervise() and self._lag() == 0, "lag 0", timeout_seconds=60)
        for worker in self._present:
            worker.leave()
        for worker in self._present:
            worker.ended()

    def check(self) -> None:
        """Every event is answered once, every record counted once, in the order of its key."""
        kafka = self.workers.kafka
        inputs = kafka.read_all(*INPUTS)
        self._check_load(inputs)
        answers = [entry for entry in kafka.read_all("answers") if b'"value"' in (entry.value or b"")]
        times = Counter(_answered(entry) for entry in answers)
        expected = {(entry.partition, entry.offset) for entry in inputs if entry.topic == "events"}
        doubled = {place: many for place, many in times.items() if many > 1}
        lost, alien = expected - set(times), set(times) - expected
        found = {"lost": lost, "doubled": doubled, "never written": alien}
        assert not any(found.values()), found
        _check_order(answers)
        total = Counter((entry.key or b"").decode() for entry in inputs)
        fresh = self.workers.start()
        wait_until(
            lambda: len(set(fresh.said(r'RECOVERED \{"partition":(\d+)'))) == PARTITIONS, "the fresh worker"
        )
        counts = Counter(fresh.counts())
        assert counts == total, f"counted too much: {counts - total}, too little: {total - counts}"
        assert kafka.read_all("poison") == [], "kills from outside made a dead letter"

    def _check_load(self, inputs: list[Entry]) -> None:
        """What the brokers acknowledged is there. That a record is there twice would not be the workers' doing:
        they answer for what they find."""
        there = {
            topic: {(each.value or b"").decode() for each in inputs if each.topic == topic} for topic in INPUTS
        }
        gone = {topic: self.load.written[topic] - there[topic] for topic in INPUTS}
        assert not any(gone.values()), f"acknowledged, and not there: {gone}"

    def _lag(self) -> int:
        try:
            return self.workers.lag()
        except KafkaException:  # a broker is away
            return -1

    def _until_it_moves(self) -> None:
        """Until the group has committed something that was written after now."""
        before = self._applied()
        try:
            wait_until(lambda: self._supervise() and self._applied() > before, "progress", timeout_seconds=60)
        except AssertionError as error:
            logs = "\n".join(f"worker {number}: {each.log[-1500:]}" for number, each in enumerate(self._present))
            raise AssertionError(f"{error} from {before} after {dict(self.done)}; {logs}") from None

    def _applied(self) -> int:
        try:
            return sum(self.workers.committed().values())
        except KafkaException:
            return 0

    def _supervise_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._supervise()
            time.sleep(0.02)

    def _supervise(self) -> bool:
        """Start those again that have ended; let those go on whose pause is over. True, for use in conditions."""
        for worker in [each for each in self._present if not each.is_alive]:
            self.ended[worker.ended()] += 1
            self._present.remove(worker)
            self._present.append(self.workers.start())
        for until, worker in list(self._paused):
            if time.monotonic() >= until:
                self._paused.remove((until, worker))
                worker.resume()
        return True

    def _running(self) -> LaneWorker:
        """One that is not paused; another one comes where all are."""
        paused = [worker for _, worker in self._paused]
        if len(paused) == len(self._present):
            self._join()
        return self.rng.choice([worker for worker in self._present if worker not in paused])

    def _kill(self) -> None:
        worker = self._running()
        worker.kill()
        self._present.remove(worker)
        self._present.append(self.workers.start())

    def _pause(self) -> None:
        """Beyond the session: the others take over, then it wakes up and believes that nothing has happened."""
        worker = self._running()
        worker.pause()
        self._paused.append((time.monotonic() + self.workers.session * self.rng.uniform(1.5, 2.0), worker))

    def _join(self) -> None:
        self._present.append(self.workers.start())

    def _leave(self) -> None:
        worker = self._running()
        worker.leave()
        self._present.remove(worker)
        if not self._present:
            self._join()


def _answered(answer: Entry) -> tuple[int, int]:
    """Which event it answers: its partition and offset."""
    content = orjson.loads(answer.value or b"")
    return content["partition"], content["offset"]


def _check_order(answers: list[Entry]) -> None:
    """Per key the counts rise: records were applied in the order in which they were written."""
    last: Counter[bytes | None] = Counter()
    for entry in answers:
        counted = orjson.loads(entry.value or b"")["count"]
        assert counted > last[entry.key], f"{entry} comes after {last[entry.key]}"
        last[entry.key] = counted
