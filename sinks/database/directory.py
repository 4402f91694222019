"""The directory as the record has it: the latest snapshot of every entity, as the event that would tell it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from schemas import SOURCE, encode
from schemas.event_types import DIRECTORY
from sinks.database.mapping import id_field
from sinks.database.paging import PAGE
from sinks.database.tables import entities
from sinks.outgoing import Outgoing

PARENTS_FIRST = (
    *("company", "branch", "service", "staff", "template", "notification_config", "customer_preferences"),
)
"""Every kind of entity, each after those that it rests on. Erasures are not among them: told again, they would
take away a customer who has come back since."""
_SOURCE = f"{SOURCE}/republish"


def count(connection: Connection, company_id: str | None) -> int:
    query = _of(company_id, select(func.count()).select_from(entities))
    return connection.scalar(query.where(entities.c.type.in_(PARENTS_FIRST))) or 0


def snapshots(connection: Connection, company_id: str | None) -> Iterator[Outgoing]:
    """Deletions too: they keep what is older from coming back. No transaction stays open while a page is used."""
    for kind in PARENTS_FIRST:
        after: tuple[str, str] | None = None
        while page := _page(connection, kind, company_id, after):
            connection.commit()
            yield from map(_event, page)
            after = page[-1].company_id, page[-1].entity_id


def _page(
    connection: Connection, kind: str, company_id: str | None, after: tuple[str, str] | None
) -> list[Row[Any]]:
    """The next entities in the order of the primary key."""
    at = entities.c
    query = _of(company_id, select(entities)).where(at.type == kind)
    if after is not None:
        company, entity = after
        query = query.where(at.company_id >= company, (at.company_id > company) | (at.entity_id > entity))
    return list(connection.execute(query.order_by(at.company_id, at.entity_id).limit(PAGE)))


def _of(company_id: str | None, query: Select[Any]) -> Select[Any]:
    return query if company_id is None else query.where(entities.c.company_id == company_id)


def _event(row: Row[Any]) -> Outgoing:
    kind = f"{row.type}.{'deleted' if row.is_deleted else 'upserted'}"
    ids = {"company_id": row.company_id, id_field(row.type): row.entity_id, "version": row.version}
    subject = f"{row.type}/{row.entity_id}"
    value = encode(
        kind,
        id=f"{kind}/{row.company_id}/{row.entity_id}/{row.version}",
        source=_SOURCE,
        time=row.changed_at,
        subject=subject,
        company_id=row.company_id,
        data=row.data or ids,
    )
    return Outgoing(subject, DIRECTORY, row.company_id.encode(), value)
