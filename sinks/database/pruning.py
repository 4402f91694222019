"""What ended long ago, deleted from the record in small steps, so that nobody waits for a lock for long."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Table, and_, delete, exists, or_, select, tuple_

from schemas.callbacks import OPEN
from sinks.database.tables import (
    callback_events,
    callbacks,
    dead_letters,
    decisions,
    intake_dead_letters,
    notifications,
    outcomes,
)

STEP = 500
"""Rows that one transaction looks at."""
ENDED = ("sent", "delivered", "failed", "suppressed", "merged")
"""A notification's last word; any other status is one that waits for something."""

Condition = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of `table` that `ended` before a moment, and what goes with them: rows of `parts` whose row of `table`
    is gone, found by the key that they share with it."""

    table: Table
    ended: Condition
    parts: tuple[Table, ...] = ()


def prune(engine: Engine, before: datetime) -> Iterator[dict[str, int]]:
    """Delete what ended before that; yields what each step has deleted, by table. It can be broken off at any
    time, and taken up again."""
    for kind in KINDS:
        after: Row[Any] | None = None
        while True:
            started = time.monotonic()
            with engine.begin() as connection:
                found = _next(connection, kind, before, after)
                deleted = _delete(connection, kind, before, found) if found else {}
            if not found:
                break
            yield deleted
            after = found[-1]
            # SQLite's other writers get their turn only in between.
            time.sleep(min(0.1, time.monotonic() - started))


def _next(connection: Connection, kind: Kind, before: datetime, after: Row[Any] | None) -> list[Row[Any]]:
    """The keys of the next rows that ended, in the order of the primary key."""
    key = list(kind.table.primary_key)
    query = select(*key).where(kind.ended(before))
    if after is not None:
        query = query.where(_beyond(key, tuple(after)))
    return list(connection.execute(query.order_by(*key).limit(STEP)))


def _beyond(key: list[Any], after: tuple[Any, ...]) -> ColumnElement[bool]:
    """Behind `after` in the order of the key, said so that MariaDB finds the place in its index."""
    if len(key) == 1:
        return and_(key[0] > after[0])
    return and_(key[0] >= after[0], or_(key[0] > after[0], _beyond(key[1:], after[1:])))


def _delete(connection: Connection, kind: Kind, before: datetime, found: list[Row[Any]]) -> dict[str, int]:
    """Asks once more whether each has ended: somebody may have gone on with it since it was found."""
    among = [tuple(row) for row in found]
    key = list(kind.table.primary_key)
    gone = delete(kind.table).where(tuple_(*key).in_(among), kind.ended(before))
    deleted = {kind.table.name: connection.execute(gone).rowcount}
    for part in kind.parts:
        shared = [part.c[column.name] for column in key]
        whole = exists().where(*(mine == theirs for mine, theirs in zip(shared, key, strict=True)))
        orphans = delete(part).where(tuple_(*shared).in_(among), ~whole)
        deleted[part.name] = connection.execute(orphans).rowcount
    return deleted


def _same(one: Table, other: Table, *names: str) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in names))


def _notification_ended(before: datetime) -> ColumnElement[bool]:
    """One that an operator has sent again lately is under way."""
    again = exists().where(
        _same(dead_letters, notifications, *_NOTIFICATION), dead_letters.c.redriven_at >= before
    )
    return and_(notifications.c.status.in_(ENDED), notifications.c.status_at < before, ~again)


def _letter_ended(before: datetime) -> ColumnElement[bool]:
    """Those whose notification is still there go with it."""
    at = dead_letters.c
    known = exists().where(_same(notifications, dead_letters, *_NOTIFICATION))
    return and_(at.given_up_at < before, or_(at.redriven_at.is_(None), at.redriven_at < before), ~known)


def _callback_ended(before: datetime) -> ColumnElement[bool]:
    """Closed, and nothing was said about it since."""
    of_it = _same(callback_events, callbacks, *_CALLBACK)
    later = exists().where(of_it, callback_events.c.happened_at >= before)
    return and_(callbacks.c.status.not_in(sorted(OPEN)), exists().where(of_it), ~later)


def _decision_ended(before: datetime) -> ColumnElement[bool]:
    """Those about a callback that is still there are its history."""
    known = exists().where(_same(callbacks, decisions, *_CALLBACK))
    return and_(decisions.c.decided_at < before, ~known)


def _refusal_ended(before: datetime) -> ColumnElement[bool]:
    at = intake_dead_letters.c
    return and_(at.refused_at < before, or_(at.redriven_at.is_(None), at.redriven_at < before))


_NOTIFICATION = ("notification_id", "company_id")
_CALLBACK = ("callback_id", "company_id")

KINDS = (
    Kind(notifications, _notification_ended, (outcomes, dead_letters)),
    Kind(dead_letters, _letter_ended),
    Kind(callbacks, _callback_ended, (callback_events,)),
    Kind(decisions, _decision_ended),
    Kind(intake_dead_letters, _refusal_ended),
)
"""In this order: what is whole goes before what may be left of it."""
