"""Apache Kafka without Docker, for development, tests and the demo."""

from streams.kafka.cluster import DevKafka

__all__ = ["DevKafka"]
