"""A record that is sent one by one, by a name for a failure to tell which it was; and whether it is worth it."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas import CONTENT_TYPE_HEADER, Record, decode
from schemas.configuration import Template
from streams.policy.notification.checking import check


class Outgoing(NamedTuple):
    """A record to be, for `EventProducer`. `topic` has no prefix; partition -1: it follows from the key."""

    label: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = (CONTENT_TYPE_HEADER,)
    partition: int = -1


def judge(topic: str, record: Record) -> None:
    """Raises Refused or Ignored where one of the topic's readers does."""
    data = decode(topic, record).data
    if isinstance(data, Template):
        check(data)
