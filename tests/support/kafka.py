"""What tests need of a real Kafka: topics of their own, records in, committed records out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from tests.support.waiting import wait_until

PARTITIONS = 2


class Entry(NamedTuple):
    """A record as it was read; `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class KafkaSpace:
    """A part of a cluster that belongs to one test: all its topics begin with `prefix`.

    Topics are named without the prefix, as in the contract.
    """

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def create(
        self,
        *topics: str,
        partitions: int = PARTITIONS,
        replication_factor: int = 1,
        config: Mapping[str, str] | None = None,
    ) -> None:
        """Create topics and wait until every partition has a leader."""
        names = [self.prefix + topic for topic in topics]
        wanted = [
            NewTopic(
                name,
                num_partitions=partitions,
                replication_factor=replication_factor,
                config=dict(config or {}),
            )
            for name in names
        ]
        for future in self.admin.create_topics(wanted).values():
            future.result(30)
        wait_until(lambda: all(map(self._has_leaders, names)), f"leaders of {names}")

    def _has_leaders(self, name: str) -> bool:
        found = self.admin.list_topics(name, timeout=10).topics[name]
        return bool(found.partitions) and all(each.leader >= 0 for each in found.partitions.values())

    def delete(self, topic: str) -> None:
        """And wait until it is gone."""
        name = self.prefix + topic
        self.admin.delete_topics([name])[name].result(30)
        wait_until(lambda: name not in self.admin.list_topics(timeout=10).topics, f"the end of {name}")

    def delete_group(self, group: str) -> bool:
        """False while it has members."""
        name = self.prefix + group
        try:
            self.admin.delete_consumer_groups([name])[name].result(30)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.NON_EMPTY_GROUP:
                return False
            raise
        return True

    def end(self, topic: str, partition: int) -> int:
        place = TopicPartition(self.prefix + topic, partition)
        found = self.admin.list_offsets({place: OffsetSpec.latest()})[place].result(30)
        return int(found.offset)

    def empty(self, topic: str, partition: int, *, before: int) -> None:
        """Delete the records before that offset, as retention does."""
        place = TopicPartition(self.prefix + topic, partition, before)
        self.admin.delete_records([place])[place].result(30)

    def set_group(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """As `kafka-consumer-groups.sh --reset-offsets` does; `offsets`: by topic and partition."""
        places = [TopicPartition(self.prefix + topic, number, at) for (topic, number), at in offsets.items()]
        wanted = [ConsumerGroupTopicPartitions(self.prefix + group, places)]
        self.admin.alter_consumer_group_offsets(wanted)[self.prefix + group].result(30)

    def delete_all(self) -> None:
        names = [name for name in self.admin.list_topics(timeout=10).topics if name.startswith(self.prefix)]
        if names:
            for future in self.admin.delete_topics(names).values():
                future.result(30)

    def produce(
        self,
        topic: str,
        records: Iterable[tuple[str | bytes | None, str | bytes | None]],
        *,
        partition: int = -1,
        timestamp: int = 0,
        headers: Sequence[tuple[str, bytes]] = (),
        compression: str = "none",
    ) -> list[Entry]:
        """Write (key, value) pairs, placed as Java clients place them, and wait until all are written."""
        written: list[Entry] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise KafkaException(error)
            written.append(self._entry(message))

        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 1,
                "compression.type": compression,
            }
        )
        for key, value in records:
            producer.produce(
                self.prefix + topic,
                key=key,
                value=value,
                partition=partition,
                timestamp=timestamp,
                headers=list(headers),
                on_delivery=delivered,
            )
            producer.poll(0)
        assert producer.flush(30) == 0, f"not everything was written to {topic}"
        return written

    def read_all(self, *topics: str, committed: bool = True) -> list[Entry]:
        """Everything in the topics up to now, by topic, partition and offset; aborted records left out."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.prefix}reader-{uuid4().hex}",
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 5,
            }
        )
        try:
            found = list(self._until_end(consumer, [self.prefix + topic for topic in topics]))
        finally:
            consumer.close()
        return sorted(found, key=lambda entry: (topics.index(entry.topic), entry.partition, entry.offset))

    def _until_end(self, consumer: Consumer, names: list[str]) -> Iterator[Entry]:
        known = consumer.list_topics(timeout=10).topics
        waiting = {(name, partition) for name in names for partition in known[name].partitions}
        assert waiting, f"no such topics: {names}"
        consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for name, number in waiting])
        while waiting:
            message = consumer.poll(30)
            assert message is not None, f"no end of {waiting} within 30 s"
            error = message.error()
            if error is None:
                yield self._entry(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard((message.topic(), message.partition()))
            else:
                raise KafkaException(error)

    def _entry(self, message: Message) -> Entry:
        return Entry(
            topic=(message.topic() or "").removeprefix(self.prefix),
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            timestamp=message.timestamp()[1],
            key=message.key(),
            value=message.value(),
            headers=message.headers() or (),
        )


@contextmanager
def kafka_space(bootstrap: str) -> Iterator[KafkaSpace]:
    space = KafkaSpace(bootstrap, f"test-{uuid4().hex[:8]}-")
    try:
        yield space
    finally:
        space.delete_all()
