"""The rows that `assign` keeps: only the fields it decides by, packed as msgpack arrays.

A row is decoded when it is needed, changed as a copy and encoded again; it is never held decoded, so an open
callback costs its bytes and its place in an index. Moments are milliseconds, those ending in `_us` microseconds.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from streams.policy.assignment.moments import first_millisecond

DIRECTORY = "directory"
"""`company`, `branch/<id>` and `staff/<id>`, tombstones too."""
CALLBACKS = "callbacks"
LOADS = "loads"
"""By staff id: how many callbacks the person has, and their last turn."""
COMMANDS = "commands"
"""By source and id: the commands that were applied, so that a second one changes nothing."""
TIMERS = "timers"
"""By branch: when those who wait there are to be reconsidered."""
AGENDA = "agenda"
"""Of a company in the middle of a task too large for one transaction: the task, and the records since then."""
TABLES = (DIRECTORY, CALLBACKS, LOADS, COMMANDS, TIMERS, AGENDA)

FOR_COMMAND, FOR_BRANCH, FOR_STAFF = 0, 1, 2
"""What an open callback without an owner waits for. Only those for staff are decided again when staff changes;
those for their branch, which they have overtaken, when it arrives."""

Rank = tuple[int, int, str]
"""Bulk order: (urgency, requested_at in microseconds, callback id), the smallest first."""


class CallbackRow(msgspec.Struct, array_like=True, gc=False):
    version: int
    open: bool
    """Status `pending` or `assigned`."""
    branch: str
    service: str | None
    preferred: str | None
    urgency: int
    """0 urgent, 1 high, 2 normal."""
    requested_us: int
    expires_us: int | None
    at: int
    """Timestamp of the last record that was applied to it."""
    owner: str | None = None
    """The present assignee; of a closed callback the last one, for the record."""
    stated: str | None = None
    """`assigned_to` of the last snapshot. Only a change of it is a statement."""
    waits_for: int = FOR_COMMAND
    expired: bool = False
    """Expired, as far as assignment goes: without an owner it is out of it."""
    asks: int | None = None
    """The version that set the present expiry, or opened the callback anew, until the timer has asked for it."""
    unconfirmed: list[tuple[bytes, str | None]] = []
    """(id, staff id if it assigned somebody) of our decisions that the booking system has not confirmed, oldest
    first."""
    earlier: bytes = b""
    """The ids of our decisions before these, 16 bytes each, oldest first."""

    @property
    def abandoned(self) -> bool:
        return self.open and self.expired and self.owner is None

    @property
    def pending(self) -> bool:
        """In assignment, and nobody has it."""
        return self.open and self.owner is None and not self.expired

    @property
    def waiting(self) -> bool:
        return self.pending and self.waits_for == FOR_STAFF

    @property
    def carrier(self) -> str | None:
        """Whose load it counts in."""
        return self.owner if self.open else None

    @property
    def closed(self) -> bool:
        """Nothing is left to do: it will be forgotten."""
        return not self.open or self.abandoned

    def rank(self, callback_id: str) -> Rank:
        return self.urgency, self.requested_us, callback_id

    @property
    def alarm(self) -> int | None:
        """When the timer is to ask for expiry."""
        if self.asks is None or self.expires_us is None or not self.pending:
            return None
        return first_millisecond(self.expires_us)


class CompanyRow(msgspec.Struct, array_like=True, gc=False):
    version: int
    at: int
    deleted: bool
    zone: str = "UTC"


class BranchRow(msgspec.Struct, array_like=True, gc=False):
    version: int
    at: int
    deleted: bool
    zone: str = "UTC"
    auto_assign: bool = False
    strategy: str = ""


class StaffRow(msgspec.Struct, array_like=True, gc=False):
    version: int
    at: int
    deleted: bool
    name: str = ""
    branches: list[str] = []
    services: list[str] = []
    active: bool = False
    accepts: bool = False
    capacity: int | None = None
    week: list[list[tuple[int, int]]] | None = None
    """From Monday: the day's working times, in milliseconds of its wall clock, in order and apart."""
    absences: list[tuple[int, int]] = []
    """Half-open, in order and apart."""


class LoadRow(msgspec.Struct, array_like=True, gc=False):
    load: int
    turn: int
    at: int | None
    """Timestamp of the record that assigned to them last."""


class TimerRow(msgspec.Struct, array_like=True, gc=False):
    due: int | None
    """When to write the next `branch.reconsider`; None: nobody's shift will begin, or it has been written."""
    written: int
    """The last one written, or when it was read. The next is later, else its id would be taken for a repeat."""


Row = CallbackRow | CompanyRow | BranchRow | StaffRow | LoadRow | TimerRow
R = TypeVar("R")

encode: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode


def _decoder(row: type[R]) -> Callable[[bytes], R]:
    return msgspec.msgpack.Decoder(row).decode


decode_callback = _decoder(CallbackRow)
decode_company = _decoder(CompanyRow)
decode_branch = _decoder(BranchRow)
decode_staff = _decoder(StaffRow)
decode_load = _decoder(LoadRow)
decode_timer = _decoder(TimerRow)
