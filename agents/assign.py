"""The role `assign`: directory, callbacks and commands in, one decision per callback out."""

from typing import Any

from agents.intake import answers, read, refuse
from schemas import encode
from schemas.reasons import RefusedReason
from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.policy.assignment import rows, timers
from streams.policy.assignment.decisions import OWN_SOURCE, own_id, uuid_text
from streams.policy.assignment.desk import TOPICS, Desk
from streams.policy.assignment.hints import Hints
from streams.policy.assignment.moments import instant
from streams.state import State

JOURNAL = "assignment.journal"

PART = 500
AT_MOST = 2000
"""Decisions in one transaction that are not about the record's own callback: of one company, and of all."""
LINE = 2000
"""Records of companies in the middle of a task up to which more are taken on. While that many are in line, the
other companies of the partition wait too."""


class Assign:
    """See `streams.batch.Role`. `partitions`: every topic's partition count."""

    name = "assign"
    topics = TOPICS
    tables = rows.TABLES

    def __init__(self, partitions: int, *, part: int = PART, at_most: int = AT_MOST) -> None:
        self._partitions = partitions
        self._part = part
        self._at_most = at_most

    def step(self, batch: Batch, state: State) -> Effects:
        """Timers first and unfinished tasks next, both by what is committed; then the batch, record by record."""
        effects, hints = Effects(), _hints(state)
        timers.write_due(state, hints, effects, int(batch.now * 1000))
        desk = Desk(state, hints, effects, part=self._part, at_most=self._at_most)
        desk.go_on(batch)
        for topic, record in batch:
            event = read(topic, record, partitions=self._partitions, role=self.name, effects=effects)
            if event is not None and answers(self.name, topic, event.type):
                desk.receive(topic, record, event)
        if len(batch):
            effects.outputs.append(_journal(batch, state))
        return effects

    def recovered(self, state: State) -> None:
        state.shared = Hints.of(state)

    def next_wakeup(self, state: State) -> float | None:
        hints = _hints(state)
        if hints.busy:
            return 0.0
        return None if hints.next_due is None else hints.next_due / 1000

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        in_line = sum(len(state.rows(rows.AGENDA, company_id)) for company_id in _hints(state).busy)
        return fetched.take(min(limit, LINE - in_line))

    async def perform(self, job: Any) -> Any:
        raise NotImplementedError("assign starts no jobs")

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        refuse(topic, record, RefusedReason.PROCESSING_FAILED, detail, role=self.name, effects=effects)


def _hints(state: State) -> Hints:
    hints: Hints = state.shared
    return hints


def _journal(batch: Batch, state: State) -> Output:
    """What this batch has applied, in its order, into the partition that it describes."""
    applied = [[topic, records[-1].offset + 1] for topic, records in batch.runs if records]
    value = encode(
        "assignment.applied",
        id=uuid_text(own_id(JOURNAL, str(state.partition), *(f"{topic}/{offset}" for topic, offset in applied))),
        source=OWN_SOURCE,
        time=instant(batch.runs[-1][1][-1].timestamp),
        subject=None,
        company_id=None,
        data={"partition": state.partition, "applied": applied},
    )
    return Output(JOURNAL, None, value, state.partition)
