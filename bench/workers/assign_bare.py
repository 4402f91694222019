"""The yardstick of the role: the same `Assign.step` on the same rows, in a bare confluent-kafka loop.

A transaction around each batch, with the changed rows on the changelog, the outputs and the offsets inside. No
recovery, no fencing per partition, no rebalance, nothing against records that kill.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import orjson
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from agents.assign import Assign
from bench.job import Job
from bench.workers.bare import consumer_settings, next_messages, producer_settings
from schemas import CONTENT_TYPE_HEADER
from streams.batch import Batch, Effects, Record
from streams.clock import ScaledClock
from streams.state import State, row_key
from streams.topics import changelog


class Fetched(NamedTuple):
    """See `streams.batch.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Loop:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._role = Assign(job.partitions)
        self._states = {number: State(number, Assign.tables) for number in range(job.partitions)}
        for state in self._states.values():
            self._role.recovered(state)
        self._clock = ScaledClock(job.clock_origin, job.clock_started_at)
        self._changelog = job.prefix + changelog("assign").name
        group = f"{job.prefix}staffetta-assign"
        self._consumer = Consumer(consumer_settings(job, group))
        self._producer = Producer(producer_settings(job, f"{group}-0"))

    def run(self) -> None:
        self._producer.init_transactions(30)
        self._consumer.subscribe([self._job.prefix + topic for topic in Assign.topics])
        while True:
            messages = next_messages(self._consumer, self._job.latency)
            if messages:
                self._apply(messages)

    def _apply(self, messages: list[Message]) -> None:
        fetched: dict[int, dict[str, list[Fetched]]] = defaultdict(lambda: {topic: [] for topic in Assign.topics})
        cut = len(self._job.prefix)
        for message in messages:
            record = _record(message)
            fetched[record.partition][record.topic[cut:]].append(record)
        self._producer.begin_transaction()
        ends: list[TopicPartition] = []
        for number, topics in fetched.items():
            state = self._states[number]
            runs: list[tuple[str, Sequence[Record]]] = [
                (topic, records) for topic, records in topics.items() if records
            ]
            effects = self._role.step(Batch(state, runs, self._clock.now()), state)
            self._write(state, effects)
            state.committed()
            ends += [
                TopicPartition(self._job.prefix + topic, number, end) for topic, end in state.positions.items()
            ]
        self._producer.send_offsets_to_transaction(ends, self._consumer.consumer_group_metadata(), 10)
        self._producer.commit_transaction(10)

    def _write(self, state: State, effects: Effects) -> None:
        produce, number = self._producer.produce, state.partition
        produce(self._changelog, orjson.dumps(state.positions), row_key("positions", "", ""), number)
        for table, scope, key, value in state.changes():
            produce(self._changelog, value, row_key(table, scope, key), number)
        headers, timestamp = [CONTENT_TYPE_HEADER], int(self._clock.now() * 1000)
        for out in effects.outputs:
            topic = self._job.prefix + out.topic
            produce(topic, out.value, out.key, out.partition, None, None, timestamp, headers)
        self._producer.poll(0)


def _record(message: Message) -> Fetched:
    return Fetched(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


if __name__ == "__main__":
    Loop(Job.given()).run()
