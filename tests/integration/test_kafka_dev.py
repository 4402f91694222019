"""Kafka for development, against the real thing."""

from tests.support.kafka import KafkaSpace


def test_records_come_back(kafka: KafkaSpace) -> None:
    """What is written to a topic can be read from it, in order within a partition."""
    kafka.create("things")
    written = kafka.produce("things", [(f"key-{n % 3}", f"value-{n}") for n in range(50)])
    assert sorted(kafka.read_all("things")) == sorted(written)
