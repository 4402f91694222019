"""The producer client: records to Kafka, acknowledged, in order, stamped by the one clock."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.clock import Clock
from streams.errors import UserError

DELIVERY_SECONDS = 30.0
"""How long a record may take to be acknowledged, unless somebody waits who is less patient."""

_EXPLAINED = {
    KafkaError._MSG_TIMED_OUT: "no broker acknowledged it in time",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "there is no such topic: run `staffetta topics apply`",
    KafkaError._UNKNOWN_TOPIC: "there is no such topic: run `staffetta topics apply`",
    KafkaError._UNKNOWN_PARTITION: "there is no such topic: run `staffetta topics apply`",
    KafkaError.INVALID_TIMESTAMP: (
        "its timestamp is too far from the brokers' time (see message.timestamp.after.max.ms of the topic): "
        "choose another STAFFETTA_CLOCK_ORIGIN or a lower STAFFETTA_CLOCK_SPEED"
    ),
    KafkaError.MSG_SIZE_TOO_LARGE: "it is larger than the topic's max.message.bytes",
}


class Addressed(Protocol):
    """What is to be sent. `topic` has no prefix; `label` is by which a failure names it; partition -1: it follows
    from the key."""

    @property
    def label(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...
    @property
    def partition(self) -> int: ...


class EventProducer:
    """Sends records in order; each partition holds them in that order, whatever is retried in between."""

    def __init__(
        self,
        client: Mapping[str, str],
        topic_prefix: str,
        clock: Clock,
        delivery_seconds: float = DELIVERY_SECONDS,
    ) -> None:
        """`client`: librdkafka's connection properties."""
        self._prefix = topic_prefix
        self._clock = clock
        self._failure: UserError | None = None
        self.acknowledged = 0
        self._producer = Producer(
            {
                **client,
                "acks": "all",
                "enable.idempotence": True,
                "message.max.bytes": 8 * 1024 * 1024,  # what is too large, the topic says
                "partitioner": "murmur2_random",  # as the Java clients', so that all producers agree
                "linger.ms": 5,
                "message.timeout.ms": int(delivery_seconds * 1000),
                "log_level": 0,
            }
        )

    def send(self, event: Addressed) -> None:
        """Hand over to the sending thread; waits while its queue is full. Raises UserError once one has failed."""
        self.serve(0)
        while True:
            try:
                self._producer.produce(
                    self._prefix + event.topic,
                    key=event.key,
                    value=event.value,
                    headers=list(event.headers),
                    partition=event.partition,
                    timestamp=int(self._clock.now() * 1000),
                    on_delivery=partial(self._delivered, event.label),
                )
            except BufferError:
                self.serve(0.5)
            except KafkaException as error:
                raise self._explained(event.label, self._prefix + event.topic, error.args[0]) from error
            else:
                return

    def serve(self, seconds: float) -> None:
        """Take in acknowledgements, waiting up to `seconds` for some."""
        self._producer.poll(seconds)
        self._raise_failure()

    def settle(self) -> None:
        """Wait until everything sent so far is acknowledged. Raises UserError if something was not."""
        while self._failure is None and self._producer.flush(1):
            pass
        self._raise_failure()

    def discard(self) -> None:
        """Forget what is not acknowledged yet."""
        self._producer.purge()
        self._producer.flush(1)

    def _delivered(self, label: str, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged += 1
        elif self._failure is None:
            self._failure = self._explained(label, message.topic() or "", error)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _explained(self, label: str, topic: str, error: KafkaError) -> UserError:
        why = _EXPLAINED.get(error.code(), error.str())
        return UserError(f"{label} could not be written to {topic}: {why}")
