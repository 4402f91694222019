"""What holds for any sequence of events."""

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.event_types import APPOINTMENTS, CALLBACKS
from streams.batch import Output
from streams.policy.notification import ownership
from streams.policy.notification.ownership import ASSIGNED, WITHDRAWN, Statement
from streams.policy.notification.rows import Owner, Ruling
from tests.unit.notification.world import (
    FakeRecord,
    World,
    appointment,
    branch,
    callback,
    config,
    decision,
    opened,
    staff,
)

PEOPLE = ("anna", "ben", "cleo")
version = st.integers(1, 6)
person = st.sampled_from(PEOPLE)
notify = st.sampled_from(["all", "all", "staff", "none"])


def of(type: st.SearchStrategy[str], data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return st.tuples(type, data)


appointments = of(
    st.sampled_from([f"appointment.{what}" for what in ("created", "updated", "rescheduled", "deleted")]),
    st.builds(
        lambda version, **fields: appointment(version, **fields),
        version,
        notify=notify,
        staff_id=st.none() | person,
        branch_id=st.sampled_from(["b-1", "b-2"]),
        duration_minutes=st.sampled_from([30, 45]),
    ),
)
callbacks = of(
    st.sampled_from([f"callback.{what}" for what in ("requested", "updated", "assigned", "unassigned")]),
    st.builds(
        lambda version, **fields: callback(version, **fields),
        version,
        notify=notify,
        assigned_to=person,
        status=st.sampled_from(["pending", "assigned", "completed"]),
        branch_id=st.sampled_from(["b-1", "b-2"]),
    ),
)
decisions = of(
    st.sampled_from(["callback.auto_assigned", "callback.reassigned"]),
    st.builds(
        lambda number, who, seen: decision(f"d-{number}", who, basis={"booking.callbacks": seen}),
        version,
        person,
        st.integers(0, 6),
    ),
)
directory = st.one_of(
    of(st.just("branch.upserted"), st.builds(lambda v: branch(branch_id="b-2", version=v), version)),
    of(st.just("staff.upserted"), st.builds(lambda v, who: staff(who, version=v), version, person)),
    of(
        st.just("notification_config.upserted"),
        st.builds(
            lambda v, **fields: config("appointment.created", version=v, **fields),
            version,
            is_enabled=st.booleans(),
            audience=st.sampled_from(["customer", "staff"]),
            template_id=st.sampled_from([None, "ours"]),
        ),
    ),
    of(
        st.just("template.upserted"),
        st.builds(
            lambda v, name: {
                "template_id": "ours",
                "version": v,
                "channel": "email",
                "locale": "de",
                "body_text": f"{{{{ {name} }}}}",
            },
            version,
            st.sampled_from(["customer_name", "callback_priority", "customer_nmae"]),
        ),
    ),
    of(st.just("template.deleted"), st.builds(lambda v: {"template_id": "ours", "version": v}, version)),
    of(st.just("customer.erased"), st.just({"customer_id": "cu-1"})),
)
histories = st.lists(
    st.tuples(st.one_of(appointments, callbacks, decisions, directory), st.integers(0, 400)), max_size=25
)
"""((type, data), hours until the next record)"""


def recorded(world: World, history: Sequence[Any]) -> list[FakeRecord]:
    records = []
    for (type, data), hours in history:
        records.append(world.record(type, data))
        world.later(hours=hours)
    return records


def run(world: World, batches: Sequence[Sequence[FakeRecord]]) -> list[Output]:
    outputs: list[Output] = []
    for batch in batches:
        outputs += world.step(*batch).outputs
        world.state.committed()
    return outputs


def cut(records: Sequence[FakeRecord], at: Sequence[int]) -> list[Sequence[FakeRecord]]:
    edges = sorted({0, len(records), *(place % (len(records) + 1) for place in at)})
    return [records[start:end] for start, end in itertools.pairwise(edges)]


@settings(max_examples=60)
@given(histories, st.lists(st.integers(0, 100), max_size=6))
def test_batches_do_not_matter(history: Sequence[Any], at: Sequence[int]) -> None:
    """Cutting the same sequence of records into batches in any way writes the same, in the same order."""
    one, many, all_at_once = opened(), opened(), opened()
    records = recorded(one, history)
    single = run(one, [[record] for record in records])
    assert run(many, cut(records, at)) == single
    assert run(all_at_once, [records]) == single
    assert many.rows() == one.rows()


@settings(max_examples=60)
@given(histories, st.integers(0, 25))
def test_taking_back_and_repeating_does_not_matter(history: Sequence[Any], at: int) -> None:
    """A batch that is rolled back and applied again, or by another worker, writes the same."""
    straight, shaken = opened(), opened()
    records = recorded(straight, history)
    expected = run(straight, [[record] for record in records])
    outputs = run(shaken, [records[:at]])
    shaken.step(*records[at:])
    shaken.state.rollback()
    if at % 2:
        shaken.restart()
    outputs += run(shaken, [records[at:]])
    assert outputs == expected
    assert shaken.rows() == straight.rows()


@settings(max_examples=60)
@given(histories)
def test_sending_again_tells_nobody_twice(history: Sequence[Any]) -> None:
    """A producer may send all its appointments and callbacks again: nobody is told anything more."""
    world = opened()
    records = recorded(world, [(event, 0) for event, _ in history])
    run(world, [records])
    before = world.rows()
    assert run(world, [[record for record in records if record.topic in (APPOINTMENTS, CALLBACKS)]]) == []
    assert world.rows() == before


class Told:
    """One callback, as its colleagues hear of it."""

    def __init__(self) -> None:
        self.owner = Owner()
        self.believes: set[str] = set()
        self.heard: list[tuple[str, str]] = []

    def _hear(self, news: Sequence[ownership.News]) -> None:
        for what, who, reason in news:
            if reason is not None:
                continue
            self.heard.append((what, who))
            if what == ASSIGNED:
                assert who not in self.believes
                self.believes.add(who)
            else:
                assert who in self.believes
                self.believes.discard(who)

    def decision(self, number: int, who: str, seen: int) -> None:
        ruling = Ruling("callback.reassigned", f"d-{number}", "/staffetta/assign", number, who, None, seen)
        self.owner, news = ownership.after_decision(self.owner, ruling)
        self._hear(news)

    def snapshot(self, offset: int, who: str | None, number: int | None) -> None:
        said = Statement(
            event_type="callback.requested" if who is None else ASSIGNED,
            is_open=True,
            assigned_to=who,
            decision_id=None if number is None else f"d-{number}",
            offset=offset,
            is_silent=False,
        )
        self.owner, news = ownership.after_snapshot(self.owner, said)
        self._hear(news)


@settings(max_examples=300)
@example(moves=[1, 1], echoes=[2, 2], order=[False] * 6)
@example(moves=[1, 1, 1], echoes=[1, 3, 3], order=[True, False, True, False, True, False])
@given(
    moves=st.lists(st.integers(1, 2), min_size=1, max_size=6),
    echoes=st.lists(st.integers(1, 6), max_size=6),
    order=st.lists(st.booleans(), max_size=12),
)
def test_decisions_and_echoes_in_any_order(moves: list[int], echoes: list[int], order: list[bool]) -> None:
    """However decisions and their echoes interleave on their way, in the end exactly the one who has the callback
    believes so, and nobody is told or untold twice in a row.

    `moves`: by how much each decision moves on in the circle of three people. `echoes`: after which decision the
    booking system echoes each of them, in order. `order`: whether a decision or a snapshot arrives next.
    """
    chosen, at = [], 0
    for step in moves:
        at = (at + step) % len(PEOPLE)
        chosen.append(PEOPLE[at])
    delays = sorted(echoes[: len(chosen)])
    snapshots: list[tuple[int, str | None, int | None]] = [(0, None, None)]
    seen = []
    for number in range(len(chosen)):
        seen.append(len(snapshots) - 1)
        while len(snapshots) - 1 < len(delays) and (echoed := len(snapshots) - 1) <= number:
            if delays[echoed] > number + 1:
                break
            snapshots.append((len(snapshots), chosen[echoed], echoed))
    told = Told()
    arriving_decisions = list(enumerate(zip(chosen, seen, strict=True)))
    told.snapshot(*snapshots.pop(0))
    while arriving_decisions or snapshots:
        if arriving_decisions and (not snapshots or not order or order.pop()):
            number, (who, basis) = arriving_decisions.pop(0)
            told.decision(number, who, basis)
        else:
            told.snapshot(*snapshots.pop(0))
    assert told.believes == {chosen[-1]}
    assert told.heard.count((WITHDRAWN, chosen[-1])) < told.heard.count((ASSIGNED, chosen[-1]))


steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["decided", "assigned"]), person, st.booleans()),
        st.tuples(st.just("echo"), st.integers(0, 4), st.booleans()),
        st.tuples(st.sampled_from(["waiting", "unassigned", "completed"]), st.none(), st.booleans()),
    ),
    max_size=9,
)
"""What is said next, to whom, or (of an echo) of which decision, and whether it names the decision."""


