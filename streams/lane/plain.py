"""Outputs outside of any transaction, for a store that keeps its positions elsewhere."""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.batch import Output
from streams.lane.settings import LaneSettings
from streams.lane.transaction import Headers

STALLED_AFTER = 30.0
"""Seconds within which the brokers must have taken everything over."""


class PlainWriter:
    """Blocking; may be called by several threads at once."""

    def __init__(self, settings: LaneSettings, headers: Headers) -> None:
        self._prefix, self._headers, self._clock = settings.topic_prefix, headers, settings.clock
        self._producer = Producer(
            {
                **settings.kafka,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.max.bytes": 8 * 1024 * 1024,
            }
        )

    def write(self, outputs: Sequence[Output], progress: Callable[[], None]) -> None:
        """Return when the brokers have them all. Raises KafkaException or TimeoutError: nobody knows which."""
        results: list[KafkaError | None] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            results.append(error)

        timestamp = int(self._clock.now() * 1000)
        for out in outputs:
            place = self._prefix + out.topic, out.value, out.key, out.partition
            self._producer.produce(*place, delivered, None, timestamp, self._headers)
        end = time.monotonic() + STALLED_AFTER
        while len(results) < len(outputs):
            if time.monotonic() > end:
                raise TimeoutError(f"the brokers took {len(results)} of {len(outputs)} records in time")
            progress()
            self._producer.poll(0.05)
        for error in filter(None, results):
            raise KafkaException(error)
