"""`deliver`: hands each notification to its channel, once, and tells what became of it.

Between its record and its outcome lie two transactions and a send. The first transaction makes the intent durable
and lets go of the record; then the message is handed over, outside of any; the second writes what the channel said
and forgets the intent. An intent whose answer is missing after a crash may have arrived: it is told as
`unconfirmed`, and repeated once after the grace. What is to be tried later leaves as a record of the delay topics,
and comes back through `retry`.

Where all sending slots are taken, messages are taken on all the same, within bounds, and wait in lines of their
companies, which take turns: a topic shows who comes next only when what stands before them was taken.

It reads the booking system's events, our decisions and what recipients tell us too: before each attempt it asks
whether that still makes sense.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from agents import intake
from agents.sending import Completion, Job, Sender
from schemas.configuration import CustomerErased
from schemas.event_types import priority_topic
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, DeliveryReason, IntakeResult, Priority, RefusedReason
from schemas.receipts import ProviderReceipt
from sinks.channels import CHANNELS, open_channels
from sinks.channels.base import Channel
from streams import metrics
from streams.batch import Batch, Effects, Fetched, Record, Runs
from streams.clock import Clock
from streams.policy.delivery import receipts
from streams.policy.delivery.ahead import AT_ONCE, Ahead
from streams.policy.delivery.breaker import Breaker
from streams.policy.delivery.capacity import Capacity
from streams.policy.delivery.course import Course
from streams.policy.delivery.intents import Delivery, Intent, Line
from streams.policy.delivery.known import hearing
from streams.policy.delivery.ledger import AT_ANY_TIME, TABLES, Ledger
from streams.policy.delivery.picking import pick
from streams.policy.delivery.rates import Rates
from streams.policy.delivery.results import AccountWide, Unconfirmed
from streams.policy.delivery.rules import Rules
from streams.policy.delivery.slots import ORDER, Slots
from streams.settings import Settings
from streams.state import State

ROLE = "deliver"
LINES = {Line(channel, priority): priority_topic(channel, priority) for priority in ORDER for channel in CHANNELS}
"""Their topics, the most urgent first."""
_LEDGER = ""
"""The key of the ledger among the derived values: no company has an empty id."""
_WORKER_DIED = Unconfirmed(DeliveryReason.WORKER_DIED, "the worker ended before it could record the answer")


class Deliver:
    """The role. Nothing is begun later than half a session after its intent: somebody else may answer by then."""

    name = ROLE
    topics = (*hearing.TOPICS, *LINES.values())
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
            channels = open_channels(settings)
        self._channels = channels
        self._clock = settings.clock() if clock is None else clock
        self._monotonic = monotonic
        self._partitions = settings.partitions
        self._rules = Rules(
            channels,
            (settings.recipient_hash_key or "").encode(),
            settings.delay_ladder_seconds,
            settings.unconfirmed_grace_seconds,
            settings.breaker_seconds,
            settings.recipient_allowlist,
            frozenset(name for name, channel in channels.items() if channel.recognises_repeats)
            | frozenset(settings.retry_unconfirmed),
            settings.receipt_wait_seconds,
        )
        self._begin_seconds = settings.session_timeout_seconds / 2
        self._capacity = {
            name: Capacity(
                Slots(getattr(settings, f"{name}_concurrency")),
                Rates(getattr(settings, f"{name}_per_second"), channel.per_recipient),
                partial(Breaker, settings.breaker_failures, settings.breaker_seconds),
            )
            for name, channel in channels.items()
        }
        self._sender = Sender(channels, self._capacity, self._clock, self._rules, settings.public_url)
        self._ahead = Ahead(settings.memory_budget_mb * 2**20)
        self._waiting: dict[int, Counter[Line]] = {}
        for line in LINES:
            metrics.MESSAGES_WAITING.labels(*line).set_function(partial(self._count_waiting, line))

    def step(self, batch: Batch, state: State) -> Effects:
        ledger = self._ledger(state)
        course = Course(self._rules, state, ledger, batch.now, Effects())
        for completion in batch.completions:
            if ledger.is_in_flight(completion.delivery.key):
                receipts.answered(completion.delivery, completion.result, course)
        while ledger.orphans:
            receipts.answered(ledger.orphans.pop(), _WORKER_DIED, course)
        for topic, record in batch:
            if topic in hearing.TOPICS:
                self._hear(course, topic, record)
            else:
                self._take_on(course, topic, record)
        if batch.may_begin:
            self._start_due(course)
        self._state_holding(state.partition, ledger, batch.now)
        self._ahead.hold(state.partition, ledger.waiting_bytes)
        self._waiting[state.partition] = ledger.waiting_count
        return course.effects

    def recovered(self, state: State) -> None:
        state.shared = secrets.token_hex(8)
        for capacity in self._capacity.values():
            capacity.slots.clear()
        self._ahead.clear()
        self._waiting.clear()

    def next_wakeup(self, state: State) -> float | None:
        ledger = self._ledger(state)
        return self._clock.now() if ledger.orphans else ledger.next_due

    def pick(self, fetched: Fetched, state: State, limit: int, now: float) -> Runs:
        return pick(fetched, LINES, self._ahead, state.partition, limit)

    async def perform(self, job: Job) -> Completion:
        return await self._sender.perform(job)

    def poison(self, topic: str, record: Record, detail: str, effects: Effects) -> None:
        intake.refuse(topic, record, RefusedReason.PROCESSING_FAILED, detail, role=ROLE, effects=effects)

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
        result = IntakeResult.APPLIED
        match event.data:
            case ProviderReceipt() as said:
                self._heed(said)
                if not receipts.heard(said, course):
                    result = IntakeResult.STALE
            case CustomerErased(company_id=company_id, customer_id=customer_id):
                course.erased(company_id, customer_id)
        if intake.answers(ROLE, topic, event.type):
            course.effects.counted[intake.INTAKE, topic, result] += 1

    def _heed(self, said: ProviderReceipt) -> None:
        """Some providers take a message and tell only later that the account is to blame."""
        channel = self._channels.get(said.channel)
        if channel is None or said.status not in receipts.FAILURES:
            return
        reason = channel.receipt_reason(said.error)
        if reason is DeliveryReason.AUTH_FAILED:
            told = AccountWide(reason, f"by a receipt: {said.error}")
            self._sender.heed(said.channel, channel.account(None), told)

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
        intent = Intent(
            channel,
            request,
            record.timestamp,
            composed_at,
            since_ms=since.ms,
            priority=due.priority,
            about=due.about_customer,
        )
        delivery = Delivery(intent, due)
        if since.arrived and not course.is_erased(delivery):
            receipts.returned(delivery, since.arrived, course)
        elif self._has_room(course, intent.line) and not ledger.goes_first(intent.line, course.now):
            self._begin(course, delivery)
        else:
            ledger.wait(delivery, AT_ANY_TIME)

    def _start_due(self, course: Course) -> None:
        """Some of what waits; if there is more, it is asked for again at once."""
        left = AT_ONCE
        for line in LINES:
            while left and self._has_room(course, line):
                delivery = course.ledger.take_due(line, course.now)
                if delivery is None:
                    break
                left -= 1
                self._begin(course, delivery)

    def _has_room(self, course: Course, line: Line) -> bool:
        """Where there is no such channel, nothing is sent that would need any."""
        capacity, partition = self._capacity.get(line.channel), course.state.partition
        held = _of(line.channel, course.ledger.in_flight)
        return capacity is None or capacity.has_room(partition, line.priority, held, self._monotonic())

    def _state_holding(self, partition: int, ledger: Ledger, now: float) -> None:
        due = ledger.due(now)
        for channel, capacity in self._capacity.items():
            waiting = {line.priority for line in due if line.channel is channel}
            capacity.slots.hold(partition, _of(channel, ledger.in_flight), waiting)

    def _count_waiting(self, line: Line) -> int:
        """Asked by whoever looks at the metrics, from another thread."""
        return sum(waiting[line] for waiting in list(self._waiting.values()))

    def _begin(self, course: Course, delivery: Delivery) -> None:
        """Start the attempt, if nothing speaks against it."""
        if not course.may_start(delivery):
            return
        channel = delivery.intent.channel
        account = self._channels[channel].account(self._rules.address(channel, delivery.due.recipient))
        recipient = course.address(delivery).hashed
        held_until = self._capacity[channel].held_until(account, recipient, course.now, self._monotonic())
        if held_until is None:
            self._start(course, delivery, recipient)
        else:
            self._hold_back(course, delivery, held_until)

    def _hold_back(self, course: Course, delivery: Delivery, until: float) -> None:
        course.effects.counted["staffetta_held_back_total", delivery.intent.channel] += 1
        course.put_off(delivery, until)

    def _start(self, course: Course, delivery: Delivery, recipient: str) -> None:
        ticks, share = self._monotonic(), course.state.owned / self._partitions
        self._capacity[delivery.intent.channel].taken(recipient, ticks, share)
        message = self._sender.message(delivery, course.now)
        course.effects.jobs.append(Job(course.ledger.start(delivery), message, ticks + self._begin_seconds))


def _of(channel: ChannelName, counted: Mapping[Line, int]) -> dict[Priority, int]:
    return {line.priority: count for line, count in counted.items() if line.channel is channel}
