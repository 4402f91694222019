"""A record that cannot be applied must not stop the road: it becomes a dead letter, and nothing around it waits.

A record on which `step` raises is known at once: the step is pure, so the batch is taken back and applied again
without it. One on which the process dies or hangs is known only across restarts: see `deaths`.
"""

import logging

from streams.batch import Batch, Effects, Output, Role
from streams.state import State

log = logging.getLogger("staffetta.lane")


def apply(role: Role, batch: Batch, state: State) -> Effects:
    """`role.step`, again without each record on which it raised; those are dead-lettered.

    Raises what the step raised where no record was being worked on: that is a fault in the role, not in its
    input, and nothing here can mend it.
    """
    dead: list[Output] = []
    while True:
        try:
            effects = role.step(batch, state)
        except Exception as error:
            if batch.at is None:
                raise
            topic, record = batch.at
            detail = f"{type(error).__name__}: {error}"
            log.exception("%s cannot apply %s/%d/%d", role.name, topic, record.partition, record.offset)
            dead.append(role.poison(topic, record, detail))
            state.rollback()
            batch.skip |= {(topic, record.offset)}
            batch.at = None
        else:
            effects.outputs.extend(dead)
            return effects
