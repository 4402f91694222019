"""The contract as code: every message, the CloudEvents codec, and the reasons' names. Imports nothing of ours."""

from schemas.envelope import (
    CONTENT_TYPE_HEADER,
    SOURCE,
    Event,
    Ignored,
    Record,
    Refused,
    decode,
    encode,
    needed_headers,
)
from schemas.event_types import EVENT_TYPES, EventType
from schemas.partitioner import murmur2_partition

__all__ = [
    "CONTENT_TYPE_HEADER",
    "EVENT_TYPES",
    "SOURCE",
    "Event",
    "EventType",
    "Ignored",
    "Record",
    "Refused",
    "decode",
    "encode",
    "murmur2_partition",
    "needed_headers",
]
