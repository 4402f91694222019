"""Rows that can be taken back."""

from hypothesis import given
from hypothesis import strategies as st

from streams.state import State

Rows = dict[tuple[str, str, str], bytes]

tables, scopes, keys = st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("123")
values = st.sampled_from([b"", b"one", b"two"])
writes = st.one_of(st.tuples(tables, scopes, keys, values), st.tuples(tables, scopes, keys, st.none()))


def rows_of(state: State) -> Rows:
    return {
        (table, scope, key): value
        for table in "ab"
        for scope in state.scopes(table)
        for key, value in state.rows(table, scope).items()
    }


def write(state: State, rows: Rows, changes: list[tuple[str, str, str, bytes | None]]) -> None:
    """The same into the state and into a plain dictionary."""
    for table, scope, key, value in changes:
        if value is None:
            state.delete(table, scope, key)
            rows.pop((table, scope, key), None)
        else:
            state.put(table, scope, key, value)
            rows[table, scope, key] = value
        assert state.get(table, scope, key) == value


@given(st.lists(writes), st.lists(writes), st.lists(writes))
def test_rollback_restores_exactly(
    first: list[tuple[str, str, str, bytes | None]],
    failed: list[tuple[str, str, str, bytes | None]],
    last: list[tuple[str, str, str, bytes | None]],
) -> None:
    """After a rollback everything is as at the last commit, rows, positions and scopes; and so it stays usable."""
    state, rows = State(0, ("a", "b")), Rows()
    write(state, rows, first)
    state.positions["events"] = 3
    state.committed()
    write(state, dict(rows), failed)
    state.positions["events"] = 9
    state.positions["commands"] = 1
    state.derived["x"] = "computed from rows that are taken back"
    state.rollback()
    assert rows_of(state) == rows
    assert {scope for table in "ab" for scope in state.scopes(table)} == {scope for _, scope, _ in rows}
    assert state.positions == {"events": 3}
    assert state.derived == {}
    assert list(state.changes()) == []
    write(state, rows, last)
    assert rows_of(state) == rows


@given(st.lists(writes), st.lists(writes))
def test_changes_are_what_the_changelog_needs(
    before: list[tuple[str, str, str, bytes | None]], after: list[tuple[str, str, str, bytes | None]]
) -> None:
    """Each row that was touched since the commit is named once, with its last value, and no other; who has the
    rows as of the commit and applies the changes has the rows of now."""
    state, rows = State(0, ("a", "b")), Rows()
    write(state, rows, before)
    state.committed()
    copy = State(0, ("a", "b"))
    for (table, scope, key), value in rows.items():
        copy.restore(table, scope, key, value)
    write(state, rows, after)
    changes = list(state.changes())
    named = [change[:3] for change in changes]
    assert len(named) == len(set(named))
    assert set(named) <= {change[:3] for change in after}
    for change in changes:
        copy.restore(*change)
    assert rows_of(copy) == rows_of(state) == rows
