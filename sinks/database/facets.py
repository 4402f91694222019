"""What one kind of message says about a row: some of a table's columns, and when its word counts.

A table may have several facets: a request tells what a notification is, an outcome how it went, and either may
be applied first. Writing one facet never touches what only another one says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import Table

from sinks.database import tables


@dataclass(frozen=True, eq=False, slots=True)
class Facet:
    """`guard` names the column by which two messages about one row are compared.

    "newest": the one with the greater guard stays, and of equal ones the first; "first": what is there stays.
    Either way, a message that is written again changes nothing.
    """

    table: Table
    columns: tuple[str, ...]
    """Those of the key come first."""
    guard: str
    keep: Literal["newest", "first"]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key)


class Row(NamedTuple):
    """One message's word about one row: a value for each column of the facet."""

    facet: Facet
    values: Mapping[str, Any]


def _facet(table: Table, keep: Literal["newest", "first"], guard: str, *columns: str) -> Facet:
    """Without `columns`: all of the table's."""
    if not columns:
        return Facet(table, tuple(table.columns.keys()), guard, keep)
    return Facet(table, (*(column.name for column in table.primary_key), *columns), guard, keep)


_BOOKED = (
    *("version", "branch_id", "service_id", "customer_id", "staff_id", "assigned_to"),
    *("priority", "status", "requested_at", "expires_at"),
)
_DECIDED = (
    *("last_decision_id", "last_decision", "last_reason", "last_staff_id"),
    *("last_decided_at", "last_offset"),
)
_SUBJECT = ("entity_type", "entity_id", "entity_version", "caused_by")
_ORIGIN = ("event_type", "audience", "config_id", "config_level", "config_version")
_REQUESTED = (
    *("recipient_id", "customer_id", "priority", "locale", "channels", "skipped", "templates"),
    *("requested_at", "request_offset"),
)
_HAPPENED = (
    *("status", "channel", "attempt", "reason", "recipient_hash"),
    *("next_attempt_at", "status_at", "outcome_offset"),
)
_GIVEN_UP = (
    *("event_type", "channel", "recipient_id", "reason", "error"),
    *("redrive", "data", "given_up_at", "offset"),
)
_REFUSED = (
    *("topic", "partition", "offset", "timestamp", "key", "value", "headers"),
    *("reason", "detail", "role", "refused_at"),
)

ENTITY = _facet(tables.entities, "newest", "version")
ERASURE = _facet(tables.entities, "newest", "changed_at")
"""That a customer is to be forgotten: always told anew, whatever its version."""
CALLBACK = _facet(tables.callbacks, "newest", "version", *_BOOKED)
CALLBACK_EVENT = _facet(tables.callback_events, "first", "type")
DECISION = _facet(tables.decisions, "first", "type")
LAST_DECISION = _facet(tables.callbacks, "newest", "last_offset", *_DECIDED)
REQUEST = _facet(tables.notifications, "first", "request_offset", *_SUBJECT, *_ORIGIN, *_REQUESTED)
ROUTED = _facet(tables.notifications, "first", "event_type", *_SUBJECT, *_ORIGIN)
"""What a suppression at routing says of the notification that was never requested."""
STATUS = _facet(tables.notifications, "newest", "outcome_offset", *_SUBJECT, *_HAPPENED)
OUTCOME = _facet(tables.outcomes, "first", "type")
DEAD_LETTER = _facet(tables.dead_letters, "newest", "offset", *_GIVEN_UP)
INTAKE_DEAD_LETTER = _facet(tables.intake_dead_letters, "newest", "refused_at", *_REFUSED)

_OFFSETS = {
    DECISION: "offset",
    LAST_DECISION: "last_offset",
    REQUEST: "request_offset",
    STATUS: "outcome_offset",
    OUTCOME: "offset",
    DEAD_LETTER: "offset",
}
CLUSTERS_APART = 2**40
"""More than a topic will ever hold."""


def counted_on(rows: Iterable[Row], clusters: int) -> Iterator[Row]:
    """The same with offsets greater than any in the `clusters` whose messages were recorded earlier: what is told
    in a new one is newer, though its offsets begin at 0 again."""
    for facet, values in rows:
        name = _OFFSETS.get(facet) if clusters else None
        yield Row(facet, {**values, name: values[name] + clusters * CLUSTERS_APART} if name else values)


def merge(rows: Iterable[Row]) -> dict[Facet, list[Mapping[str, Any]]]:
    """One message for each row and facet, the one that would be left if all were written in their order. Sorted by
    key, so that two writers lock rows in the same order."""
    merged: dict[Facet, dict[tuple[Any, ...], Mapping[str, Any]]] = {}
    for facet, values in rows:
        known = merged.setdefault(facet, {})
        key = tuple(values[name] for name in facet.key)
        present = known.get(key)
        if present is None or (facet.keep == "newest" and values[facet.guard] > present[facet.guard]):
            known[key] = values
    return {facet: [known[key] for key in sorted(known)] for facet, known in merged.items()}
