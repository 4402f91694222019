"""One partition number's transactional producer: it fences whoever wrote before, and commits a batch as one."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from streams.batch import Output
from streams.lane.settings import LaneSettings

Headers = list[tuple[str, bytes]]


class Transactions:
    """The writer of one partition number. Blocking: call it in an executor."""

    def __init__(self, settings: LaneSettings, partition: int, headers: Headers) -> None:
        self._headers = headers
        self._partition = partition
        self._prefix = settings.topic_prefix
        self._deadline = settings.transaction_timeout * 0.8
        """Below the broker's own limit, so that a commit is given up before the broker aborts it."""
        self._producer = Producer(
            {
                **settings.kafka,
                "transactional.id": f"{settings.group}-{partition}",
                "transaction.timeout.ms": int(settings.transaction_timeout * 1000),
                "acks": "all",
                # The Java clients' partitioner, so that every language agrees where a key lives.
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "batch.size": 1_000_000,
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 1_048_576,
                # librdkafka waits this long while the markers of the previous transaction are being
                # written; its default of 100 ms would be the latency of every second transaction.
                "retry.backoff.ms": 10,
                "retry.backoff.max.ms": 1000,
                # By default up to 10 s pass until a broker is noticed that is back.
                "reconnect.backoff.max.ms": 1000,
                "message.max.bytes": 8 * 1024 * 1024,
            }
        )

    def fence(self) -> None:
        """End the transaction of whoever wrote before, and refuse all it may still try."""
        self._insist(time.monotonic() + self._deadline, self._producer.init_transactions)

    def commit(
        self,
        changelog: Mapping[str, Sequence[tuple[bytes, bytes | None]]],
        outputs: Iterable[Output],
        offsets: list[TopicPartition],
        metadata: bytes,
        timestamp: int,
        on_changelog: Callable[[str, int], None],
    ) -> None:
        """Write all of it, or nothing. `timestamp`: of the outputs, in milliseconds; their topics lack the prefix.

        `changelog`: topic -> (key, value) of each changed row. `on_changelog(topic, next offset)` is called for
        the last record of each before this returns. Raises KafkaException: then nobody knows, and the process
        must end.
        """
        producer, headers = self._producer, self._headers

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                on_changelog(str(message.topic()), int(message.offset() or 0) + 1)

        end = time.monotonic() + self._deadline
        producer.begin_transaction()
        for topic, rows in changelog.items():
            last = len(rows) - 1
            for index, (key, row) in enumerate(rows):
                self._produce(topic, row, key, self._partition, delivered if index == last else None)
        for topic, name, content, partition in outputs:
            self._produce(self._prefix + topic, content, name, partition, None, None, timestamp, headers)
        if offsets:
            self._insist(end, producer.send_offsets_to_transaction, offsets, metadata)
        self._insist(end, producer.commit_transaction)

    def _produce(self, *record: Any) -> None:
        """By position, for speed: topic, value, key, partition, callback, on_delivery, timestamp, headers."""
        while True:
            try:
                self._producer.produce(*record)
                return
            except BufferError:  # librdkafka's queue is full: let it send some
                self._producer.poll(0.05)

    def _insist(self, end: float, call: Callable[..., Any], *arguments: Any) -> None:
        """Call, with a time-out as the last argument, until it succeeds; until `end`, while that makes sense."""
        while True:
            try:
                call(*arguments, max(0.1, end - time.monotonic()))
                return
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > end:
                    raise
