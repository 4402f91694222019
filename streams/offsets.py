"""Where partitions end, for readers of all records or of committed ones only."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

PATIENCE_SECONDS = 10.0
REQUEST_SECONDS = 20.0
_LEADERLESS = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""What a broker says of a partition that was just made, or has just come back."""


def ends(
    client: Mapping[str, Any], places: Iterable[TopicPartition], isolation: IsolationLevel
) -> dict[TopicPartition, int]:
    """The offset behind the last record that such a reader is given. `client`: librdkafka's properties.

    A leader is waited for. Raises KafkaException.
    """
    asked = dict.fromkeys(places, OffsetSpec.latest())
    if not asked:
        return {}
    admin = AdminClient(dict(client))  # without a name it would be gone before its answers are there
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = admin.list_offsets(asked, isolation_level=isolation, request_timeout=REQUEST_SECONDS)
        try:
            return {place: int(answer.result().offset) for place, answer in found.items()}
        except KafkaException as error:
            if error.args[0].code() not in _LEADERLESS or time.monotonic() > until:
                raise
            time.sleep(0.1)
