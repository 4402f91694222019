"""Customers who are to be forgotten: their rows stay, and nobody is in them.

`customer.erased` leaves a row of its own among the entities, with its time: what is told of the customer from
before that time is blanked, whether it was recorded earlier or comes later; what the booking system says anew
stays. So it makes no difference in which order, and in which batches, the topics are read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, exists, select, tuple_, update

from sinks.database.facets import CALLBACK, DEAD_LETTER, ENTITY, ERASURE, OUTCOME, REQUEST, Facet
from sinks.database.paging import pages
from sinks.database.tables import callback_events, callbacks, dead_letters, entities, notifications, outcomes

ERASED = "erased"
"""Stands in every column that named the person."""
CUSTOMER = "customer"
"""The kind of the entity that an erasure leaves."""
PREFERENCES = "customer_preferences"

Rows = Mapping[Facet, list[Mapping[str, Any]]]
Key = tuple[str, str]
"""(notification id, company id)"""


class Erasure(NamedTuple):
    company_id: str
    customer_id: str
    at: datetime


def forget(connection: Connection, rows: Rows) -> None:
    """Blank what the rows just written have brought, or what is there already, of customers who were erased."""
    for erasure in _erasures(connection, sorted(set(_customers(rows)))):
        _erase_callbacks(connection, erasure)
        _erase_preferences(connection, erasure)
        _erase_notifications(connection, _notifications(connection, erasure))
    _erase_notifications(connection, _late(connection, rows))


def _customers(rows: Rows) -> Iterator[tuple[str, str]]:
    """(company id, customer id) of all that the rows name."""
    for facet, column in ((CALLBACK, "customer_id"), (REQUEST, "customer_id"), (ERASURE, "entity_id")):
        for values in rows.get(facet, ()):
            if values[column] is not None:
                yield values["company_id"], values[column]
    for values in rows.get(ENTITY, ()):
        if values["type"] == PREFERENCES:
            yield values["company_id"], values["entity_id"]


def _erasures(connection: Connection, customers: Sequence[tuple[str, str]]) -> Iterator[Erasure]:
    at = entities.c
    for some in pages(customers):
        query = select(at.company_id, at.entity_id, at.changed_at).where(
            at.type == CUSTOMER, tuple_(at.company_id, at.entity_id).in_(some)
        )
        yield from [Erasure(*row) for row in connection.execute(query)]


def _erase_callbacks(connection: Connection, erasure: Erasure) -> None:
    """Those of which the latest version is from before the erasure."""
    anew = exists().where(
        callback_events.c.callback_id == callbacks.c.callback_id,
        callback_events.c.company_id == callbacks.c.company_id,
        callback_events.c.version == callbacks.c.version,
        callback_events.c.happened_at > erasure.at,
    )
    theirs = callbacks.c.customer_id == erasure.customer_id, callbacks.c.company_id == erasure.company_id
    connection.execute(update(callbacks).where(*theirs, ~anew).values(customer_id=ERASED))


def _erase_preferences(connection: Connection, erasure: Erasure) -> None:
    """The row stays as a deletion does, so that no older version brings them back."""
    at = entities.c
    theirs = (
        at.company_id == erasure.company_id,
        at.type == PREFERENCES,
        at.entity_id == erasure.customer_id,
        at.changed_at <= erasure.at,
    )
    connection.execute(update(entities).where(*theirs).values(is_deleted=True, data=None))


def _notifications(connection: Connection, erasure: Erasure) -> list[Key]:
    """Those to or about the customer that were caused before the erasure: a request has the time of its cause."""
    at = notifications.c
    query = select(at.notification_id, at.company_id).where(
        at.customer_id == erasure.customer_id,
        at.company_id == erasure.company_id,
        at.requested_at <= erasure.at,
    )
    return [(row.notification_id, row.company_id) for row in connection.execute(query)]


def _late(connection: Connection, rows: Rows) -> list[Key]:
    """What was told now of notifications whose person has gone before."""
    keys = {(values["notification_id"], values["company_id"]) for values in rows.get(DEAD_LETTER, ())}
    for values in rows.get(OUTCOME, ()):
        if values["error"] is not None:
            keys.add((values["notification_id"], values["company_id"]))
    at = notifications.c
    found: list[Key] = []
    for some in pages(sorted(keys)):
        query = select(at.notification_id, at.company_id).where(
            tuple_(at.notification_id, at.company_id).in_(some), at.customer_id == ERASED
        )
        found += [(row.notification_id, row.company_id) for row in connection.execute(query)]
    return found


def _erase_notifications(connection: Connection, keys: Iterable[Key]) -> None:
    """With the words of servers, which like to repeat an address, and the texts of letters. A colleague stays who
    was to be told, but for the letter, which cannot be sent again without a text."""
    to_them = case((notifications.c.audience == CUSTOMER, ERASED), else_=notifications.c.recipient_id)
    for some in pages(sorted(keys)):
        for table, blank in (
            (notifications, {"customer_id": ERASED, "recipient_id": to_them}),
            (outcomes, {"error": None}),
            (dead_letters, {"recipient_id": ERASED, "error": None, "data": {}}),
        ):
            theirs = tuple_(table.c.notification_id, table.c.company_id).in_(some)
            connection.execute(update(table).where(theirs).values(blank))
