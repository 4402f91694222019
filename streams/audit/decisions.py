"""Decisions: replayed in the order of the journal, they must come out the same, each once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agents.assign import JOURNAL, Assign
from streams.audit.reading import Entry, Log
from streams.batch import Batch, Output, Record
from streams.state import State

DECISIONS = "assignment.decisions"
ASSIGNING = frozenset({"callback.auto_assigned", "callback.reassigned"})


@dataclass(slots=True)
class Replayed:
    """What the policy says of the inputs, in the order in which they were applied."""

    decisions: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """By partition, in order."""
    states: dict[int, State] = field(default_factory=dict)


def replay(log: Log, partitions: int) -> Replayed:
    """Run the policy over the inputs as the journal has them."""
    role, replayed = Assign(partitions), Replayed()
    inputs = {
        (topic, number): [entry for entry in log.get(topic, ()) if entry.partition == number]
        for topic in role.topics
        for number in range(partitions)
    }
    taken: Counter[tuple[str, int]] = Counter()
    for number in range(partitions):
        state = replayed.states[number] = State(number, role.tables)
        role.recovered(state)
        for runs in _batches(log, number, inputs, taken):
            _step(role, Batch(state, runs, 0.0), replayed)
            while role.next_wakeup(state) == 0.0:
                _step(role, Batch(state, [], 0.0), replayed)
    return replayed


def _batches(
    log: Log, number: int, inputs: dict[tuple[str, int], list[Entry]], taken: Counter[tuple[str, int]]
) -> Iterator[list[tuple[str, Sequence[Record]]]]:
    for entry in log.get(JOURNAL, ()):
        if entry.partition != number:
            continue
        runs: list[tuple[str, Sequence[Record]]] = []
        for topic, end in entry.event["data"]["applied"]:
            records = inputs[topic, number]
            start = stop = taken[topic, number]
            while stop < len(records) and records[stop].offset < end:
                stop += 1
            taken[topic, number] = stop
            runs.append((topic, records[start:stop]))
        yield runs


def _step(role: Assign, batch: Batch, replayed: Replayed) -> None:
    effects = role.step(batch, batch.state)
    batch.state.committed()
    decided = [output.value for output in effects.outputs if _is_decision(output)]
    replayed.decisions[batch.state.partition].extend(decided)


def _is_decision(output: Output) -> bool:
    return output.topic == DECISIONS


def differences(log: Log, replayed: Replayed) -> Iterator[str]:
    """Decisions that are missing, doubled or different, each in a sentence."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for entry in log.get(DECISIONS, ()):
        found[entry.partition].append(entry.value or b"")
    for number in sorted({*found, *replayed.decisions}):
        expected, actual = Counter(replayed.decisions[number]), Counter(found[number])
        for value in expected - actual:
            yield f"lost in partition {number}: {_name(value)}"
        for value in actual - expected:
            more = "doubled" if value in expected else "not what the inputs say"
            yield f"{more} in partition {number}: {_name(value)}"
        if expected == actual and replayed.decisions[number] != found[number]:
            yield f"out of order: the decisions of partition {number}"


def repeated(log: Log) -> list[str]:
    """Decision ids that occur more than once."""
    ids = Counter(entry.event["id"] for entry in log.get(DECISIONS, ()))
    return sorted(decision_id for decision_id, count in ids.items() if count > 1)


def _name(value: bytes) -> str:
    event = Entry("", 0, 0, 0, None, value, ()).event
    return f"{event['type']} {event['id']} of {event.get('subject')}"
