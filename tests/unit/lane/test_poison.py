"""Records on which a role raises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.batch import Batch, Effects
from streams.lane import poison
from streams.lane.queue import PartitionQueue
from streams.state import State
from tests.support.lane_records import FakeRecord, Noting


@given(st.lists(st.booleans(), max_size=30), st.lists(st.booleans(), max_size=10), st.integers(1, 8))
def test_what_raises_is_dead_lettered_and_the_rest_applied(
    events: list[bool], commands: list[bool], limit: int
) -> None:
    """Whichever records raise and however the batches are cut, exactly those become dead letters, counted once
    each, and the others are applied once, in order, as if the bad ones had never been there."""
    bad = {("events", n) for n, raises in enumerate(events) if raises}
    bad |= {("commands", n) for n, raises in enumerate(commands) if raises}
    role, state, queue = Noting(bad), State(0, Noting.tables), PartitionQueue(Noting.topics, 10**6)
    queue.put("events", [FakeRecord(n) for n in range(len(events))])
    queue.put("commands", [FakeRecord(n) for n in range(len(commands))])
    outputs, counted = [], 0
    while queue.count:
        effects = poison.apply(role, Batch(state, queue.take(limit), 0.0), state, queue.put_back)
        outputs += effects.outputs
        counted += sum(effects.counted.values())
        state.committed()

    good = [f"events/{n} " for n, raises in enumerate(events) if not raises]
    good += [f"commands/{n} " for n, raises in enumerate(commands) if not raises]
    assert (state.get("rows", "company", "all") or b"").decode() == "".join(good)
    assert [output.value.decode() for output in outputs if output.topic == "answers"] == good
    dead = [output.value.decode() for output in outputs if output.topic == "dead"]
    assert sorted(dead) == sorted(f"{topic}/{offset} ValueError: bad" for topic, offset in bad)
    assert counted == len(bad)
    ends = {"events": len(events), "commands": len(commands)}
    assert state.positions == {topic: end for topic, end in ends.items() if end}


def test_a_fault_of_the_role_itself_is_no_dead_letter() -> None:
    """What raises while no record is being worked on is nobody's dead letter: it goes up, and ends the process."""

    class Broken(Noting):
        def step(self, batch: Batch, state: State) -> Effects:
            super().step(batch, state)
            raise RuntimeError("after the records")

    state = State(0, Noting.tables)
    with pytest.raises(RuntimeError):
        poison.apply(Broken(), Batch(state, [("events", [FakeRecord(0)])], 0.0), state, lambda _runs: None)
