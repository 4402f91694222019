"""Whom the group coordinator checks a transaction against: the consumer's generation and member.

librdkafka takes them as opaque bytes from one of its own consumers. Ours belong to aiokafka's consumer, so the
bytes are composed here, and compared at start with what librdkafka itself gives for the same group.
"""

import struct
from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import Consumer


def group_metadata(group: str, generation: int, member: str) -> bytes:
    """rd_kafka_consumer_group_metadata_write(), version 2, without a static member id."""
    return b"CGMDv2:" + struct.pack("<i", generation) + group.encode() + b"\0" + member.encode() + b"\0\x01"


def metadata_is_ours(config: Mapping[str, Any], group: str) -> bool:
    """Whether this librdkafka writes group metadata as `group_metadata` does."""
    consumer = Consumer({**config, "group.id": group, "enable.auto.commit": False})
    try:
        return cast(bytes, consumer.consumer_group_metadata()) == group_metadata(group, -1, "")
    finally:
        consumer.close()
