"""What `notify` keeps beside its rows grows with the rows, not with the events; nothing that is due is missed."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.notification import alarms, forgetting, memory
from streams.policy.notification.alarms import Alarms
from streams.policy.notification.facts import Facts, Person, Urls
from streams.policy.notification.forgetting import Hints
from streams.policy.notification.memory import Memory, Places
from streams.policy.notification.rows import ENTITIES, TABLES, WAITING, Appointment, Row
from streams.state import State

COMPANY = "co-7"


def test_hints_of_one_row() -> None:
    """However often a row is written, few hints stand for it."""
    state, hints = State(0, TABLES), Hints()
    for number in range(10_000):
        forgetting.begin(state, hints)
        Memory(state, hints, COMPANY).write(ENTITIES, "ap-1", Row(number + 1))
        state.committed()
    assert len(hints.heap) <= 2 * forgetting.FEW
    assert [key for _, _, key, _ in forgetting.forget(state, hints, 10_000)] == ["ap-1"]


def test_alarms_of_one_appointment() -> None:
    """However often the same reminder is planned, few alarms stand for it."""
    found = Alarms()
    for _ in range(10_000):
        found.begin()
        found.set((5.0, COMPANY, "ap-1"))
    assert len(found.heap) <= 2 * alarms.FEW
    assert found.ring(5.0) == (5.0, COMPANY, "ap-1")


def about(customer_id: str) -> Appointment:
    person = Person(customer_id, "Erika", None, None, None)
    return Appointment(0, 1, Facts("appointment", "x", 1, "booked", "b-1", None, None, person, Urls()))


def test_places_of_rows_that_are_gone() -> None:
    """Customers whose rows are gone do not stay in the index; those whose rows are there are found."""
    state = State(0, TABLES)
    known = Memory(state, Hints(), COMPANY)
    known.write(ENTITIES, "appointment/here", about("here"), customer_id="here")
    most = 0
    for number in range(10_000):
        key = f"appointment/{number}"
        known.write(ENTITIES, key, about(f"cu-{number}"), customer_id=f"cu-{number}")
        known.delete(ENTITIES, key)
        assert known.about("here") == [(ENTITIES, "appointment/here")]
        most = max(most, len(state.derived[COMPANY]))
    assert most <= 2 + memory.FEW


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=40), st.integers(0, 40))
def test_whom_rows_are_about(writes: list[tuple[str, str]], asked_first: int) -> None:
    """Whenever the index was built, and dropped, each customer's rows are among those that it names."""
    known, now = Memory(State(0, TABLES), Hints(), COMPANY), dict[str, str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "FEW", 1)
        for number, (customer_id, key) in enumerate(writes):
            if number == asked_first:
                known.about(customer_id)
            known.write(ENTITIES, f"appointment/{key}", about(customer_id), customer_id=customer_id)
            now[key] = customer_id
        for key, customer_id in now.items():
            assert (ENTITIES, f"appointment/{key}") in known.about(customer_id)


def test_places_count_once() -> None:
    """The same place twice is one."""
    assert len(Places([("a", WAITING, "x"), ("a", WAITING, "x"), ("b", WAITING, "x")])) == 2


keys, times = st.sampled_from(["k-1", "k-2", "k-3"]), st.integers(0, 30)
steps = (
    st.tuples(st.just("write"), keys, times)
    | st.tuples(st.just("delete"), keys)
    | st.tuples(st.just("forget"), times)
)
ends = st.sampled_from(["commit", "rollback", "reload"])


@given(st.lists(st.tuples(st.lists(steps, max_size=8), ends), max_size=12))
def test_everything_due_is_forgotten(history: Sequence[tuple[list[Any], str]]) -> None:
    """Whatever is written, taken back or loaded again, and however many hints were dropped: what is due is
    forgotten when it is asked for, and nothing else is."""
    state, hints, expected = State(0, TABLES), Hints(many=0), dict[str, int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forgetting, "FEW", 0)
        for batch, end in history:
            before = dict(expected)
            forgetting.begin(state, hints)
            assert len(hints.heap) <= hints.many
            for step in batch:
                _apply(step, state, hints, expected)
            if end == "rollback":
                state.rollback()
                expected = before
            else:
                state.committed()
            if end == "reload":
                hints = forgetting.hints(state)
            assert {key: memory.decode(Row, row).forget_at for key, row in _rows(state).items()} == expected


def _apply(step: Any, state: State, hints: Hints, expected: dict[str, int]) -> None:
    known = Memory(state, hints, COMPANY)
    match step:
        case "write", key, forget_at:
            known.write(ENTITIES, key, Row(forget_at))
            expected[key] = forget_at
        case "delete", key:
            known.delete(ENTITIES, key)
            expected.pop(key, None)
        case "forget", at:
            due = {key for key, forget_at in expected.items() if 0 < forget_at <= at}
            assert {key for _, _, key, _ in forgetting.forget(state, hints, at)} == due
            for key in due:
                del expected[key]


def _rows(state: State) -> dict[str, bytes]:
    return dict(state.rows(ENTITIES, COMPANY))
