"""What an audit can find."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    WRONG = "wrong"
    """There, once, but not as the inputs say."""


class Finding(NamedTuple):
    kind: Kind
    what: str
    """A sentence for people."""


def lost(what: str) -> Finding:
    return Finding(Kind.LOST, what)


def doubled(what: str) -> Finding:
    return Finding(Kind.DOUBLED, what)


def wrong(what: str) -> Finding:
    return Finding(Kind.WRONG, what)
