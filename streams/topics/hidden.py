"""What was written and readers are not given, because a transaction before it does not end.

Readers of committed records stop there, and count no lag. A transaction is usually over in milliseconds, and the
broker aborts it when its time is over; one that Kafka has forgotten (KAFKA-20734) stays open.
"""

import time
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition

from streams.clock import utc
from streams.offsets import ends
from streams.settings import Settings

OLD_SECONDS = 60.0
"""None of ours lives longer than 15 s, and none of a booking system's with Kafka's defaults longer than this."""
LOOK_AGAIN_SECONDS = 1.0
"""What is old may have been written just now, with a time of long ago: then it moves."""
TIMEOUT_SECONDS = 10.0


class Hidden(NamedTuple):
    place: str
    """TOPIC/PARTITION, without the prefix."""
    since: datetime
    """When the first record was made that nobody is given."""


def hidden(settings: Settings, topics: Collection[str]) -> list[Hidden]:
    """Where in these topics (names without the prefix) records have been hidden for long.

    Raises KafkaException, or TimeoutError when the brokers fall silent.
    """
    numbers = range(settings.partitions)
    places = [TopicPartition(settings.topic_prefix + topic, number) for topic in topics for number in numbers]
    client = settings.kafka_client_config()
    last = ends(client, places, IsolationLevel.READ_UNCOMMITTED)
    stable = ends(client, places, IsolationLevel.READ_COMMITTED)
    unstable = [TopicPartition(at.topic, at.partition, stable[at]) for at in places if stable[at] < last[at]]
    latest = settings.clock().now() - OLD_SECONDS
    old = {at: made_at for at, made_at in _made_at(settings, unstable).items() if made_at < latest}
    if old:
        time.sleep(LOOK_AGAIN_SECONDS)
        again = ends(client, old, IsolationLevel.READ_COMMITTED)
        old = {at: made_at for at, made_at in old.items() if again[at] == stable[at]}
    return [
        Hidden(f"{at.topic.removeprefix(settings.topic_prefix)}/{at.partition}", utc(made_at))
        for at, made_at in old.items()
    ]


def _made_at(settings: Settings, starts: Collection[TopicPartition]) -> dict[TopicPartition, float]:
    """When the first record from each of these offsets on was made, committed or not: seconds since the epoch."""
    found: dict[TopicPartition, float] = {}
    if not starts:
        return found
    waiting = set(starts)
    consumer = Consumer(
        {
            **settings.kafka_client_config(),
            "group.id": f"{settings.topic_prefix}staffetta-doctor",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
        }
    )
    try:
        consumer.assign(list(starts))
        while waiting:
            message = consumer.poll(TIMEOUT_SECONDS)
            if message is None:
                raise TimeoutError(f"no answer of the brokers within {TIMEOUT_SECONDS:.0f} s")
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            at = TopicPartition(message.topic() or "", message.partition() or 0)
            if error is None:
                found.setdefault(at, message.timestamp()[1] / 1000)
            waiting.discard(at)
    finally:
        consumer.close()
    return found
