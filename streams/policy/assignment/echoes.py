"""What a snapshot says about the assignee, and what is only our own decision coming back.

The booking system applies our decisions in their order and with a delay, and tells of it in its snapshots; people
assign by hand in between. A snapshot that does no more than confirm a decision must not undo a later one.
"""

from typing import NamedTuple
from uuid import UUID

from streams.policy.assignment.rows import CallbackRow

REMEMBERED = 64
"""So many unconfirmed decisions on one callback, and as many earlier ones, are recognised at most."""
_ID_BYTES = 16


class Statement(NamedTuple):
    """`by_hand`: who was assigned by hand, if anybody. `confirms`: how many of the unconfirmed decisions, from the
    oldest, need not be waited for any more. `echo`: the event applies a decision of ours and says nothing else."""

    by_hand: str | None
    confirms: int
    echo: bool = False


def read_statement(
    known: CallbackRow, assignee: str | None, decision_id: str | None, stated: str | None
) -> Statement:
    """Only a change of `assignee`, the snapshot's, against `stated`, the previous one's, is a statement.

    An echo is none: it carries the id of a decision of ours that is not the latest or that assigned nobody or,
    carrying none, names the assignee of the oldest unconfirmed decision.
    """
    confirms = 0
    if decision_id is not None:
        place = _place(known, decision_id)
        if place is not None:
            confirms = max(0, place + 1)
            if place < len(known.unconfirmed) - 1 or (place >= 0 and known.unconfirmed[place][1] is None):
                return Statement(None, confirms, echo=True)
    elif assignee is not None:
        oldest = next((n for n, (_, staff_id) in enumerate(known.unconfirmed) if staff_id is not None), None)
        if oldest is not None and known.unconfirmed[oldest][1] == assignee:
            return Statement(None, oldest + 1, echo=True)
    if assignee is None or assignee == stated:
        return Statement(None, confirms)
    return Statement(assignee, len(known.unconfirmed))


def decided(row: CallbackRow, decision_id: bytes, staff_id: str | None) -> None:
    """Note a decision of ours; `staff_id` None: it assigned nobody."""
    row.unconfirmed = [*row.unconfirmed, (decision_id, staff_id)]
    settle(row, len(row.unconfirmed) - REMEMBERED)


def settle(row: CallbackRow, number: int) -> None:
    """So many of the unconfirmed decisions, from the oldest, are not waited for any more."""
    if number > 0:
        earlier = row.earlier + b"".join(decision_id for decision_id, _ in row.unconfirmed[:number])
        row.earlier = earlier[-REMEMBERED * _ID_BYTES :]
        row.unconfirmed = row.unconfirmed[number:]


def _place(known: CallbackRow, decision_id: str) -> int | None:
    """Its index among the unconfirmed; below 0 among the earlier, -1 being the last of them; None: not ours."""
    try:
        wanted = UUID(decision_id).bytes
    except ValueError:
        return None
    for place, (unconfirmed, _) in enumerate(known.unconfirmed):
        if unconfirmed == wanted:
            return place
    count = len(known.earlier) // _ID_BYTES
    for place in range(count):
        if known.earlier[place * _ID_BYTES : (place + 1) * _ID_BYTES] == wanted:
            return place - count
    return None
