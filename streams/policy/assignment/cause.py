"""What a decision is a function of, besides the state: the record that caused it."""

import msgspec


class Cause(msgspec.Struct, array_like=True, frozen=True):
    """`discriminator` is the entity's version, or the command's id. `at` is the record's timestamp (milliseconds),
    the clock of everything decided. `basis` gives for each topic the offset applied last, this record's included.
    """

    event_id: str
    source: str
    discriminator: str
    at: int
    basis: dict[str, int]
