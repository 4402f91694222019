"""Rows from their changelogs, up to the stable end, reading only what is new since the last time."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.lane.settings import LaneSettings

log = logging.getLogger("staffetta.lane")

Place = tuple[str, int]
"""(changelog topic, partition)"""
Apply = Callable[[str, int, bytes, bytes | None], None]
"""(changelog topic, partition, key, value)"""

STALLED_AFTER = 30.0
"""Seconds without a record or an end reached before loading is given up."""


def load(
    settings: LaneSettings,
    places: Iterable[Place],
    loaded: Mapping[Place, int],
    apply: Apply,
    progress: Callable[[], None],
) -> dict[Place, int]:
    """Apply every committed record of `places` from `loaded` (default: the beginning) to the end.

    The end is asked for here: call this after the fence, so that nobody else can add to it. An end that lies
    beyond the last record (transaction markers) is reached all the same: the broker reports the end of the
    partition. Returns the next offset of each place. Raises KafkaException, or TimeoutError when nothing moves.
    """
    ends = _ends(settings, places)
    positions = {place: loaded.get(place, 0) for place in ends}
    if ahead := [place for place, end in ends.items() if positions[place] > end]:
        raise ValueError(f"{ahead} lack records that were there before")
    todo = {place for place, end in ends.items() if positions[place] < end}
    count = 0
    consumer = Consumer(
        {
            **settings.kafka,
            "group.id": f"{settings.group}-load",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 5,
            "queued.max.messages.kbytes": 65_536,
        }
    )
    try:
        consumer.assign(
            [
                TopicPartition(topic, number, loaded.get((topic, number), OFFSET_BEGINNING))
                for topic, number in todo
            ]
        )
        moved = time.monotonic()
        while todo:
            progress()
            messages = consumer.consume(5000, 0.05)
            if messages:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALLED_AFTER:
                raise TimeoutError(f"loading does not move on: {sorted(todo)}")
            for message in messages:
                place = (str(message.topic()), int(message.partition() or 0))
                error = message.error()
                if error is None:
                    apply(*place, message.key() or b"", message.value())
                    count += 1
                    positions[place] = int(message.offset() or 0) + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    if int(message.offset() or 0) >= ends[place]:
                        positions[place] = int(message.offset() or 0)
                        todo.discard(place)
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
    finally:
        consumer.close()
    log.info("read %d records of %d changelog partitions", count, len(ends))
    return positions


def _ends(settings: LaneSettings, places: Iterable[Place]) -> dict[Place, int]:
    asked = {TopicPartition(*place): OffsetSpec.latest() for place in places}
    if not asked:
        return {}
    admin = AdminClient(settings.kafka)  # without a name it would be gone before its answers are there
    found = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=20)
    return {(at.topic, at.partition): int(answer.result().offset) for at, answer in found.items()}
