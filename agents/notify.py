"""`notify`: tells the right person, once, what has happened.

It reads events and decisions, writes requests, and sends each request on its way to its channel.
"""

from email.utils import parseaddr
from typing import Any

from agents import intake
from schemas import Refused, encode
from schemas.event_types import OUTCOMES
from schemas.reasons import RefusedReason
from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.policy.notification import notifier, picking, rows
from streams.policy.notification.messages import SOURCE, Message, Rules
from streams.state import State

ROLE = "notify"


class Notify:
    """The role.

    `partitions` is the topics' partition count; `recipient_hash_key` keys the hash that stands for recipients in
    outcomes; `retry_schedule_seconds` is for configurations that give none; `smtp_from`, `address` or
    `Name <address>`, is the sender that stands in calendar entries.
    """

    name = ROLE
    topics = notifier.TOPICS
    tables = rows.TABLES

    def __init__(
        self,
        *,
        partitions: int,
        recipient_hash_key: bytes,
        retry_schedule_seconds: tuple[int, ...],
        smtp_from: str = "",
    ) -> None:
        self._partitions = partitions
        self._rules = Rules(recipient_hash_key, retry_schedule_seconds, mail_address=parseaddr(smtp_from)[1])

    def step(self, batch: Batch, state: State) -> Effects:
        effects, hints = Effects(), state.shared
        self._write(notifier.begin(state, hints, batch.now), effects)
        for topic, record in batch:
            at = record.timestamp / 1000
            self._write(notifier.expire(at, state, hints, self._rules), effects)
            event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=effects)
            if event is None:
                continue
            place = notifier.Place(topic, record.offset, at)
            try:
                result, messages = notifier.apply(event, place, state, hints, self._rules)
            except Refused as refused:
                intake.refuse(topic, record, refused.reason, refused.detail, role=ROLE, effects=effects)
                continue
            self._write(messages, effects)
            if intake.counts(ROLE, topic, event.type):
                effects.counted[intake.INTAKE, topic, result] += 1
        return effects

    def recovered(self, state: State) -> None:
        state.shared = notifier.recovered(state)

    def next_wakeup(self, state: State) -> float | None:
        """When a reminder may be due."""
        due: float | None = state.shared.alarms.next
        return due

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return picking.pick(fetched, limit)

    async def perform(self, job: Any) -> Any:
        raise NotImplementedError("notify starts no jobs")

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        intake.refuse(topic, record, RefusedReason.PROCESSING_FAILED, detail, role=ROLE, effects=effects)

    def _write(self, messages: list[Message], effects: Effects) -> None:
        for message in messages:
            effects.outputs.append(_output(message))
            if message.topic == OUTCOMES:
                data = message.data
                labels = data["channel"] or "none", message.type, data["reason"]
                effects.counted["staffetta_outcomes_total", *labels] += 1


def _output(message: Message) -> Output:
    company_id = message.data["company_id"]
    value = encode(
        message.type,
        id=message.id,
        source=SOURCE,
        time=message.at,
        subject=message.subject,
        company_id=company_id,
        data=message.data,
    )
    return Output(message.topic, company_id.encode(), value)
