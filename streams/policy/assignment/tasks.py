"""What a record calls for beyond itself: decisions about many callbacks.

All of it can be stopped after any decision and taken up again, also by another process: what is done has left the
index it was found in, and what can not be told from there is in `Progress`.
"""

import msgspec

from streams.policy.assignment.rows import Rank


class Bulk(msgspec.Struct, array_like=True):
    """A bulk command. `callback_ids`: those named, the assignable in bulk order and then the rest as given; None:
    all that are pending, of `branch_id` or of the company."""

    command_id: str
    strategy: str | None
    branch_id: str | None
    callback_ids: list[str] | None
    total: int


class Task(msgspec.Struct, array_like=True):
    """In this order: who has left, a bulk command, and those who wait at branches where something has changed that
    may help; `arriving` is the branch that has just become known, if any."""

    leaver: str | None = None
    bulk: Bulk | None = None
    branches: list[str] = []
    arriving: str | None = None


class Progress(msgspec.Struct, array_like=True):
    """Of a bulk command: how far it has come, and how many were assigned."""

    cursor: Rank | None = None
    index: int = 0
    assigned: int = 0
    answered: bool = False


class Allowance:
    """How many callbacks may still be decided in this transaction."""

    __slots__ = ("_granted", "left")

    def __init__(self, granted: int) -> None:
        self._granted = self.left = granted

    @property
    def taken(self) -> int:
        return self._granted - self.left

    def take(self) -> bool:
        """Whether one more may be; if so, it is."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True
