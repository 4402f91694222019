"""Rows whose time has come. It is measured in record time, so that forgetting is a function of the log.

Due rows are found by a heap of hints. A hint that no longer agrees with its row means nothing: the row was written
again since, and has a hint of its own. When those that mean nothing may be as many as those that do, they are
dropped, between two batches: no batch that is taken back can need them again then.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from streams.policy.notification.alarms import Alarms
from streams.policy.notification.rows import TABLES, Row
from streams.state import State

Hint = tuple[int, str, str, str]
"""(forget_at, table, scope, key)"""

FEW = 1024
"""Hints among which nobody looks for those that mean nothing."""

_head = msgspec.msgpack.Decoder(Row).decode


@dataclass(slots=True)
class Hints:
    heap: list[Hint] = field(default_factory=list)
    taken: list[Hint] = field(default_factory=list)
    """By the last batch, whatever they meant to it. If it was rolled back, their rows are as they were."""
    many: int = FEW
    """More than these are looked through."""
    alarms: Alarms = field(default_factory=Alarms)
    """Of reminders."""


def hints(state: State) -> Hints:
    """The hints of all rows; once after they were loaded."""
    heap = [
        (forget_at, table, scope, key)
        for table in TABLES
        for scope in state.scopes(table)
        for key, content in state.rows(table, scope).items()
        if (forget_at := _head(content).forget_at)
    ]
    heapq.heapify(heap)
    return Hints(heap, many=2 * len(heap) + FEW)


def begin(state: State, found: Hints) -> None:
    """A batch begins: look again at what the last one took, in case that was rolled back."""
    for hint in found.taken:
        if _row(state, hint) is not None:
            heapq.heappush(found.heap, hint)
    found.taken.clear()
    if len(found.heap) > found.many:
        found.heap = sorted(hint for hint in set(found.heap) if _row(state, hint) is not None)
        found.many = 2 * len(found.heap) + FEW
    found.alarms.begin()


def forget(state: State, found: Hints, at: float) -> Iterator[tuple[str, str, str, bytes]]:
    """Delete the rows that are due at `at` (seconds); yields (table, scope, key, content) of each."""
    heap = found.heap
    while heap and heap[0][0] <= at:
        hint = heapq.heappop(heap)
        found.taken.append(hint)
        content = _row(state, hint)
        if content is not None:
            _, table, scope, key = hint
            state.delete(table, scope, key)
            yield table, scope, key, content


def _row(state: State, hint: Hint) -> bytes | None:
    """The row that the hint is about; None where it means nothing."""
    due, table, scope, key = hint
    content = state.get(table, scope, key)
    return content if content is not None and _head(content).forget_at == due else None
