"""The index of a branch's people against looking at everybody."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import Exclusion
from streams.policy.assignment import roster as roster_module
from streams.policy.assignment.availability import Timetable
from streams.policy.assignment.moments import DAY, FOREVER
from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.roster import Roster
from streams.policy.assignment.strategies import STRATEGIES

HOUR = 3_600_000
START = 20_000 * DAY
BERLIN = ZoneInfo("Europe/Berlin")
NAMES = [f"st-{n:02}" for n in range(12)]

spans = st.lists(st.integers(0, 24), min_size=2, max_size=6, unique=True).map(
    lambda hours: [(a * HOUR, b * HOUR) for a, b in zip(*[iter(sorted(hours))] * 2, strict=False)]
)
weeks = st.none() | st.lists(spans | st.just([]), min_size=7, max_size=7)
absences = spans.map(lambda found: [(START + 3 * a, START + 3 * b) for a, b in found]) | st.just([])
people = st.builds(
    Person,
    staff_id=st.sampled_from(NAMES),
    name=st.just("N."),
    branches=st.just(frozenset({"br-1"})),
    services=st.frozensets(st.sampled_from(["sv-1", "sv-2"])),
    active=st.sampled_from([True, True, True, False]),
    accepts=st.sampled_from([True, True, True, False]),
    capacity=st.none() | st.integers(0, 3),
    week=weeks,
    absences=absences,
)
stands_now = st.tuples(st.just("stand"), st.sampled_from(NAMES[:4]), st.integers(0, 4), st.integers(0, 50))
asks = st.tuples(st.just("ask"), st.sampled_from([None, "sv-1"]), st.sampled_from(sorted(STRATEGIES)))
steps: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(st.just("put"), people),
    st.tuples(st.just("remove"), st.sampled_from(NAMES)),
    st.tuples(st.just("move"), st.integers(0, 80).map(lambda hour: START + hour * HOUR)),
    stands_now,
    stands_now,
    asks,
    asks,
)
stories = st.integers(0, 80).flatmap(lambda size: st.lists(steps, min_size=size, max_size=size))


@settings(max_examples=300)
@given(st.lists(steps, max_size=60), st.sampled_from([None, *NAMES]), st.integers(-48, 8))
def test_the_index_is_what_looking_finds(
    story: list[tuple[Any, ...]], without: str | None, look_back: int
) -> None:
    """Whoever comes, goes, changes, is assigned, and whichever way time moves: order and counts are those that
    looking at everybody gives, and so is the next beginning of somebody's shift."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(roster_module, "LOOK_BACK", look_back)
        play(story, without)


def play(story: list[tuple[Any, ...]], without: str | None) -> None:
    standings: dict[str, Standing] = {}
    roster, known, at = Roster(BERLIN, START, [], standings), {}, START
    for step in [*story, ("ask", None, "load_based"), ("ask", "sv-1", "round_robin")]:
        match step:
            case "put", person:
                known[person.staff_id] = person
                roster.put(person)
            case "remove", staff_id:
                known.pop(staff_id, None)
                roster.remove(staff_id)
            case "stand", staff_id, load, turn:
                standing = standings.setdefault(staff_id, Standing())
                standing.load, standing.turn = load, turn
                roster.touch(staff_id)
            case "move", at:
                roster.move(at)
            case "ask", service_id, strategy:
                check(roster, known, standings, at, service_id, strategy, without)


def check(
    roster: Roster,
    known: dict[str, Person],
    standings: dict[str, Standing],
    at: int,
    service_id: str | None,
    strategy: str,
    without: str | None,
) -> None:
    rank: Callable[[str], Any] = lambda who: STRATEGIES[strategy](*stands(standings, who), who)  # noqa: E731
    tables = {who: Timetable(BERLIN, person.week, person.absences) for who, person in known.items()}
    takers = [who for who, person in known.items() if person.active and person.accepts]
    offering = [who for who in takers if service_id is None or service_id in known[who].services]
    reasons = {who: reason(known[who], tables[who], standings, at) for who in offering}
    eligible = sorted((who for who in offering if reasons[who] is None), key=rank)

    pool = roster.pool(service_id)
    assert pool.best(strategy, 3, without) == [who for who in eligible if who != without][:3]
    assert pool.eligible == len(eligible)
    assert +Counter(pool.excluded) == Counter(found for found in reasons.values() if found is not None)
    assert [who for who in NAMES if pool.is_eligible(who)] == sorted(eligible)
    assert roster.order == sorted(known)
    assert roster.inactive == sum(not person.active for person in known.values())
    assert roster.next_begin() == min((tables[who].next_begin(at) for who in takers), default=FOREVER)


def stands(standings: dict[str, Standing], staff_id: str) -> tuple[int, int]:
    standing = standings.get(staff_id, Standing())
    return standing.load, standing.turn


def reason(person: Person, table: Timetable, standings: dict[str, Standing], at: int) -> Exclusion | None:
    excluded_by = table.window(at).excluded_by
    if (
        excluded_by is None
        and person.capacity is not None
        and stands(standings, person.staff_id)[0] >= person.capacity
    ):
        return Exclusion.AT_CAPACITY
    return excluded_by
