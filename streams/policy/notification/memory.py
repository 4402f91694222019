"""One company's rows in the state, typed, and the index by which a customer's rows are found."""

import heapq
import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from streams.policy.notification import rows
from streams.policy.notification.forgetting import Hints
from streams.policy.notification.rows import Row
from streams.state import State

R = TypeVar("R", bound=Row)
FEW = 1024
"""Places among which some may lead nowhere any more."""

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[type[Row], msgspec.msgpack.Decoder[Any]] = {}


def decode(kind: type[R], content: bytes) -> R:
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    row: R = decoder.decode(content)
    return row


class Places:
    """Customer id -> (table, key) of rows that may be about them. Places are only added: with too many that may
    lead nowhere any more, they are to be collected anew."""

    __slots__ = ("_found", "_many", "_size")

    def __init__(self, found: Iterable[tuple[str, str, str]]) -> None:
        """`found`: (customer id, table, key)."""
        self._found: dict[str, set[tuple[str, str]]] = {}
        self._size = 0
        self._many = math.inf
        for customer_id, table, key in found:
            self.add(customer_id, table, key)
        self._many = 2 * self._size + FEW

    def __getitem__(self, customer_id: str) -> list[tuple[str, str]]:
        return sorted(self._found.get(customer_id, ()))

    def __len__(self) -> int:
        return self._size

    def add(self, customer_id: str, table: str, key: str) -> bool:
        """Whether they are still worth keeping."""
        places = self._found.setdefault(customer_id, set())
        self._size += (table, key) not in places
        places.add((table, key))
        return self._size <= self._many


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
        if customer_id is not None and places is not None and not places.add(customer_id, table, key):
            del self._state.derived[self.company_id]

    def wake(self, at: float, appointment_id: str) -> None:
        """A reminder of the appointment falls due at `at`, in seconds."""
        self._hints.alarms.set((at, self.company_id, appointment_id))

    def delete(self, table: str, key: str) -> None:
        self._state.delete(table, self.company_id, key)

    def about(self, customer_id: str) -> list[tuple[str, str]]:
        """(table, key) of the rows that may be about a customer. Built on the first question, then kept."""
        places: Places | None = self._state.derived.get(self.company_id)
        if places is None:
            places = self._state.derived[self.company_id] = Places(self._places())
        return places[customer_id]

    def _places(self) -> Iterator[tuple[str, str, str]]:
        for key, content in self._state.rows(rows.ENTITIES, self.company_id).items():
            facts = decode(rows.entity_kind(key), content).facts
            if facts is not None and facts.customer is not None:
                yield facts.customer.id, rows.ENTITIES, key
        for key, content in self._state.rows(rows.WAITING, self.company_id).items():
            facts = decode(rows.Waiting, content).trigger.facts
            if facts.customer is not None:
                yield facts.customer.id, rows.WAITING, key
