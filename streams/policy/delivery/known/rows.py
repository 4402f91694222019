"""The newest state of what notifications are about, as small rows.

Every row begins with when it may be forgotten (seconds of record time; 0: never) and the version known. New fields
go to the end, with a default, so that older rows stay readable.
"""

from typing import Final, TypeVar

import msgspec

from streams.policy.notification.memory import decode
from streams.policy.notification.rows import Owner, Ruling, Versioned
from streams.state import State

APPOINTMENTS: Final = "appointments"
CALLBACKS: Final = "callbacks"
CUSTOMERS: Final = "customers"
OPT_OUTS: Final = "opt_outs"
DEAD: Final = "dead_addresses"
TABLES = (APPOINTMENTS, CALLBACKS, CUSTOMERS, OPT_OUTS, DEAD)

EVERY_COMPANY: Final = ""
"""The scope of an opt-out that holds for all of them: no company has an empty id."""


class Appointment(Versioned, array_like=True, frozen=True, gc=False):
    """`overtaken`: the newest version that was cancelled, deleted or moved: what is about older ones is stale."""

    starts_at: float | None = None
    is_cancelled: bool = False
    overtaken: int = -1


class Callback(Versioned, array_like=True, frozen=True):
    """`version` is -1 until the callback itself arrives; `pending` are decisions that came before it."""

    status: str = ""
    owner: Owner = Owner()
    pending: tuple[Ruling, ...] = ()


class Customer(Versioned, array_like=True, frozen=True, gc=False):
    """What a customer has chosen. `unsubscribed`: (channel, event type or None for all); `quiet`: (start, end);
    `erased_ms`: when their person was to be forgotten, in record time."""

    unsubscribed: tuple[tuple[str, str | None], ...] = ()
    quiet: tuple[str, str] | None = None
    zone: str | None = None
    erased_ms: int | None = None


class OptOut(Versioned, array_like=True, frozen=True, gc=False):
    """Whether an address wants nothing of some type, or of any, on a channel. `version`: when that was said, in
    milliseconds."""

    is_out: bool = True


DEAD_FOR = 365 * 86_400
"""Seconds for which an address that does not exist is left alone. Another address is another matter at once."""

R = TypeVar("R", bound=Versioned)

encode = msgspec.msgpack.Encoder().encode


def read(kind: type[R], state: State, table: str, company_id: str, key: str) -> R | None:
    content = state.get(table, company_id, key)
    return None if content is None else decode(kind, content)


def opt_out_key(channel: str, recipient_hash: str, event_type: str | None) -> str:
    """`event_type` None: of any type."""
    return f"{channel}:{event_type or ''}:{recipient_hash}"


def forget(state: State, at: float) -> None:
    """Drop the rows that are due at `at` (seconds of record time)."""
    for table in TABLES:
        state.sweep(table, lambda content: 0 < decode(Versioned, content).forget_at <= at)
