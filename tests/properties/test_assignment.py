"""Assignment after any sequence of events: compared with a naive telling of the rules, and with itself."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.assign import Assign
from streams.policy.assignment import choosing, rows
from streams.state import State
from tests.support.assigning import Decision, apply, check_rows, decisions_of, finish, reloaded
from tests.support.booking import MONDAY, Booking, FakeRecord, Message, milliseconds
from tests.support.booking_days import Action, Teller, days
from tests.support.naive_assignment import NaiveAssignment

Day = list[tuple[Action, timedelta]]
Rows = dict[tuple[str, str, str], bytes]
BEFORE = MONDAY - timedelta(days=9)
"""No timer is due by then."""


def fresh(role: Assign) -> State:
    state = State(0, role.tables)
    role.recovered(state)
    return state


def table_rows(state: State, *without: str) -> Rows:
    return {
        (table, scope, key): value
        for table in rows.TABLES
        if table not in without
        for scope in state.scopes(table)
        for key, value in state.rows(table, scope).items()
    }


def plain(decision: Decision) -> dict[str, Any]:
    """As the naive telling has it."""
    return {
        "type": decision.type,
        **{k: v for k, v in decision.items() if k not in {"decision_id", "company_id", "basis"}},
    }


class Told:
    """A day told to the role, message by message."""

    def __init__(self) -> None:
        self.role = Assign(1)
        self.state = fresh(self.role)
        self.teller = Teller()
        self.records: list[FakeRecord] = []
        self.decisions: list[Decision] = []

    def messages(self, day: Day) -> Any:
        yield from self.teller.opening()
        for action, step in day:
            message = self.teller.tell(action, step)
            if message is not None:
                yield message

    def apply(self, message: Message) -> list[Decision]:
        record = message.record(offset=self.state.positions.get(message.topic, 0))
        self.records.append(record)
        decisions = decisions_of(apply(self.role, self.state, [record], BEFORE).outputs)
        self.teller.heard([{"type": one.type, **one} for one in decisions])
        self.decisions += decisions
        return decisions

    def all(self, day: Day) -> "Told":
        for message in self.messages(day):
            self.apply(message)
        return self


@settings(max_examples=250)
@given(days)
def test_as_the_rules_say(day: Day) -> None:
    """Every record leads to exactly the decisions that the rules, told naively, say; with every candidate's load,
    turn and exclusion. So nobody is ever picked who is not eligible."""
    compare(day, NaiveAssignment())


@settings(max_examples=150)
@given(days, st.integers(0, 3), st.integers(0, 3))
def test_many_candidates_as_the_rules_say(day: Day, shown_at_most: int, best_shown: int) -> None:
    """The same where there are more candidates than are listed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "SHOWN_AT_MOST", shown_at_most)
        patch.setattr(choosing, "BEST_SHOWN", best_shown)
        compare(day, NaiveAssignment(shown_at_most, best_shown))


def compare(day: Day, naive: NaiveAssignment) -> None:
    told = Told()
    names: dict[str, str] = {}
    for message in told.messages(day):
        decisions = told.apply(message)
        data = message.data
        if data.get("decision_id") in names:
            data["decision_id"] = names[data["decision_id"]]
        expected = naive.apply(message.but(data=data), message.at or MONDAY)
        assert [plain(one) for one in decisions] == expected
        for one in decisions:
            names[one["decision_id"]] = f"{message.id}/{one.get('callback_id')}"
        check_rows(told.state)
        compare_standings(told.state, naive)


def compare_standings(state: State, naive: NaiveAssignment) -> None:
    """Loads and turns are those of the naive telling."""
    for staff_id, value in state.rows(rows.LOADS, "co-1").items():
        row = rows.decode_load(value)
        assert (row.load, row.turn) == (naive.load(staff_id), naive.turn(staff_id))
    assert set(naive.turns) <= set(state.rows(rows.LOADS, "co-1"))


@settings(max_examples=50)
@given(days)
def test_load_is_the_number_of_open_callbacks(day: Day) -> None:
    """After any sequence of events each person's load is the number of their open callbacks."""
    told = Told()
    for message in told.messages(day):
        told.apply(message)
        check_rows(told.state)


@settings(max_examples=100)
@given(days, st.integers(0, 40))
def test_replaying_a_prefix_changes_nothing(day: Day, length: int) -> None:
    """Records that come again lead to no decision and change no row."""
    told = Told().all(day)
    before = table_rows(told.state)
    for record in told.records[:length]:
        again = FakeRecord(
            record.topic, 0, told.state.positions[record.topic], record.timestamp, record.key, record.value
        )
        assert decisions_of(apply(told.role, told.state, [again], BEFORE).outputs) == []
    assert table_rows(told.state) == before


