"""Everything in a cluster's topics that is committed, and how far the roles have got."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from schemas import Event, Ignored, Refused, decode
from streams.settings import Settings

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it was read; `topic` without prefix, `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @property
    def place(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent as JSON; raises ValueError for what is none."""
        event: dict[str, Any] = orjson.loads(self.value or b"")
        return event


Log = dict[str, list[Entry]]
"""Topic -> its committed records, by partition and offset."""


def readable(log: Log, topic: str, partitions: int) -> Iterator[tuple[Entry, Event]]:
    """The topic's records that can be read and whose type is known, with their events."""
    for entry in log.get(topic, ()):
        try:
            yield entry, decode(topic, entry, partitions)
        except (Refused, Ignored):
            continue


def read(settings: Settings, topics: Iterable[str]) -> Log:
    """Up to the end as it is now. Raises KafkaException, or TimeoutError when the broker falls silent."""
    consumer = _consumer(settings)
    found: Log = defaultdict(list)
    try:
        places, prefix = _places(settings, topics), settings.topic_prefix
        consumer.assign([TopicPartition(place.topic, place.partition, OFFSET_BEGINNING) for place in places])
        waiting = {(place.topic.removeprefix(prefix), place.partition) for place in places}
        moved = time.monotonic()
        while waiting:
            messages = consumer.consume(5000, 0.1)
            if messages:
                moved = time.monotonic()
            elif time.monotonic() - moved > SECONDS:
                raise TimeoutError(f"no end of {sorted(waiting)} within {SECONDS:.0f} s")
            for message in messages:
                topic, number = (message.topic() or "").removeprefix(prefix), message.partition() or 0
                error = message.error()
                if error is None:
                    offset, (_, timestamp) = message.offset() or 0, message.timestamp()
                    content = message.key(), message.value(), message.headers() or ()
                    found[topic].append(Entry(topic, number, offset, timestamp, *content))
                elif error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard((topic, number))
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    for entries in found.values():
        entries.sort(key=lambda entry: (entry.partition, entry.offset))
    return found


def lag(settings: Settings, role: str, topics: Iterable[str]) -> int:
    """Records that the role's group has not committed yet."""
    consumer = _consumer(settings, f"{settings.topic_prefix}staffetta-{role}")
    try:
        behind = 0
        for place in consumer.committed(_places(settings, topics), timeout=SECONDS):
            start, end = consumer.get_watermark_offsets(place, timeout=SECONDS)
            behind += end - max(place.offset, start)
        return behind
    finally:
        consumer.close()


def ends(settings: Settings, topics: Iterable[str]) -> list[int]:
    """Behind the last committed record of each partition of the topics, in a fixed order."""
    consumer = _consumer(settings)
    try:
        places = _places(settings, topics)
        return [consumer.get_watermark_offsets(place, timeout=SECONDS)[1] for place in places]
    finally:
        consumer.close()


def _places(settings: Settings, topics: Iterable[str]) -> list[TopicPartition]:
    return [
        TopicPartition(settings.topic_prefix + topic, number)
        for topic in topics
        for number in range(settings.partitions)
    ]


def _consumer(settings: Settings, group: str | None = None) -> Consumer:
    return Consumer(
        {
            **settings.kafka_client_config(),
            "group.id": group or f"staffetta-audit-{uuid4().hex}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 10,
            "log_level": 3,
        }
    )
