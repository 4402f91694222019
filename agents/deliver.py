"""`deliver`: hands each notification to its channel, once, and tells what became of it.

Between its record and its outcome lie two transactions and a send. The first transaction makes the intent durable
and lets go of the record; then the message is handed over, outside of any; the second writes what the channel said
and forgets the intent. An intent whose answer is missing after a crash may have arrived: it is told as
`unconfirmed`, and repeated once after the grace. What is to be tried later leaves as a record of the delay topics,
and comes back through `retry`.

It reads the booking system's events, our decisions and what recipients tell us too: before each attempt it asks
whether that still makes sense.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import cast

from agents import intake
from schemas.event_types import priority_topic
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, DeliveryReason, IntakeResult, Priority, RefusedReason
from sinks.channels import CHANNELS
from sinks.channels.base import Channel, Message
from streams import metrics
from streams.batch import Batch, Effects, Fetched, Output, Record, Runs
from streams.clock import Clock, utc
from streams.policy.delivery import unsubscribing
from streams.policy.delivery.breaker import Breaker
from streams.policy.delivery.course import Course, Rules
from streams.policy.delivery.intents import Delivery, Intent
from streams.policy.delivery.known import hearing
from streams.policy.delivery.ledger import TABLES, Ledger
from streams.policy.delivery.picking import pick
from streams.policy.delivery.results import Accepted, Result, Unconfirmed
from streams.policy.delivery.slots import ORDER, Slots
from streams.settings import Settings
from streams.state import State

ROLE = "deliver"
PRIORITIES = {priority: tuple(priority_topic(channel, priority) for channel in CHANNELS) for priority in ORDER}
"""The topics of each priority, the most urgent first."""
_LEDGER = ""
"""The key of the ledger among the derived values: no company has an empty id."""
_WORKER_DIED = Unconfirmed(DeliveryReason.WORKER_DIED, "the worker ended before it could record the answer")


@dataclass(frozen=True, slots=True)
class Job:
    """A message to be handed over."""

    delivery: Delivery
    message: Message
    begin_before: float
    partition: int


@dataclass(frozen=True, slots=True)
class Completion:
    delivery: Delivery
    result: Result


class Deliver:
    """The role. Nothing is begun later than half a session after its intent: somebody else may answer by then."""

    name = ROLE
    topics = (*hearing.TOPICS, *chain.from_iterable(PRIORITIES.values()))
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
        self._public_url = settings.public_url
        self._rules = Rules(
            channels,
            (settings.recipient_hash_key or "").encode(),
            settings.delay_ladder_seconds,
            settings.unconfirmed_grace_seconds,
            settings.breaker_seconds,
            settings.recipient_allowlist,
        )
        self._begin_seconds = settings.session_timeout_seconds / 2
        self._slots = Slots(settings.email_concurrency)
        self._breakers = {
            name: Breaker(settings.breaker_failures, settings.breaker_seconds) for name in self._channels
        }

    def step(self, batch: Batch, state: State) -> Effects:
        ledger = self._ledger(state)
        course = Course(self._rules, state, ledger, batch.now, Effects())
        for completion in batch.completions:
            if ledger.is_in_flight(completion.delivery.key):
                course.answered(completion.delivery, completion.result)
        while ledger.orphans:
            course.answered(ledger.orphans.pop(), _WORKER_DIED)
        for topic, record in batch:
            if topic in hearing.TOPICS:
                self._hear(course, topic, record)
            else:
                self._take_on(course, topic, record)
        # Completions alone start nothing: there is nothing else while the partition is being let go.
        if batch.runs or not batch.completions:
            self._start_due(course)
        self._slots.hold(state.partition, ledger.in_flight)
        return course.effects

    def recovered(self, state: State) -> None:
        state.shared = secrets.token_hex(8)
        self._slots.clear()

    def next_wakeup(self, state: State) -> float | None:
        ledger = self._ledger(state)
        if ledger.orphans or self._slots.is_waiting(state.partition):
            return self._clock.now()
        return ledger.next_due

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return pick(fetched, PRIORITIES, self._ledger(state), self._slots, state.partition, limit, now)

    async def perform(self, job: Job) -> Completion:
        channel = job.delivery.intent.channel
        result = await self._channels[channel].send(job.message, job.begin_before)
        if isinstance(result, Accepted):
            waited = self._clock.now() - job.delivery.due.due_at.timestamp()
            metrics.EVENT_TO_OUTCOME.labels(channel).observe(max(0.0, waited))
        self._slots.answered(job.partition, job.delivery.intent.priority)
        breaker = self._breakers[channel]
        breaker.hear(result, self._clock.now())
        metrics.BREAKER_OPEN.labels(channel).set(breaker.is_open)
        return Completion(job.delivery, result)

    def poison(self, topic: str, record: Record, detail: str) -> Output:
        return intake.dead_letter(topic, record, RefusedReason.PROCESSING_FAILED, detail, ROLE)

    def _ledger(self, state: State) -> Ledger:
        ledger: Ledger | None = state.derived.get(_LEDGER)
        if ledger is None:
            ledger = state.derived[_LEDGER] = Ledger(state, state.shared)
        return ledger

    # -- taking on

    def _hear(self, course: Course, topic: str, record: Record) -> None:
        event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=course.effects)
        if event is None:
            return
        hearing.hear(topic, event, record.offset, record.timestamp, course.state)
        if intake.answers(ROLE, topic, event.type):
            course.effects.counted[intake.INTAKE, topic, IntakeResult.APPLIED] += 1

    def _take_on(self, course: Course, topic: str, record: Record) -> None:
        effects, ledger = course.effects, course.ledger
        event = intake.read(topic, record, partitions=self._partitions, role=ROLE, effects=effects)
        if event is None:
            return
        due = cast(AttemptDue, event.data)
        channel = ChannelName(topic.split(".")[1])
        if channel not in due.contents:
            detail = f"contents has nothing for {channel}"
            intake.refuse(topic, record, RefusedReason.INCONSISTENT, detail, role=ROLE, effects=effects)
            return
        since = ledger.admit(due, channel, record.timestamp)
        if since is None:
            effects.counted[intake.INTAKE, topic, IntakeResult.DUPLICATE] += 1
            return
        effects.counted[intake.INTAKE, topic, IntakeResult.APPLIED] += 1
        ledger.forget(record.timestamp)
        composed_at = course.now if since.composed_at is None else since.composed_at
        request = due.model_dump_json(exclude_none=True).encode()
        intent = Intent(channel, request, record.timestamp, composed_at, since_ms=since.ms, priority=due.priority)
        self._begin(course, Delivery(intent, due))

    def _start_due(self, course: Course) -> None:
        for priority in ORDER:
            while self._free(course, priority):
                delivery = course.ledger.take_due(priority, course.now)
                if delivery is None:
                    break
                self._begin(course, delivery)

    def _free(self, course: Course, priority: Priority) -> int:
        return self._slots.free(course.state.partition, priority, course.ledger.in_flight)

    def _begin(self, course: Course, delivery: Delivery) -> None:
        """Start the attempt, if nothing speaks against it; where no slot is free, it waits for one."""
        if not course.may_start(delivery):
            return
        if not self._free(course, delivery.intent.priority):
            course.ledger.wait(delivery, course.now)
            return
        channel = delivery.intent.channel
        held_until = self._breakers[channel].held_until(course.now)
        if held_until is None:
            self._start(course, delivery)
        else:
            self._hold_back(course, delivery, held_until)

    def _hold_back(self, course: Course, delivery: Delivery, until: float) -> None:
        course.effects.counted["staffetta_held_back_total", delivery.intent.channel] += 1
        course.put_off(delivery, until)

    def _start(self, course: Course, delivery: Delivery) -> None:
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
            sender_name=due.sender_name,
            reply_to=due.reply_to,
            calendar=content.calendar,
            unsubscribe_url=self._unsubscribe_url(intent.channel, due),
            composed_at=utc(intent.composed_at),
        )
        begin_before = self._monotonic() + self._begin_seconds
        course.effects.jobs.append(
            Job(course.ledger.start(delivery), message, begin_before, course.state.partition)
        )

    def _unsubscribe_url(self, channel: ChannelName, due: AttemptDue) -> str | None:
        if self._public_url is None:
            return None
        hashed = self._rules.recipient_hash(channel, due.recipient)
        return unsubscribing.link(due, channel, hashed, self._public_url, self._rules.hash_key)
