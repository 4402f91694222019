"""The ladder of delay topics, walked from end to end."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.event_types import RETRY_PREFIX
from schemas.reasons import ChannelName, Priority
from streams.policy.delivery.ladder import delay_topics, released_at, waits_in, way

LADDER = (1, 10, 60, 300, 900, 3600)
START = 1_795_000_000.0
DAY_SECONDS = 86_400


def walked(ladder: tuple[int, ...], left: float, lags: list[float]) -> tuple[float, list[int]]:
    """When it comes out, after which delays; at each step the record is written `lag` late."""
    due_at, now, steps = START + left, START, list[int]()
    while (topic := way(ladder, due_at, now, ChannelName.EMAIL, Priority.NORMAL)) != "delivery.email":
        seconds = int(topic.removeprefix(RETRY_PREFIX))
        steps.append(seconds)
        written_ms = int((now + lags[len(steps) % len(lags)]) * 1000)
        now = released_at(seconds, written_ms)
    return now, steps


ladders = st.sets(st.integers(1, DAY_SECONDS), max_size=6).map(lambda found: tuple(sorted({1, *found})))


@given(ladders, st.floats(0.001, 14 * DAY_SECONDS))
def test_never_early_and_at_most_a_second_late(ladder: tuple[int, ...], left: float) -> None:
    """Whatever the ladder and the delay: not a moment too soon, at most a second too late, and it ends."""
    left = min(left, 500.0 * ladder[-1])
    released, steps = walked(ladder, left, [0.001])
    assert START + left <= released + 1e-6
    assert released <= START + left + 1.001 + 0.001 * len(steps)
    assert all(later <= earlier for earlier, later in pairwise(steps))


@given(st.floats(0.001, DAY_SECONDS), st.lists(st.floats(0, 5), min_size=1, max_size=5))
def test_slow_steps_are_made_up_for(left: float, lags: list[float]) -> None:
    """A step that was late shortens the next one: only the last one's lag adds to the second."""
    released, _ = walked(LADDER, left, lags)
    assert START + left - 1e-6 <= released <= START + left + 1.001 + max(lags)


def test_the_rungs() -> None:
    """The longest that is not longer than what is left plus a second; below one second the shortest."""
    cases = {0.2: 1, 1.0: 1, 8.9: 1, 9.0: 10, 60.0: 60, 299.5: 300, 3599.0: 3600, 90_000.0: 3600}
    assert {left: waits_in(LADDER, left) for left in cases} == {
        left: f"delivery.retry.{seconds}" for left, seconds in cases.items()
    }


def test_an_hour_and_a_half() -> None:
    """5 400 s: an hour, two quarters of an hour, then it is due."""
    assert walked(LADDER, 5400, [0.0]) == (START + 5400, [3600, 900, 900])


def test_priorities_lead_back_where_they_came_from() -> None:
    """What is due goes to its channel's topic of its priority."""
    for priority, topic in {Priority.HIGH: ".high", Priority.NORMAL: "", Priority.LOW: ".low"}.items():
        assert way(LADDER, START, START, ChannelName.SMS, priority) == f"delivery.sms{topic}"


def test_the_topics() -> None:
    """Each step is a topic; the longest delay comes first."""
    assert list(delay_topics((1, 60, 10))) == ["delivery.retry.60", "delivery.retry.10", "delivery.retry.1"]
