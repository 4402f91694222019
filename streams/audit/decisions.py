"""Decisions: replayed in the order of the journal, they must come out the same, each once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.assign import JOURNAL, Assign
from schemas.event_types import DECISIONS, TIMERS
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.intake import failed
from streams.audit.reading import Log, readable
from streams.batch import Batch, Record
from streams.state import State

ASSIGNING = frozenset({"callback.auto_assigned", "callback.reassigned"})

Runs = list[tuple[str, Sequence[Record]]]


@dataclass(slots=True)
class Replayed:
    """What the policy says of the inputs, in the order in which they were applied."""

    decisions: dict[int, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """By partition, in order."""
    states: dict[int, State] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    """What is wrong with the order that was written down."""


def replay(log: Log, partitions: int) -> Replayed:
    """Run the policy over the inputs as the journal has them."""
    role, replayed = Assign(partitions), Replayed()
    for number in range(partitions):
        skip = frozenset(failed(log, role.name, number))
        state = replayed.states[number] = State(number, role.tables)
        role.recovered(state)
        for runs in _batches(log, number, role.topics, replayed.findings):
            _step(role, Batch(state, runs, 0.0, skip=skip), replayed)
            while role.next_wakeup(state) == 0.0:
                _step(role, Batch(state, [], 0.0), replayed)
    return replayed


def _batches(log: Log, number: int, topics: Sequence[str], findings: list[Finding]) -> Iterator[Runs]:
    """The journal's batches; what is in none, or in two, is a finding."""
    inputs = {topic: [entry for entry in log.get(topic, ()) if entry.partition == number] for topic in topics}
    taken: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for entry in log.get(JOURNAL, ()):
        if entry.partition != number:
            continue
        runs: Runs = []
        for topic, end in entry.event["data"]["applied"]:
            if end <= ends[topic]:
                findings.append(doubled(f"{entry.place}: {topic}/{number} was applied up to {ends[topic]} before"))
            ends[topic] = max(end, ends[topic])
            records, start = inputs[topic], taken[topic]
            stop = start
            while stop < len(records) and records[stop].offset < end:
                stop += 1
            taken[topic] = stop
            runs.append((topic, records[start:stop]))
        yield runs
    for topic, records in inputs.items():
        findings.extend(lost(f"{record.place} was never applied") for record in records[taken[topic] :])


def _step(role: Assign, batch: Batch, replayed: Replayed) -> None:
    effects = role.step(batch, batch.state)
    batch.state.committed()
    decided = [output.value for output in effects.outputs if output.topic == DECISIONS]
    replayed.decisions[batch.state.partition].extend(decided)


def check(log: Log, replayed: Replayed, partitions: int) -> Iterator[Finding]:
    """Decisions that are missing, doubled or different, and everything of `assign` that was written twice."""
    yield from replayed.findings
    found: dict[int, list[bytes]] = defaultdict(list)
    for entry, _ in readable(log, DECISIONS, partitions):
        found[entry.partition].append(entry.value or b"")
    for number in range(partitions):
        yield from _differences(number, replayed.decisions[number], found[number])
    yield from _repeated(log, partitions)


def _differences(number: int, expected: list[bytes], actual: list[bytes]) -> Iterator[Finding]:
    missing, extra = Counter(expected) - Counter(actual), Counter(actual) - Counter(expected)
    wanted = {_event(value)["id"]: value for value in missing}
    for value in extra.elements():
        event = _event(value)
        if (value_wanted := wanted.pop(event["id"], None)) is not None:
            del missing[value_wanted]
            yield wrong(f"{_name(event)} is not what the inputs say: {_unlike(event, _event(value_wanted))}")
        elif value in expected:
            yield doubled(f"{_name(event)}")
        else:
            yield wrong(f"{_name(event)}: the inputs say nothing of it")
    for value in missing.elements():
        yield lost(_name(_event(value)))
    if expected != actual and Counter(expected) == Counter(actual):
        yield wrong(f"the decisions of partition {number} are out of order")


def _unlike(actual: dict[str, Any], expected: dict[str, Any]) -> str:
    """The fields in which they differ."""
    found, wanted = actual["data"], expected["data"]
    names = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
    return ", ".join(f"{name} {found.get(name)}, not {wanted.get(name)}" for name in names)


def _repeated(log: Log, partitions: int) -> Iterator[Finding]:
    """Ids that one of our roles has given to two records of a topic, timer's commands included."""
    for topic in (DECISIONS, "assignment.commands", JOURNAL, TIMERS):
        times = Counter(
            (event.company_id, event.source, event.id)
            for _, event in readable(log, topic, partitions)
            if event.source.startswith("/staffetta/")
        )
        for (_, _, event_id), count in times.items():
            if count > 1:
                yield doubled(f"{topic} has {event_id} {count} times")


def _event(value: bytes) -> dict[str, Any]:
    event: dict[str, Any] = orjson.loads(value)
    return event


def _name(event: dict[str, Any]) -> str:
    return f"{event['type']} {event['id']} of {event.get('subject')}"
