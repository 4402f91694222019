"""One company's rows in the state, typed, and the index by which a customer's rows are found."""

import heapq
from typing import Any, TypeVar

import msgspec

from streams.policy.notification import rows
from streams.policy.notification.forgetting import Hints
from streams.policy.notification.rows import Row
from streams.state import State

R = TypeVar("R", bound=Row)
Places = dict[str, set[tuple[str, str]]]
"""Customer id -> (table, key) of rows that may be about them."""

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[type[Row], msgspec.msgpack.Decoder[Any]] = {}


def decode(kind: type[R], content: bytes) -> R:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    row: R = decoder.decode(content)
    return row


class Memory:
    """Reads and writes rows of one company."""

    __slots__ = ("_hints", "_state", "company_id")

    def __init__(self, state: State, hints: Hints, company_id: str) -> None:
        self._state = state
        self._hints = hints
        self.company_id = company_id

    def read(self, kind: type[R], table: str, key: str) -> R | None:
        content = self._state.get(table, self.company_id, key)
        return None if content is None else decode(kind, content)

    def under(self, table: str, prefix: str) -> list[str]:
        """The keys of a table that begin with `prefix`."""
        return [key for key in self._state.rows(table, self.company_id) if key.startswith(prefix)]

    def write(self, table: str, key: str, row: Row, customer_id: str | None = None) -> None:
        """`customer_id` is whom the row is about, so that an erasure finds it."""
        self._state.put(table, self.company_id, key, _encode(row))
        if row.forget_at:
            heapq.heappush(self._hints.heap, (row.forget_at, table, self.company_id, key))
        places: Places | None = self._state.derived.get(self.company_id)
        if customer_id is not None and places is not None:
            places.setdefault(customer_id, set()).add((table, key))

    def wake(self, at: float, appointment_id: str) -> None:
        """A reminder of the appointment falls due at `at`, in seconds."""
        self._hints.alarms.set((at, self.company_id, appointment_id))

    def delete(self, table: str, key: str) -> None:
        self._state.delete(table, self.company_id, key)

    def about(self, customer_id: str) -> list[tuple[str, str]]:
        """(table, key) of the rows that may be about a customer. Built on the first question, then kept."""
        places: Places | None = self._state.derived.get(self.company_id)
        if places is None:
            places = self._state.derived[self.company_id] = self._places()
        return sorted(places.get(customer_id, ()))

    def _places(self) -> Places:
        places: Places = {}
        for key, content in self._state.rows(rows.ENTITIES, self.company_id).items():
            facts = decode(rows.entity_kind(key), content).facts
            if facts is not None and facts.customer is not None:
                places.setdefault(facts.customer.id, set()).add((rows.ENTITIES, key))
        for key, content in self._state.rows(rows.WAITING, self.company_id).items():
            facts = decode(rows.Waiting, content).trigger.facts
            if facts.customer is not None:
                places.setdefault(facts.customer.id, set()).add((rows.WAITING, key))
        return places
