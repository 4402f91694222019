"""Hypothesis: what a company may tell in a day, in any order, and sometimes twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.support.booking import MONDAY, Booking, Message, absence, iso, week

STAFF = ("st-1", "st-2", "st-3", "st-4")
BRANCHES = ("br-1", "br-2", "br-3")
SERVICES = ("sv-1", "sv-2")
CALLBACKS = ("cb-1", "cb-2", "cb-3", "cb-4")

Action = tuple[Any, ...]


def often(*weighted: tuple[int, Any]) -> st.SearchStrategy[Any]:
    """One of the values, each as often as its number says."""
    return st.sampled_from([value for weight, value in weighted for _ in range(weight)])


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


staff_fields = some(
    branch_ids=often((4, ["br-1"]), (3, ["br-1", "br-2"]), (1, ["br-2"]), (1, [])),
    service_ids=often((4, ["sv-1", "sv-2"]), (2, ["sv-1"]), (1, [])),
    is_active=often((2, True), (1, False)),
    accepts_callbacks=often((4, True), (1, False)),
    max_active_callbacks=often((2, None), (1, 0), (4, 1), (2, 2)),
    working_hours=often((4, None), (1, {}), (3, week()), (2, week("11:00", "12:30")), (1, week("22:00", "24:00"))),
    absences=often(
        (4, None),
        (2, [absence(MONDAY - timedelta(hours=1), MONDAY + timedelta(hours=4))]),
        (1, [absence(MONDAY, MONDAY)]),
    ),
)
branch_fields = some(
    auto_assign=often((3, True), (1, False)),
    strategy=st.sampled_from(["round_robin", "load_based"]),
    timezone=often((3, "Europe/Berlin"), (1, "America/New_York"), (1, "Asia/Kolkata")),
)
callback_fields = some(
    branch_id=often((5, "br-1"), (3, "br-2"), (1, "br-3")),
    service_id=often((4, "sv-1"), (2, "sv-2"), (1, None)),
    staff_id=often((3, None), (1, "st-1"), (1, "st-3")),
    assigned_to=often((5, None), (1, "st-1"), (1, "st-2"), (1, "st-3"), (1, "st-9")),
    priority=st.sampled_from(["normal", "high", "urgent"]),
    requested_at=st.sampled_from([iso(MONDAY), iso(MONDAY - timedelta(hours=1))]),
    expires_at=often((3, None), (3, iso(MONDAY + timedelta(minutes=30))), (1, iso(MONDAY + timedelta(days=1)))),
    assign=often((4, True), (1, False)),
)
callback_ids = st.sampled_from(CALLBACKS)
known_or_not = often((6, "cb-1"), (6, "cb-2"), (6, "cb-3"), (1, "cb-x"))
chosen_strategies = often((4, None), (2, "round_robin"), (2, "load_based"), (1, "psychic"))
bulk_fields = some(
    branch_id=often((3, "br-1"), (1, "br-2"), (1, "br-3")),
    callback_ids=st.lists(st.sampled_from([*CALLBACKS, "cb-x"]), max_size=5),
    strategy=chosen_strategies,
)
changes = often(
    (4, "updated"),
    (3, "assigned"),
    (1, "contacted"),
    (3, "completed"),
    (1, "cancelled"),
    (3, "unassigned"),
    (2, "reopened"),
)
a_callback = st.tuples(st.just("callback"), callback_ids, st.just("requested"), callback_fields)
a_request = st.tuples(st.just("callback"), callback_ids, st.just("requested"), st.just({}))
a_change = st.tuples(st.just("callback"), callback_ids, changes, callback_fields)
a_mere_change = st.tuples(st.just("callback"), callback_ids, changes, st.just({}))
an_echo = st.tuples(st.just("echo"), callback_ids, st.integers(0, 3), st.booleans(), changes)
a_person = st.tuples(st.just("staff"), st.sampled_from(STAFF), staff_fields)
a_command = st.one_of(
    st.tuples(st.just("auto"), known_or_not, chosen_strategies),
    st.tuples(st.just("reassign"), known_or_not, chosen_strategies),
    st.tuples(st.just("reassign"), known_or_not, st.none()),
    st.tuples(st.just("bulk"), bulk_fields),
    st.tuples(st.just("reconsider"), st.sampled_from(BRANCHES)),
    st.tuples(st.just("expire"), callback_ids),
    st.tuples(st.just("expire"), callback_ids),
)
a_rarity = st.one_of(
    st.tuples(st.just("branch"), st.sampled_from(BRANCHES), branch_fields),
    st.tuples(st.just("deleted"), often((2, ("staff", "st-1")), (1, ("branch", "br-1")), (1, ("company", "")))),
    st.tuples(st.just("company"), st.sampled_from(["Europe/Berlin", "America/New_York"])),
    st.tuples(st.just("again"), st.integers(0, 50)),
)
actions: st.SearchStrategy[Action] = st.one_of(
    a_callback, a_callback, a_request, a_request, a_change, a_mere_change, an_echo, a_person, a_command, a_rarity
)
steps = often(
    (12, timedelta(0)),
    (3, timedelta(seconds=1)),
    (3, timedelta(minutes=20)),
    (1, timedelta(hours=3)),
    (1, timedelta(minutes=-40)),
    (1, timedelta(hours=-5)),
)
days = st.integers(0, 45).flatmap(lambda size: st.lists(st.tuples(actions, steps), min_size=size, max_size=size))


@dataclass
class Teller:
    """Turns actions into messages; `decided` are the decisions so far, for echoes."""

    booking: Booking = field(default_factory=Booking)
    told: list[Message] = field(default_factory=list)
    decided: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    stated: dict[str, dict[str, Any]] = field(default_factory=dict)
    at: datetime = MONDAY

    def opening(self) -> Iterator[Message]:
        """A company as it is most often: two people at one branch that assigns by itself."""
        yield self._note(self.booking.company())
        yield self._note(self.booking.branch("br-1"))
        yield self._note(self.booking.staff("st-1"))
        yield self._note(self.booking.staff("st-2", service_ids=list(SERVICES), max_active_callbacks=1))

    def tell(self, action: Action, step: timedelta) -> Message | None:
        self.at += step
        message = getattr(self, f"_{action[0]}")(*action[1:])
        return None if message is None else self._note(message)

    def heard(self, decisions: list[dict[str, Any]]) -> None:
        for decision in decisions:
            if decision.get("callback_id") and decision["type"] != "command_refused":
                self.decided.setdefault(decision["callback_id"], []).append(decision)

    def _note(self, message: Message) -> Message:
        message = message.but(at=self.at)
        self.told.append(message)
        return message

    def _callback(self, callback_id: str, event: str, fields: dict[str, Any]) -> Message:
        fields = {**fields, "decision_id": None}
        if event == "assigned" and not fields.get("assigned_to"):
            fields["assigned_to"] = "st-2"
        if event == "reopened":
            event, fields["status"] = "updated", "pending"
        return self.booking.callback(callback_id, event, **fields)

    def _echo(self, callback_id: str, back: int, named: bool, event: str) -> Message | None:
        """The booking system has applied one of our decisions, the latest or an earlier one."""
        decisions = self.decided.get(callback_id, [])[-4:]
        if not decisions:
            return None
        decision = decisions[-1 - back % len(decisions)]
        staff_id = decision.get("staff_id")
        event = (
            "updated"
            if event in {"reopened", "requested"} or (event == "assigned" and staff_id is None)
            else event
        )
        decision_id = decision["decision_id"] if named else None
        return self.booking.callback(callback_id, event, assigned_to=staff_id, decision_id=decision_id)

    def _staff(self, staff_id: str, fields: dict[str, Any]) -> Message:
        return self.booking.staff(staff_id, **fields)

    def _branch(self, branch_id: str, fields: dict[str, Any]) -> Message:
        return self.booking.branch(branch_id, **fields)

    def _company(self, timezone: str) -> Message:
        return self.booking.company(timezone=timezone)

    def _deleted(self, entity: tuple[str, str]) -> Message:
        return self.booking.deleted(*entity)

    def _auto(self, callback_id: str, strategy: str | None) -> Message:
        return self.booking.auto_assign(callback_id, strategy=strategy)

    def _reassign(self, callback_id: str, strategy: str | None) -> Message:
        return self.booking.reassign(callback_id, strategy=strategy)

    def _bulk(self, fields: dict[str, Any]) -> Message:
        return self.booking.bulk_auto_assign(**fields)

    def _reconsider(self, branch_id: str) -> Message:
        return self.booking.reconsider(branch_id, self.at)

    def _expire(self, callback_id: str) -> Message | None:
        expires = next(
            (
                m.data.get("expires_at")
                for m in reversed(self.told)
                if m.data.get("callback_id") == callback_id and "version" in m.data
            ),
            None,
        )
        return None if expires is None else self.booking.expire(callback_id, datetime.fromisoformat(expires))

    def _again(self, number: int) -> Message:
        return self.told[number % len(self.told)]
