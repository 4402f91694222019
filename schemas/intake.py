"""A record that could not be applied, kept as it was."""

import base64

from schemas.base import Instant, Model, Natural, Several, Text
from schemas.reasons import RefusedReason


class IntakeRefused(Model):
    """Where the record came from, its bytes, and why. `role` is the one that refused it.

    `headers` are pairs of a name and the value in base64, in the record's order. Of a record that is too large to
    be kept whole, the end is missing; `detail` says so.
    """

    topic: Text
    partition: Natural
    offset: Natural
    timestamp: Instant
    key_base64: str | None = None
    value_base64: str | None = None
    headers: Several[tuple[str, str | None]]
    reason: RefusedReason
    detail: Text
    role: Text


def to_base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def from_base64(text: str | None) -> bytes | None:
    """Raises ValueError for what is no base64."""
    return None if text is None else base64.b64decode(text, validate=True)
