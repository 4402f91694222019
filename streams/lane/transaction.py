"""One partition number's transactional producer: it fences whoever wrote before, and commits a batch as one."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.batch import Output
from streams.lane.settings import LaneSettings

Headers = list[tuple[str, bytes]]


class Transactions:
    """The writer of one partition number. Blocking: call it in an executor."""

    def __init__(self, settings: LaneSettings, changelog: str, partition: int, headers: Headers) -> None:
        """`headers`: of the outputs."""
        self._headers = headers
        self._changelog = changelog
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

    def commit(self, rows: Sequence[tuple[bytes, bytes | None]], outputs: Iterable[Output], timestamp: int) -> int:
        """Write all of it, or nothing. Returns the changelog's offset after the last row.

        `rows`: (key, value), at least one. `timestamp`: of the outputs, in milliseconds; their topics lack the
        prefix. The group's offsets are not among it: positions are one of the rows, and the fence alone refuses a
        writer whose time is over. Raises KafkaException: then nobody knows, and the process must end.
        """
        changelog, partition = self._changelog, self._partition
        headers, prefix, offset = self._headers, self._prefix, 0

        def delivered(error: KafkaError | None, message: Message) -> None:
            nonlocal offset
            offset = int(message.offset() or 0)

        end = time.monotonic() + self._deadline
        self._producer.begin_transaction()
        self._produce((changelog, row, key, partition) for key, row in rows[:-1])
        key, row = rows[-1]
        self._produce([(changelog, row, key, partition, delivered)])
        self._produce(
            (prefix + out.topic, out.value, out.key, out.partition, None, None, timestamp, headers)
            for out in outputs
        )
        self._insist(end, self._producer.commit_transaction)
        return offset + 1

    def end_hanging(self, key: bytes, row: bytes | None, *, commit: bool) -> None:
        """End what this producer's predecessor has left open in the changelog: a transaction ends all that is open
        of its producer in the partitions that it writes to. The row is written once more, or not at all."""
        end = time.monotonic() + self._deadline
        self._producer.begin_transaction()
        self._produce([(self._changelog, row, key, self._partition)])
        if commit:
            self._insist(end, self._producer.commit_transaction)
        else:
            self._producer.flush(self._deadline)
            self._insist(end, self._producer.abort_transaction)

    def _produce(self, records: Iterable[tuple[Any, ...]]) -> None:
        """Each by position, for speed: topic, value, key, partition, callback, on_delivery, timestamp, headers."""
        produce, poll = self._producer.produce, self._producer.poll
        for record in records:
            while True:
                try:
                    produce(*record)
                    break
                except BufferError:  # librdkafka's queue is full: let it send some
                    poll(0.05)

    def _insist(self, end: float, call: Callable[..., Any], *arguments: Any) -> None:
        """Call, with a time-out as the last argument, until it succeeds; until `end`, while that makes sense."""
        while True:
            try:
                call(*arguments, max(0.1, end - time.monotonic()))
                return
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > end:
                    raise