def written(steps: Sequence[Any]) -> list[Statement | Ruling]:
    """What is said of a callback, as the two topics have it, in the order in which `assign` took it."""
    owner, ours, offset = Owner(), list[Ruling](), 0
    words: list[Statement | Ruling] = [Statement("callback.requested", True, None, None, 0, False)]
    for what, who, is_named in steps:
        if what in ("decided", "waiting"):
            kind = "callback.waiting" if who is None else "callback.reassigned"
            made = Ruling(kind, f"d-{len(ours)}", "/staffetta/assign", len(ours), who, owner.holder, offset)
            ours.append(made)
            owner, _ = ownership.after_decision(owner, made)
            words.append(made)
            continue
        echoed = ours[who % len(ours)] if what == "echo" and ours else None
        if what == "echo" and (echoed is None or echoed.staff_id is None):
            continue
        offset += 1
        to = who if echoed is None else echoed.staff_id
        named = echoed.id if echoed is not None and is_named else None
        event_type = f"callback.{'assigned' if what == 'echo' else what}"
        said = Statement(event_type, what != "completed", to, named, offset, False)
        owner, _ = ownership.after_snapshot(owner, said)
        words.append(said)
    return words


def told(words: Sequence[Statement | Ruling]) -> tuple[str | None, set[str]]:
    """Who has the callback in the end, and whom the last word has told that they do."""
    owner, last = Owner(), dict[str, str]()
    for word in words:
        if isinstance(word, Ruling):
            owner, news = ownership.after_decision(owner, word)
        else:
            owner, news = ownership.after_snapshot(owner, word)
        last |= {who: what for what, who, reason in news if reason is None}
    return owner.holder, {who for who, what in last.items() if what == ASSIGNED}


@settings(max_examples=300)
@example(steps=[("assigned", "ben", False), ("decided", "cleo", False)], order=[True])
@example(
    steps=[("decided", "anna", False), ("unassigned", None, False), ("decided", "anna", False)], order=[True] * 2
)
@given(steps, st.lists(st.booleans(), max_size=10))
def test_the_order_of_reading_does_not_matter(steps: Sequence[Any], order: Sequence[bool]) -> None:
    """However far one of the two topics is read before the other: in the end the same colleague has the callback
    and, unless it was closed, which is told to nobody, by the last word to each, they alone have it. `order`:
    whether a decision is read next."""
    words = written(steps)
    left = [[word for word in words if isinstance(word, Ruling) is is_decision] for is_decision in (False, True)]
    read = [left[is_decision].pop(0) for is_decision in order if left[is_decision]]
    expected = told(words)
    is_closed = any(what == "completed" for what, _, _ in steps)
    assert is_closed or expected[1] == {expected[0]} - {None}
    for rest in (left, left[::-1]):
        holder, believing = told([*read, *rest[0], *rest[1]])
        assert holder == expected[0]
        assert believing == expected[1] or is_closed
