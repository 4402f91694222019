"""The role `assign` without Kafka: messages in, decisions out, and the state looked into."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from agents.assign import Assign
from streams.batch import Batch, Effects, Output
from streams.policy.assignment import rows
from streams.state import State
from tests.support.booking import MONDAY, Booking, FakeRecord, Message

COMMANDS = "assignment.commands"


class Decision(dict[str, Any]):
    """A decision's data; `type` is the event's."""

    type: str = ""
    event: dict[str, Any]

    def candidate(self, staff_id: str) -> dict[str, Any]:
        return next(one for one in self["candidates"] if one["staff_id"] == staff_id)

    @property
    def excluded(self) -> dict[str, str | None]:
        return {one["staff_id"]: one.get("excluded_by") for one in self["candidates"]}


def decisions_of(outputs: Iterable[Output]) -> list[Decision]:
    made = []
    for output in outputs:
        if output.topic == "assignment.decisions":
            event = msgspec.json.decode(output.value)
            decision = Decision(event["data"])
            decision.type, decision.event = event["type"].removeprefix("callback."), event
            made.append(decision)
    return made


class Desk:
    """One partition of `assign`. The clock stands at `at` until somebody moves it."""

    def __init__(self, *, at: datetime = MONDAY, part: int = 500, at_most: int = 2000) -> None:
        self.role = Assign(1, part=part, at_most=at_most)
        self.state = State(0, self.role.tables)
        self.role.recovered(self.state)
        self.at = at
        self.outputs: list[Output] = []
        self.counted: Counter[tuple[str, ...]] = Counter()
        self._looked_at = 0

    def send(self, *messages: Message, at: datetime | None = None) -> list[Decision]:
        """Apply each message in a batch of its own. Returns the decisions."""
        self.at = at or self.at
        made: list[Decision] = []
        for message in messages:
            made += decisions_of(self.apply([self.record(message)]).outputs)
        return made

    def one(self, *messages: Message, at: datetime | None = None) -> Decision:
        """The same, where exactly one decision is expected."""
        (decision,) = self.send(*messages, at=at)
        return decision

    def tick(self, at: datetime | None = None) -> list[dict[str, Any]]:
        """Let the timers write what is due. Returns all the commands that nobody has looked at yet, as events."""
        self.at = at or self.at
        self.apply([])
        self.apply([])
        written = [output for output in self.outputs[self._looked_at :] if output.topic == COMMANDS]
        self._looked_at = len(self.outputs)
        return [msgspec.json.decode(output.value) for output in written]

    def obey(self) -> list[Decision]:
        """Let the timers write, and read what they write."""
        made: list[Decision] = []
        while commands := self.tick():
            for event in commands:
                made += self.send(Message(COMMANDS, event))
        return made

    def pass_time(self, until: datetime) -> list[Decision]:
        """The timers run and what they write comes back, until the clock stands at `until`."""
        made: list[Decision] = []
        while (due := self.role.next_wakeup(self.state)) is not None and due <= until.timestamp():
            self.at = max(self.at, datetime.fromtimestamp(due, MONDAY.tzinfo))
            made += self.obey()
        self.at = until
        return made

    def record(self, message: Message) -> FakeRecord:
        offset = self.state.positions.get(message.topic, 0)
        return message.record(offset=offset, at=message.at or self.at)

    def apply(self, batch: Sequence[FakeRecord]) -> Effects:
        effects = apply(self.role, self.state, batch, self.at)
        self.outputs += effects.outputs
        self.counted += effects.counted
        check_rows(self.state)
        return effects

    def restart(self) -> None:
        """Another process takes over."""
        self.state = reloaded(self.role, self.state)

    def load(self, staff_id: str, company_id: str = "co-1") -> int:
        return self._standing(staff_id, company_id).load

    def turn(self, staff_id: str, company_id: str = "co-1") -> int:
        return self._standing(staff_id, company_id).turn

    def callback(self, callback_id: str, company_id: str = "co-1") -> rows.CallbackRow | None:
        value = self.state.get(rows.CALLBACKS, company_id, callback_id)
        return None if value is None else rows.decode_callback(value)

    def owner(self, callback_id: str) -> str | None:
        row = self.callback(callback_id)
        return row.carrier if row is not None else None

    def intake(self, result: str) -> int:
        return sum(
            n for (name, *labels), n in self.counted.items() if name.endswith("intake_total") and result in labels
        )

    def _standing(self, staff_id: str, company_id: str) -> rows.LoadRow:
        value = self.state.get(rows.LOADS, company_id, staff_id)
        return rows.LoadRow(0, 0, None) if value is None else rows.decode_load(value)


def apply(role: Assign, state: State, batch: Sequence[FakeRecord], at: datetime) -> Effects:
    """One step and its commit. `batch` in the order of application, topics mixed as they come."""
    runs: list[tuple[str, list[FakeRecord]]] = []
    for record in batch:
        if not runs or runs[-1][0] != record.topic:
            runs.append((record.topic, []))
        runs[-1][1].append(record)
    effects = role.step(Batch(state, list(runs), at.timestamp()), state)
    state.committed()
    return effects


def reloaded(role: Assign, state: State) -> State:
    """What another process knows that loads the rows, in whatever order they come."""
    fresh = State(state.partition, role.tables)
    for table in role.tables:
        for scope in state.scopes(table):
            for key, value in sorted(state.rows(table, scope).items(), reverse=True):
                fresh.restore(table, scope, key, value)
    fresh.positions = dict(state.positions)
    fresh.committed()
    role.recovered(fresh)
    return fresh


def finish(role: Assign, state: State, at: datetime) -> list[Output]:
    """Go on with large tasks until none is left."""
    outputs: list[Output] = []
    for _ in range(10_000):
        if role.next_wakeup(state) != 0.0:
            return outputs
        outputs += apply(role, state, [], at).outputs
    raise AssertionError("a task does not end")


def check_rows(state: State) -> None:
    """Each person's load is the number of their open callbacks."""
    for company_id in {*state.scopes(rows.LOADS), *state.scopes(rows.CALLBACKS)}:
        carried: Counter[str] = Counter()
        for value in state.rows(rows.CALLBACKS, company_id).values():
            carrier = rows.decode_callback(value).carrier
            if carrier is not None:
                carried[carrier] += 1
        loads = {who: rows.decode_load(row).load for who, row in state.rows(rows.LOADS, company_id).items()}
        assert {who: load for who, load in loads.items() if load} == carried


def team(*staff_ids: str, branch: str = "br-1", **fields: Any) -> tuple[Booking, Desk]:
    """A company with one branch and these people, applied."""
    booking, desk = Booking(), Desk()
    desk.send(booking.company(), booking.branch(branch))
    for staff_id in staff_ids:
        desk.send(booking.staff(staff_id, branch_ids=[branch], **fields))
    return booking, desk


def hours(number: float) -> timedelta:
    return timedelta(hours=number)