@settings(max_examples=150)
@given(days, st.lists(st.integers(1, 9), max_size=20), st.integers(1, 3), st.integers(0, 30))
def test_batches_may_be_cut_anywhere(day: Day, cuts: list[int], part: int, restarts: int) -> None:
    """Cutting the same records into batches in any way, doing large tasks in parts of any size, and another
    process taking over at any point, give the same decisions byte for byte and the same rows."""
    told = Told().all(day)
    whole = [output.value for output in replay(Assign(1), told.records, [], 0)[0]]
    outputs, state = replay(Assign(1, part=part, at_most=part), told.records, cuts, restarts)
    assert [output.value for output in outputs] == whole
    assert table_rows(state) == table_rows(told.state)


def replay(role: Assign, records: Sequence[FakeRecord], cuts: list[int], restarts: int) -> tuple[list[Any], State]:
    """Apply `records` in batches of these sizes, the rest at once; after every `restarts` batches the process is
    another one."""
    state, outputs, start = fresh(role), [], 0
    sizes = [*cuts, len(records)]
    for number, size in enumerate(sizes):
        batch = records[start : start + size]
        start += size
        if batch:
            outputs += apply(role, state, batch, BEFORE).outputs
        if restarts and number % restarts == 0:
            state = reloaded(role, state)
    outputs += finish(role, state, BEFORE)
    return [output for output in outputs if output.topic == "assignment.decisions"], state


@settings(max_examples=100)
@given(
    st.integers(1, 6),
    st.integers(1, 40),
    st.lists(st.integers(0, 39), max_size=30),
    st.randoms(use_true_random=False),
)
def test_round_robin_is_fair(people: int, number: int, completed: list[int], random: Any) -> None:
    """Over people who are alike the numbers of assignments differ by one at most, whatever is completed."""
    role, booking = Assign(1), Booking()
    state = fresh(role)
    messages = [booking.branch(strategy="round_robin"), *(booking.staff(f"st-{n}") for n in range(people))]
    for n in range(number):
        messages.append(booking.callback(f"cb-{n}"))
        messages += [
            booking.callback(f"cb-{m}", "completed") for m in completed if m <= n and random.random() < 0.1
        ]
    given_to: Counter[str] = Counter({f"st-{n}": 0 for n in range(people)})
    for message in messages:
        record = message.record(offset=state.positions.get(message.topic, 0))
        given_to.update(one["staff_id"] for one in decisions_of(apply(role, state, [record], MONDAY).outputs))
        assert max(given_to.values()) - min(given_to.values()) <= 1


@settings(max_examples=60)
@given(days)
def test_timers_lose_nobody(day: Day) -> None:
    """Whatever happened, once the timers have run for three days nobody waits whom somebody could have taken.

    Every beginning of a shift and end of an absence has been decided at: the naive telling, asked each quarter of
    an hour, finds nobody eligible for those who still wait.
    """
    told, naive = Told(), NaiveAssignment()
    latest = MONDAY
    for message in told.messages(day):
        told.apply(message)
        naive.apply(message, message.at or MONDAY)
        latest = max(latest, message.at or MONDAY)
    at = latest
    end = latest + timedelta(days=3)
    while (due := told.role.next_wakeup(told.state)) is not None and due <= end.timestamp():
        at = max(at, MONDAY.fromtimestamp(due, MONDAY.tzinfo))
        for output in apply(told.role, told.state, [], at).outputs:
            key, value = output.key, output.value
            offset = told.state.positions.get(output.topic, 0)
            record = FakeRecord(output.topic, 0, offset, milliseconds(at), key, value)
            apply(told.role, told.state, [record], at)
    waiting = [
        row
        for value in told.state.rows(rows.CALLBACKS, "co-1").values()
        if (row := rows.decode_callback(value)).waiting
    ]
    sync(naive, told.state)
    quarter = timedelta(minutes=15)
    naive.at = latest + quarter
    while naive.at < end - quarter:
        for row in waiting:
            data = {"branch_id": row.branch, "service_id": row.service, "staff_id": row.preferred}
            assert naive.best(data, "load_based", None) is None, (row, naive.at)
        naive.at += quarter


def sync(naive: NaiveAssignment, state: State) -> None:
    """Give the naive telling the owners that the timers have led to."""
    for callback_id, value in state.rows(rows.CALLBACKS, "co-1").items():
        row = rows.decode_callback(value)
        naive.callbacks[callback_id].owner = row.owner
