"""What a role's exit status says to its supervisor."""

from enum import IntEnum
from signal import Signals


class Exit(IntEnum):
    CRASHED = 70
    """In doubt or broken: fencing, loading and going on from there is the cure (EX_SOFTWARE)."""
    FENCED = 75
    """Another process took over this one's static member id: a restart would take it back, in turns for ever."""


def describe(status: int) -> str:
    """`status` as asyncio has it: negative for a signal."""
    if status < 0:
        return f"killed by {Signals(-status).name}"
    return f"exit status {status}"
