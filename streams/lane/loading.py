"""Rows from their changelog, up to the stable end, reading only what is new since the last time."""

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

from streams.lane.settings import LaneSettings
from streams.offsets import ends

log = logging.getLogger("staffetta.lane")

Apply = Callable[[int, bytes, bytes | None], None]
"""(partition, key, value)"""

STALLED_AFTER = 30.0
"""Seconds without a record or an end reached before loading is given up."""


def load(
    settings: LaneSettings,
    changelog: str,
    loaded: Mapping[int, int],
    apply: Apply,
    progress: Callable[[], None],
) -> dict[int, int]:
    """Apply every committed record of the partitions in `loaded`, from the offset there (0: all) to the end.

    The end is asked for here: call this after the fence, so that nobody else can add to it. An end that lies
    beyond the last record (transaction markers) is reached all the same: the broker reports the end of the
    partition. Returns the next offset of each. Raises KafkaException, or TimeoutError when nothing moves.
    """
    until = ends_of(settings, changelog, loaded, IsolationLevel.READ_COMMITTED)
    positions = dict(loaded)
    if ahead := [number for number, end in until.items() if positions[number] > end]:
        raise ValueError(f"partitions {ahead} of {changelog} lack records that were there before")
    todo = {number for number, end in until.items() if positions[number] < end}
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
        consumer.assign([TopicPartition(changelog, number, loaded[number] or OFFSET_BEGINNING) for number in todo])
        moved = time.monotonic()
        while todo:
            progress()
            messages = consumer.consume(5000, 0.05)
            if messages:
                moved = time.monotonic()
            elif time.monotonic() - moved > STALLED_AFTER:
                raise TimeoutError(f"loading partitions {sorted(todo)} of {changelog} does not move on")
            for message in messages:
                number, offset = int(message.partition() or 0), int(message.offset() or 0)
                error = message.error()
                if error is None:
                    apply(number, message.key() or b"", message.value())
                    count += 1
                    positions[number] = offset + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    if offset >= until[number]:
                        positions[number] = offset
                        todo.discard(number)
                elif error.fatal() or not error.retriable():
                    raise KafkaException(error)
    finally:
        consumer.close()
    log.info("read %d records of %d partitions of %s", count, len(until), changelog)
    return positions


def ends_of(
    settings: LaneSettings, changelog: str, numbers: Iterable[int], isolation: IsolationLevel
) -> dict[int, int]:
    """Behind the last record of these partitions that such a reader is given."""
    places = [TopicPartition(changelog, number) for number in numbers]
    return {place.partition: end for place, end in ends(settings.kafka, places, isolation).items()}
