"""Whom the group coordinator checks a transaction against: the consumer's generation and member.

librdkafka takes them as opaque bytes from one of its own consumers. Ours belong to aiokafka's consumer, so the
bytes are composed here, and compared at start with what librdkafka itself gives for the same group.
"""

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from streams.lane.settings import LaneSettings


class Member(NamedTuple):
    generation: int
    id: str
    """Empty when the group does not know us, or not any more."""


def group_metadata(group: str, member: Member) -> bytes:
    """rd_kafka_consumer_group_metadata_write(), version 2, without a static member id."""
    generation = struct.pack("<i", member.generation)
    return b"CGMDv2:" + generation + group.encode() + b"\0" + member.id.encode() + b"\0\x01"


def metadata_is_ours(config: Mapping[str, Any], group: str) -> bool:
    """Whether this librdkafka writes group metadata as `group_metadata` does."""
    consumer = Consumer({**config, "group.id": group, "enable.auto.commit": False})
    try:
        return cast(bytes, consumer.consumer_group_metadata()) == group_metadata(group, Member(-1, ""))
    finally:
        consumer.close()


def is_taken_over(settings: LaneSettings, member: Member) -> bool:
    """Whether somebody who is not `member` is in the group under our static member id.

    Asked of the broker, because aiokafka cannot tell: it knows no error FENCED_INSTANCE_ID, and its heartbeats
    carry no static id, so that they are answered like those of a member whose session ran out. False when the
    broker does not answer: then the next attempt will tell.
    """
    admin = AdminClient(dict(settings.kafka))
    try:
        group = admin.describe_consumer_groups([settings.group], request_timeout=5)[settings.group].result()
    except KafkaException:
        return False
    return any(
        each.group_instance_id == settings.instance_id and each.member_id != member.id for each in group.members
    )
