"""Dead letters as operators ask for them: which there are, one of them whole, and which were sent again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from sinks.database.erasing import ERASED
from sinks.database.tables import dead_letters, intake_dead_letters, notifications, outcomes

REACHED = ("sent", "delivered")
"""A notification with this status needs no redrive any more."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters; None: any. `since <= t < until`. What could not be read has neither company nor channel."""

    reason: str | None = None
    channel: str | None = None
    company: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class LetterKey(NamedTuple):
    notification_id: str
    company_id: str


Letter = Mapping[str, Any]
"""A row, by column. Of `dead_letters`, with `status` and `status_reason` of the notification as it stands."""

_STANDS = dead_letters.outerjoin(
    notifications,
    and_(
        notifications.c.notification_id == dead_letters.c.notification_id,
        notifications.c.company_id == dead_letters.c.company_id,
    ),
)
_STATUS = notifications.c.status.label("status"), notifications.c.reason.label("status_reason")
_LISTED = [column for column in dead_letters.columns if column.name != "data"]
_INTAKE_LISTED = [
    column for column in intake_dead_letters.columns if column.name not in {"key", "value", "headers"}
]


def wanted(chosen: Filter, *columns: Any) -> Select[Any]:
    """Those that still need somebody, newest first: not what was sent after all."""
    query = select(*(columns or (*_LISTED, *_STATUS))).select_from(_STANDS)
    query = query.where(or_(notifications.c.status.is_(None), notifications.c.status.not_in(REACHED)))
    for name in ("reason", "channel"):
        if (value := getattr(chosen, name)) is not None:
            query = query.where(dead_letters.c[name] == value)
    if chosen.company is not None:
        query = query.where(dead_letters.c.company_id == chosen.company)
    query = _within(query, dead_letters.c.given_up_at, chosen)
    return query.order_by(dead_letters.c.given_up_at.desc(), *dead_letters.primary_key)


def wanted_intake(chosen: Filter, *columns: Any) -> Select[Any]:
    """Those that were not sent again since, newest first."""
    table = intake_dead_letters
    query = select(*(columns or _INTAKE_LISTED)).where(_not_redriven())
    if chosen.reason is not None:
        query = query.where(table.c.reason == chosen.reason)
    query = _within(query, table.c.refused_at, chosen)
    return query.order_by(table.c.refused_at.desc(), table.c.id)


def listed(connection: Connection, query: Select[Any], limit: int | None = None) -> list[Letter]:
    found = connection.execute(query if limit is None else query.limit(limit)).mappings()
    return [{str(name): row[name] for name in row} for row in found]


def count(connection: Connection, query: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def letters(connection: Connection, notification_id: str, company_id: str | None = None) -> list[Letter]:
    """The whole letter of that id, one for each company that has it."""
    query = select(dead_letters, *_STATUS).select_from(_STANDS)
    query = query.where(dead_letters.c.notification_id == notification_id)
    if company_id is not None:
        query = query.where(dead_letters.c.company_id == company_id)
    return listed(connection, query.order_by(dead_letters.c.company_id))


def outcomes_of(connection: Connection, key: LetterKey) -> list[Letter]:
    """All that became of the notification, in the order of its telling."""
    at = outcomes.c.notification_id == key.notification_id, outcomes.c.company_id == key.company_id
    return listed(connection, select(outcomes).where(*at).order_by(outcomes.c.offset))


def intake_letter(connection: Connection, id: str) -> Letter | None:
    query = select(intake_dead_letters).where(intake_dead_letters.c.id == id)
    return next(iter(listed(connection, query)), None)


def to_redrive(connection: Connection, chosen: Filter) -> list[LetterKey]:
    """Those of the filter that are not on their way again already, oldest first."""
    again = dead_letters.c.redriven > dead_letters.c.redrive
    query = wanted(chosen, *dead_letters.primary_key).where(or_(dead_letters.c.redriven.is_(None), ~again))
    keys = [LetterKey(*row) for row in connection.execute(query.where(dead_letters.c.recipient_id != ERASED))]
    return keys[::-1]


def mark(connection: Connection, redriven: Mapping[LetterKey, int], at: datetime) -> None:
    """Note with which number each was sent again; a smaller number than the one noted changes nothing."""
    table = dead_letters
    noted = update(table).where(
        table.c.notification_id == sa.bindparam("id_"),
        table.c.company_id == sa.bindparam("company_"),
        or_(table.c.redriven.is_(None), table.c.redriven < sa.bindparam("number_")),
    )
    noted = noted.values(redriven=sa.bindparam("number_"), redriven_at=at)
    each = [
        {"id_": key.notification_id, "company_": key.company_id, "number_": number}
        for key, number in sorted(redriven.items())
    ]
    if each:
        connection.execute(noted, each)


def mark_intake(connection: Connection, ids: Iterable[str], at: datetime) -> None:
    """Note that these were sent again."""
    connection.execute(
        update(intake_dead_letters).where(intake_dead_letters.c.id.in_(sorted(ids))).values(redriven_at=at)
    )


def _not_redriven() -> ColumnElement[bool]:
    table = intake_dead_letters
    return or_(table.c.redriven_at.is_(None), table.c.redriven_at < table.c.refused_at)


def _within(query: Select[Any], column: sa.Column[Any], chosen: Filter) -> Select[Any]:
    if chosen.since is not None:
        query = query.where(column >= chosen.since)
    if chosen.until is not None:
        query = query.where(column < chosen.until)
    return query
