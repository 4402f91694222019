"""The yardstick: a bare confluent-kafka loop, a transaction around each batch, state and offsets inside.

No recovery, no fencing per partition, no rebalance: less than what is needed, and as fast as it gets.
"""

from typing import Any

import orjson
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from bench.job import Job
from bench.loads.bookings import State, decide


def consumer_settings(job: Job, group: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": job.brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "fetch.wait.max.ms": 10 if job.latency else 500,
    }


def producer_settings(job: Job, transactional_id: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": job.brokers,
        "transactional.id": transactional_id,
        "linger.ms": 0 if job.latency else 5,
        "queue.buffering.max.messages": 1_000_000,
        "partitioner": "murmur2_random",
        "retry.backoff.ms": 10,
    }


def next_messages(consumer: Consumer, latency: bool) -> list[Message]:
    if not latency:
        messages = consumer.consume(5000, 0.05)
    else:
        first = consumer.poll(0.2)
        messages = [] if first is None else [first, *consumer.consume(500, 0)]
    return [message for message in messages if not message.error()]


def main(job: Job) -> None:
    consumer, producer = Consumer(consumer_settings(job, job.group)), Producer(producer_settings(job, job.group))
    producer.init_transactions(30)
    consumer.subscribe([job.events])
    states: dict[bytes, State] = {}
    while True:
        messages = next_messages(consumer, job.latency)
        if not messages:
            continue
        touched: dict[bytes, int] = {}
        ends: dict[int, int] = {}
        producer.begin_transaction()
        for message in messages:
            key, partition = message.key() or b"", message.partition() or 0
            answer = decide(states.setdefault(key, {}), message.value() or b"")
            producer.produce(job.decisions, answer, key)
            touched[key], ends[partition] = partition, (message.offset() or 0) + 1
        for key, partition in touched.items():
            producer.produce(job.changelog, orjson.dumps(states[key]), key, partition)
        offsets = [TopicPartition(job.events, partition, end) for partition, end in ends.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 10)
        producer.commit_transaction(10)


if __name__ == "__main__":
    main(Job.given())
