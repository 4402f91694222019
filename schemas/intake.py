"""A record that could not be applied, kept whole."""

from schemas.base import Instant, Model, Natural, Several, Text
from schemas.reasons import RefusedReason


class IntakeRefused(Model):
    """Where the record came from, its bytes, and why. `role` is the one that refused it.

    `headers` are pairs of a name and the value in base64, in the record's order.
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
