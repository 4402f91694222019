"""`record`: what happened, in a database where people can ask for it.

Its rows and the positions up to which it has read are one transaction of the database, so each message is recorded
exactly once, whatever dies in between. To Kafka it writes nothing but dead letters.
"""

from typing import Any, NoReturn

from agents import intake
from schemas.event_types import INTAKE_DEAD_LETTERS
from schemas.reasons import IntakeResult, RefusedReason
from sinks.database.mapping import TOPICS, Place, rows_of
from streams.batch import Batch, Effects, Fetched, Record, Runs
from streams.clock import utc
from streams.state import State

ROLE = "record"


class Recorder:
    """The role. It answers for what nobody else reads; what cannot be read elsewhere is passed over.

    `partitions` is the topics' partition count.
    """

    name = ROLE
    topics = TOPICS
    tables: tuple[str, ...] = ()

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions

    def step(self, batch: Batch, state: State) -> Effects:
        effects = Effects()
        for topic, record in batch:
            event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=effects)
            if event is None:
                continue
            place = Place(record.partition, record.offset, utc(record.timestamp / 1000))
            effects.rows.extend(rows_of(topic, event, place))
            if intake.answers(ROLE, topic, event.type):
                effects.counted[intake.INTAKE, topic, IntakeResult.APPLIED] += 1
        return effects

    def recovered(self, state: State) -> None:
        pass

    def next_wakeup(self, state: State) -> float | None:
        return None

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return fetched.take(limit)

    async def perform(self, job: Any) -> NoReturn:
        raise NotImplementedError("record asks for no jobs")

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        if topic == INTAKE_DEAD_LETTERS:  # it would be read here again, and again end so
            effects.counted[intake.INTAKE, topic, IntakeResult.IGNORED] += 1
        else:
            intake.refuse(topic, record, RefusedReason.PROCESSING_FAILED, detail, role=ROLE, effects=effects)
