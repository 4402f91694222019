"""A record that is sent one by one, with a name of its own, for a failure to tell which it was."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas import CONTENT_TYPE_HEADER


class Outgoing(NamedTuple):
    """A record to be, for `EventProducer`. `topic` has no prefix; partition -1: it follows from the key."""

    label: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = (CONTENT_TYPE_HEADER,)
    partition: int = -1
