"""The state of one partition number: rows of bytes that can be taken back, and what is derived from them.

A row is found by table, scope (the company) and key. Values are bytes, which is also how they travel on the
role's changelog, so a row costs its bytes and no more, and nobody can change one in place.

A batch writes straight into the rows. If its function raises, `rollback` puts back what it found; if the
transaction fails, the process ends and the rows with it. So nothing that was not committed is ever read by
anyone but the batch that wrote it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Change = tuple[str, str, str]
"""(table, scope, key)"""

_EMPTY: Mapping[str, bytes] = {}


def row_key(table: str, scope: str, key: str) -> bytes:
    """A row's key on the changelog. Neither tables' names nor company ids have a slash."""
    return f"{table}/{scope}/{key}".encode()


def read_row_key(key: bytes) -> Change:
    table, scope, name = key.decode().split("/", 2)
    return table, scope, name


class State:
    """Rows, positions and derived values of one partition number."""

    __slots__ = ("_before", "_positions_before", "_tables", "derived", "owned", "partition", "positions", "shared")

    def __init__(self, partition: int, tables: tuple[str, ...]) -> None:
        self.partition = partition
        self.owned = 1
        """How many partition numbers this process has, this one among them."""
        self._tables: dict[str, dict[str, dict[str, bytes]]] = {name: {} for name in tables}
        self._before: dict[Change, bytes | None] = {}
        self.positions: dict[str, int] = {}
        """Contract topic name -> offset after the last record applied. The lane keeps it."""
        self._positions_before: dict[str, int] = {}
        self.derived: dict[str, Any] = {}
        """Per scope, whatever the role computes from its rows, on first use. A rollback drops it."""
        self.shared: Any = None
        """Whatever the role computes over all scopes, set by `Role.recovered`. It must survive a rollback: let
        it hold hints (such as a heap of due times) that are checked against the rows when they are used."""

    def get(self, table: str, scope: str, key: str) -> bytes | None:
        rows = self._tables[table].get(scope)
        return None if rows is None else rows.get(key)

    def rows(self, table: str, scope: str) -> Mapping[str, bytes]:
        """All rows of a scope, live: copy before changing the table while iterating."""
        return self._tables[table].get(scope, _EMPTY)

    def scopes(self, table: str) -> Iterator[str]:
        return iter(self._tables[table])

    def put(self, table: str, scope: str, key: str, value: bytes) -> None:
        scopes = self._tables[table]
        rows = scopes.get(scope)
        if rows is None:
            rows = scopes[scope] = {}
        change = (table, scope, key)
        if change not in self._before:
            self._before[change] = rows.get(key)
        rows[key] = value

    def delete(self, table: str, scope: str, key: str) -> None:
        rows = self._tables[table].get(scope)
        if rows is None or key not in rows:
            return
        change = (table, scope, key)
        if change not in self._before:
            self._before[change] = rows[key]
        self._remove(table, scope, key)

    def sweep(self, table: str, is_over: Callable[[bytes], bool]) -> None:
        """Delete the table's rows of which that is true. It looks at all of them: not for a hot path."""
        for scope in list(self._tables[table]):
            for key, value in list(self.rows(table, scope).items()):
                if is_over(value):
                    self.delete(table, scope, key)

    def changes(self) -> Iterator[tuple[str, str, str, bytes | None]]:
        """(table, scope, key, value) of every row changed since the last commit; None: deleted."""
        for table, scope, key in self._before:
            yield table, scope, key, self.get(table, scope, key)

    def committed(self) -> None:
        self._before.clear()
        self._positions_before = dict(self.positions)

    def rollback(self) -> None:
        for (table, scope, key), value in self._before.items():
            if value is None:
                self._remove(table, scope, key)
            else:
                self._tables[table].setdefault(scope, {})[key] = value
        self._before.clear()
        self.derived.clear()
        self.positions = dict(self._positions_before)

    def restore(self, table: str, scope: str, key: str, value: bytes | None) -> None:
        """Apply one changelog record; None deletes."""
        if value is None:
            self._remove(table, scope, key)
        else:
            self._tables[table].setdefault(scope, {})[key] = value

    def _remove(self, table: str, scope: str, key: str) -> None:
        rows = self._tables[table].get(scope)
        if rows is not None:
            rows.pop(key, None)
            if not rows:
                del self._tables[table][scope]
