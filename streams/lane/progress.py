"""What the group commits beside the rows, as the sign of progress, and what it says when the rows are gone.

Where to start is read from the rows. Without them a role would apply everything that its topics still hold once
more, and write to people a second time: whoever has come far and finds nothing must not begin.
"""

from collections.abc import Collection

from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from streams.lane.settings import LaneSettings

APPLIED = "applied"
"""Committed as metadata with the offset of a topic of which at least one record's effects are durable. An offset
alone may lie behind nothing but aborted transactions."""
ASK_SECONDS = 20.0


class LostRowsError(Exception):
    """The changelog has no positions, though the group has applied records."""


def check(settings: LaneSettings, changelog: str, without_positions: Collection[int]) -> None:
    """Raise LostRowsError if records of one of these partition numbers have been applied already; KafkaException
    when the brokers do not say."""
    if not without_positions:
        return
    group = settings.group
    admin = AdminClient(dict(settings.kafka))
    asked = [ConsumerGroupTopicPartitions(group)]
    found = admin.list_consumer_group_offsets(asked, request_timeout=ASK_SECONDS)[group].result()
    for at in found.topic_partitions:
        if at.partition in without_positions and at.metadata == APPLIED:
            raise LostRowsError(
                f"partition {at.partition} of {changelog} holds no positions, though the group {group} has come "
                f"to offset {at.offset} of {at.topic}: its rows are lost. Bring that topic back, or see "
                '"A changelog is lost" in docs/operations.md'
            )
