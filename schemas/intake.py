"""A record that could not be applied, kept whole."""

from typing import Annotated

from schemas.base import Model, Natural, Several, Text, null_means
from schemas.reasons import RefusedReason


class Header(Model):
    name: str
    value_base64: str | None = None


class IntakeRefused(Model):
    """Where the record came from, its bytes, and why. `timestamp` is Kafka's, in milliseconds since the epoch, or -1."""

    topic: Text
    partition: Natural
    offset: Natural
    timestamp: int
    key_base64: str | None = None
    value_base64: str | None = None
    headers: Annotated[Several[Header], null_means(())] = ()
    reason: RefusedReason
    detail: Text
    role: Text
