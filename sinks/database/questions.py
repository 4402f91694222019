"""What can be asked about a callback: how it stands, why it was decided so, and what happened to it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, select, union

from sinks.database.letters import listed
from sinks.database.tables import callback_events, callbacks, decisions, entities, notifications, outcomes

Fields = Mapping[str, Any]
"""A row, by column."""


class Subject(NamedTuple):
    """What an id means: a decision, or a callback and the latest decision about it."""

    company_id: str
    callback_id: str | None
    decision: Fields | None


class Step(NamedTuple):
    """Something that happened to a callback. `staff_id` is whom it gave the callback to, or named as owner."""

    at: datetime
    what: str
    staff_id: str | None
    detail: str


def subjects(connection: Connection, id: str, company_id: str | None = None) -> list[Subject]:
    """What `id` can mean, one for each company that has it; a decision's id is looked for first."""
    decided = select(decisions).where(decisions.c.decision_id == id)
    if company_id is not None:
        decided = decided.where(decisions.c.company_id == company_id)
    if found := listed(connection, decided):
        return [Subject(row["company_id"], row["callback_id"], row) for row in found]
    having = union(
        *(select(table.c.company_id).where(table.c.callback_id == id) for table in (callbacks, decisions))
    )
    return [
        Subject(company, id, _latest_decision(connection, company, id))
        for company in sorted(connection.scalars(having))
        if company_id in (None, company)
    ]


def callback(connection: Connection, company_id: str, callback_id: str) -> Fields | None:
    """The callback's row; None where only decisions name it."""
    at = callbacks.c.callback_id == callback_id, callbacks.c.company_id == company_id
    return next(iter(listed(connection, select(callbacks).where(*at))), None)


def history(connection: Connection, company_id: str, callback_id: str) -> list[Step]:
    """What the booking system said, what was decided and who was told, in the order of time."""
    said = select(callback_events).where(
        callback_events.c.callback_id == callback_id, callback_events.c.company_id == company_id
    )
    steps = [
        Step(row.happened_at, row.type, row.assigned_to, f"version {row.version}, {row.status}")
        for row in connection.execute(said.order_by(callback_events.c.version))
    ]
    decided = select(decisions).where(_about(company_id, callback_id)).order_by(decisions.c.offset)
    steps += [
        Step(row.decided_at, row.type, row.staff_id, _words(row.reason, row.note))
        for row in connection.execute(decided)
    ]
    told = (
        select(outcomes, notifications.c.event_type, notifications.c.audience)
        .join(
            notifications,
            and_(
                notifications.c.notification_id == outcomes.c.notification_id,
                notifications.c.company_id == outcomes.c.company_id,
            ),
        )
        .where(
            notifications.c.entity_id == callback_id,
            notifications.c.company_id == company_id,
            notifications.c.entity_type == "callback",
        )
        .order_by(outcomes.c.offset)
    )
    steps += [
        Step(row.happened_at, row.type, None, _words(row.event_type, row.audience, row.channel, row.reason))
        for row in connection.execute(told)
    ]
    return sorted(steps, key=lambda step: step.at)


def directory(
    connection: Connection, company_id: str, kind: str, ids: Iterable[str | None]
) -> Mapping[str, Fields]:
    """Those of the company's entities of one kind that are known and not deleted."""
    found = select(entities.c.entity_id, entities.c.data).where(
        entities.c.company_id == company_id,
        entities.c.type == kind,
        entities.c.entity_id.in_(sorted(id for id in ids if id is not None)),
        entities.c.data.is_not(None),
    )
    return {row.entity_id: row.data for row in connection.execute(found)}


def _latest_decision(connection: Connection, company_id: str, callback_id: str) -> Fields | None:
    latest = select(decisions).where(_about(company_id, callback_id)).order_by(decisions.c.offset.desc())
    return next(iter(listed(connection, latest.limit(1))), None)


def _about(company_id: str, callback_id: str) -> ColumnElement[bool]:
    return and_(decisions.c.callback_id == callback_id, decisions.c.company_id == company_id)


def _words(*words: str | None) -> str:
    return ", ".join(word for word in words if word)
