"""A record that cannot be applied must not stop the road: it becomes a dead letter, and nothing around it waits.

A record on which `step` raises is known at once: the step is pure, so what it did is taken back, and the records
before it are applied again, without it. Those after it wait for the next batch, so that a topic full of such
records costs a transaction each, not a new attempt at all the others each. One on which the process dies or
hangs is known only across restarts: see `deaths`.
"""

import logging
from collections.abc import Callable

from streams.batch import Batch, Effects, Record, Role, Runs
from streams.state import State

log = logging.getLogger("staffetta.lane")


def apply(role: Role, batch: Batch, state: State, put_back: Callable[[Runs], None]) -> Effects:
    """`role.step`; where it raised on a record, that one is dead-lettered and what follows it is put back.

    Raises what the step raised where no record was being worked on: that is a fault in the role, not in its
    input, and nothing here can mend it.
    """
    dead: list[tuple[str, Record, str]] = []
    while True:
        try:
            effects = role.step(batch, state)
        except Exception as error:
            if batch.at is None:
                raise
            topic, record = batch.at
            dead.append((topic, record, f"{type(error).__name__}: {error}"))
            log.exception("%s cannot apply %s/%d/%d", role.name, topic, record.partition, record.offset)
            state.rollback()
            batch.skip |= {(topic, record.offset)}
            batch.runs, rest = split(batch.runs, topic, record)
            put_back(rest)
            batch.at = None
        else:
            for each in dead:
                role.poison(*each, effects)
            return effects


def split(runs: Runs, topic: str, record: Record) -> tuple[Runs, Runs]:
    """Up to and with the record, and what follows it. One that the role had kept is before all of them, and none
    has to wait for it."""
    for number, (name, records) in enumerate(runs):
        if name == topic and record in records:
            end = records.index(record) + 1
            before = [*runs[:number], (topic, records[:end])]
            after = [*([(topic, records[end:])] if end < len(records) else []), *runs[number + 1 :]]
            return before, after
    return runs, []
