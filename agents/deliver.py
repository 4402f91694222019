"""`deliver`: hands each notification to its channel, once, and tells what became of it.

Between its record and its outcome lie two transactions and a send. The first transaction makes the intent durable
and lets go of the record; then the message is handed over, outside of any; the second writes what the channel said
and forgets the intent. An intent whose answer is missing after a crash may have arrived: it is told as
`unconfirmed`, and repeated once after the grace.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from agents import intake
from schemas.event_types import DEAD_LETTERS
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, DeliveryReason, IntakeResult, RefusedReason, Suppression
from sinks.channels import CHANNELS
from sinks.channels.base import Channel, Message
from streams import metrics
from streams.batch import Batch, Effects, Output, Record
from streams.clock import Clock, utc
from streams.policy.delivery.intents import Delivery, Doubt, Intent
from streams.policy.delivery.ledger import TABLES, Ledger
from streams.policy.delivery.outcomes import OutcomeType, dead_letter, outcome
from streams.policy.delivery.results import Accepted, Result, Unconfirmed
from streams.policy.delivery.slots import Slots
from streams.policy.delivery.verdicts import GivenUp, Sent, Unknown, Untried, judge
from streams.policy.notification.identity import recipient_hash
from streams.settings import Settings
from streams.state import State

ROLE = "deliver"
PRIORITIES = (".high", "", ".low")
_LEDGER = ""
"""The key of the ledger among the derived values: no company has an empty id."""
_WORKER_DIED = Unconfirmed(DeliveryReason.WORKER_DIED, "the worker ended before it could record the answer")


@dataclass(frozen=True, slots=True)
class Job:
    """A message to be handed over."""

    delivery: Delivery
    message: Message
    begin_before: float


@dataclass(frozen=True, slots=True)
class Completion:
    delivery: Delivery
    result: Result


@dataclass(slots=True)
class _Work:
    """One step: what it works on and what it has done so far."""

    partition: int
    ledger: Ledger
    now: float
    effects: Effects


class Deliver:
    """The role. Nothing is begun later than half a session after its intent: somebody else may answer by then."""

    name = ROLE
    topics = tuple(f"delivery.{channel}{priority}" for priority in PRIORITIES for channel in CHANNELS)
    tables = TABLES

    def __init__(
        self,
        settings: Settings,
        *,
        channels: Mapping[ChannelName, Channel] | None = None,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`channels` and `clock` are those of the settings if they are not given; `monotonic` is the clock of
        `Channel.send`."""
        if channels is None:
            channels = {name: open_channel(settings) for name, open_channel in CHANNELS.items()}
        self._channels = channels
        self._clock = settings.clock() if clock is None else clock
        self._monotonic = monotonic
        self._partitions = settings.partitions
        self._hash_key = (settings.recipient_hash_key or "").encode()
        self._grace_seconds = settings.unconfirmed_grace_seconds
        self._begin_seconds = settings.session_timeout_seconds / 2
        self._slots = Slots(settings.email_concurrency)

    def step(self, batch: Batch, state: State) -> Effects:
        ledger = self._ledger(state)
        work = _Work(state.partition, ledger, batch.now, Effects())
        for completion in batch.completions:
            if ledger.is_in_flight(completion.delivery.key):
                self._answered(work, completion.delivery, completion.result)
        while ledger.orphans:
            self._answered(work, ledger.orphans.pop(), _WORKER_DIED)
        # Completions alone start nothing: there is nothing else while the partition is being let go.
        if batch.runs or not batch.completions:
            self._start_due(work)
        for topic, record in batch:
            self._take_on(work, topic, record)
        self._slots.hold(state.partition, ledger.in_flight)
        return work.effects

    def recovered(self, state: State) -> None:
        state.shared = secrets.token_hex(8)
        self._slots.clear()

    def next_wakeup(self, state: State) -> float | None:
        ledger = self._ledger(state)
        if ledger.orphans or self._slots.is_waiting(state.partition):
            return self._clock.now()
        return ledger.next_due

    def room(self, state: State) -> int | None:
        next_due = self._ledger(state).next_due
        if next_due is not None and next_due <= self._clock.now():
            return 0  # what was taken on before goes first
        return self._slots.room(state.partition)

    async def perform(self, job: Job) -> Completion:
        channel = job.delivery.intent.channel
        result = await self._channels[channel].send(job.message, job.begin_before)
        if isinstance(result, Accepted):
            waited = self._clock.now() - job.delivery.due.due_at.timestamp()
            metrics.EVENT_TO_OUTCOME.labels(channel).observe(max(0.0, waited))
        return Completion(job.delivery, result)

    def poison(self, topic: str, record: Record, detail: str) -> Output:
        return intake.dead_letter(topic, record, RefusedReason.PROCESSING_FAILED, detail, ROLE)

    def _ledger(self, state: State) -> Ledger:
        ledger: Ledger | None = state.derived.get(_LEDGER)
        if ledger is None:
            ledger = state.derived[_LEDGER] = Ledger(state, state.shared)
        return ledger

    # -- taking on

    def _take_on(self, work: _Work, topic: str, record: Record) -> None:
        effects, ledger = work.effects, work.ledger
        event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=effects)
        if event is None:
            return
        due = cast(AttemptDue, event.data)
        key = (due.company_id, due.notification_id)
        if ledger.knows(key, due.redrive, record.timestamp):
            effects.counted[intake.INTAKE, topic, IntakeResult.DUPLICATE] += 1
            return
        channel = ChannelName(topic.split(".")[1])
        if channel not in due.contents:
            detail = f"contents has nothing for {channel}"
            intake.refuse(topic, record, RefusedReason.INCONSISTENT, detail, role=ROLE, effects=effects)
            return
        effects.counted[intake.INTAKE, topic, IntakeResult.APPLIED] += 1
        ledger.forget(record.timestamp)
        request = due.model_dump_json(exclude_none=True).encode()
        delivery = Delivery(Intent(channel, request, record.timestamp, work.now), due)
        if self._channels[channel].address(due.recipient) is None:
            self._give_up(work, delivery, GivenUp(Suppression.NO_ADDRESS, None))
        elif self._slots.free(work.partition, ledger.in_flight):
            self._start(work, delivery)
        else:
            ledger.wait(delivery, work.now)

    def _start_due(self, work: _Work) -> None:
        while self._slots.free(work.partition, work.ledger.in_flight):
            delivery = work.ledger.take_due(work.now)
            if delivery is None:
                return
            self._start(work, delivery)

    def _start(self, work: _Work, delivery: Delivery) -> None:
        intent, due = delivery
        content = due.contents[intent.channel]
        message = Message(
            company_id=due.company_id,
            notification_id=due.notification_id,
            address=self._channels[intent.channel].address(due.recipient) or "",
            name=due.recipient.name,
            subject=content.subject or "",
            body_text=content.body_text,
            body_html=content.body_html,
            composed_at=utc(intent.composed_at),
        )
        begin_before = self._monotonic() + self._begin_seconds
        work.effects.jobs.append(Job(work.ledger.start(delivery), message, begin_before))

    # -- what became of it

    def _answered(self, work: _Work, delivery: Delivery, result: Result) -> None:
        ledger, intent = work.ledger, delivery.intent
        ledger.answered(delivery)
        match judge(result, is_repeat=intent.doubt is not None):
            case Sent(provider_message_id):
                self._tell(work, OutcomeType.SENT, delivery, provider_message_id=provider_message_id)
                ledger.finish(delivery, sent=True)
            case GivenUp() as end:
                self._give_up(work, delivery, end, result)
            case Unknown(reason, error):
                due_at = work.now + self._grace_seconds
                details = {"reason": reason, "error": error, "next_attempt_at": utc(due_at)}
                self._tell(work, OutcomeType.UNCONFIRMED, delivery, **details)
                doubtful = msgspec.structs.replace(intent, doubt=Doubt(reason, error, work.now))
                ledger.wait(delivery._replace(intent=doubtful), due_at)
            case Untried():
                ledger.wait(delivery, work.now)

    def _give_up(self, work: _Work, delivery: Delivery, end: GivenUp, last: Result | None = None) -> None:
        self._tell(work, OutcomeType.FAILED, delivery, reason=end.reason, error=end.error)
        work.effects.outputs.append(dead_letter(delivery, end, last, utc(work.now)))
        work.effects.counted["staffetta_dead_letters_total", DEAD_LETTERS, end.reason] += 1
        work.ledger.finish(delivery, sent=False)

    def _tell(self, work: _Work, kind: OutcomeType, delivery: Delivery, **details: Any) -> None:
        name, recipient = delivery.intent.channel, delivery.due.recipient
        channel = self._channels[name]
        details["provider"] = channel.provider
        details["recipient_hash"] = recipient_hash(self._hash_key, channel.address(recipient) or recipient.id)
        work.effects.outputs.append(outcome(kind, delivery, utc(work.now), **details))
        labels = name, kind, details.get("reason") or "none"
        work.effects.counted["staffetta_outcomes_total", *labels] += 1
