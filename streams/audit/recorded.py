"""The record: the database says what the topics say, of everything there, once."""

from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import Engine, Table, select

from schemas.callbacks import Callback
from schemas.decisions import Decision
from schemas.event_types import CALLBACKS, DEAD_LETTERS, DECISIONS, INTAKE_DEAD_LETTERS, OUTCOMES
from schemas.intake import IntakeRefused
from schemas.notifications import DeadLetter, Outcome
from sinks.database import tables
from streams.audit.findings import Finding, lost, wrong
from streams.audit.reading import Log, readable
from streams.audit.stories import Ledger

Rows = dict[tuple[Any, ...], Any]
"""The row's key as its table has it -> what is compared"""


def check(engine: Engine, log: Log, partitions: int) -> Iterator[Finding]:
    """What is missing in the database, there without a message, or other than the messages have it."""
    for table, column, expected in (
        (tables.decisions, "staff_id", _decisions(log, partitions)),
        (tables.callbacks, "version", _callbacks(log, partitions)),
        (tables.notifications, "status", _notifications(log, partitions)),
        (tables.outcomes, "type", _outcomes(log, partitions)),
        (tables.dead_letters, "reason", _dead_letters(log, partitions)),
        (tables.intake_dead_letters, "reason", _intake_dead_letters(log, partitions)),
    ):
        stored = _stored(engine, table, column)
        for key in sorted({*expected, *stored}):
            name = f"{table.name} {'/'.join(key)}"
            if key not in stored:
                yield lost(f"{name} is not in the database")
            elif key not in expected:
                yield wrong(f"{name} is in the database, and nothing says so")
            elif stored[key] != expected[key]:
                yield wrong(f"{name} has {column} {stored[key]} in the database, not {expected[key]}")


def _stored(engine: Engine, table: Table, column: str) -> Rows:
    with engine.connect() as connection:
        rows = connection.execute(select(*table.primary_key, table.c[column]))
        return {tuple(key): value for *key, value in rows}


def _decisions(log: Log, partitions: int) -> Rows:
    decided = [cast(Decision, event.data) for _, event in readable(log, DECISIONS, partitions)]
    return {(data.decision_id, data.company_id): data.staff_id for data in decided}


def _callbacks(log: Log, partitions: int) -> Rows:
    versions: Rows = {}
    for _, event in readable(log, CALLBACKS, partitions):
        data = cast(Callback, event.data)
        key = data.callback_id, data.company_id
        versions[key] = max(data.version, versions.get(key, -1))
    for _, event in readable(log, DECISIONS, partitions):
        decision = cast(Decision, event.data)
        if decision.callback_id is not None and event.type != "callback.command_refused":
            versions.setdefault((decision.callback_id, decision.company_id), None)
    return versions


def _notifications(log: Log, partitions: int) -> Rows:
    stories = Ledger.of(log, partitions).stories
    return {
        (notification_id, company_id): story.outcomes[-1].type.removeprefix("notification.")
        if story.outcomes
        else "requested"
        for (company_id, notification_id), story in stories.items()
    }


def _outcomes(log: Log, partitions: int) -> Rows:
    told = [(event, cast(Outcome, event.data)) for _, event in readable(log, OUTCOMES, partitions)]
    return {(data.notification_id, data.company_id, event.id): event.type for event, data in told}


def _dead_letters(log: Log, partitions: int) -> Rows:
    letters = [cast(DeadLetter, event.data) for _, event in readable(log, DEAD_LETTERS, partitions)]
    return {(data.notification_id, data.company_id): data.reason for data in letters}


def _intake_dead_letters(log: Log, partitions: int) -> Rows:
    letters = [cast(IntakeRefused, event.data) for _, event in readable(log, INTAKE_DEAD_LETTERS, partitions)]
    return {(f"{data.topic}/{data.partition}/{data.offset}",): data.reason for data in letters}
