"""A day without Kafka: the roles take turns on topics that are lists. What they leave there is right."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from agents.assign import Assign
from agents.deliver import Deliver
from agents.notify import Notify
from agents.retry import Retry
from schemas import CONTENT_TYPE_HEADER, murmur2_partition
from schemas.notifications import Recipient
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Channel
from sinks.channels.base import Message as Mail
from sinks.channels.smtp.composing import Composer
from streams.audit import Entry, Log
from streams.batch import Batch, Output, Role
from streams.clock import ManualClock
from streams.lane.queue import PartitionQueue
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from streams.state import State, row_key
from streams.topics import changelog
from tests.support.booking import MONDAY, Booking, Message, customer

PARTITIONS = 2
NOW = MONDAY.timestamp()
MACHINE_NOW = NOW + 30 * 86400
"""Changelogs are written on another clock than the records."""


class Post:
    """Takes every mail over, but for those to who is `refused`; the answer to the first one to `doubtful` is lost,
    and whoever is `busy` is so once."""

    recognises_repeats = True
    gives_receipts = False
    per_recipient = None

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.refused = "refused"
        """How the addresses begin that it does not take."""
        self._busy: Counter[str] = Counter()
        self._composer = Composer("post@staffetta.example")

    def account(self, address: str | None) -> Account:
        return Account("smtp")

    def address(self, recipient: Recipient) -> str | None:
        return recipient.email

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.BOUNCED

    async def send(self, message: Mail, begin_before: float) -> Result:
        if message.address.startswith(self.refused):
            return Permanent(DeliveryReason.REJECTED, "no")
        if message.address.startswith("busy"):
            self._busy[message.notification_id] += 1
            if self._busy[message.notification_id] == 1:
                return Transient(DeliveryReason.UNAVAILABLE, "not now")
        message_id = self._composer.message_id(message.company_id, message.notification_id)
        self.accepted[message_id] += 1
        if message.address.startswith("doubtful") and self.accepted[message_id] == 1:
            return Unconfirmed(DeliveryReason.LOST_AFTER_DATA, "the line is dead")
        return Accepted(message_id)

    async def close(self) -> None: ...


class Theatre:
    def __init__(self, grace_seconds: float = 0, **channels: Channel) -> None:
        """`channels`: by name, besides e-mail."""
        settings = Settings(
            _env_file=None,
            partitions=PARTITIONS,
            recipient_hash_key="key",
            unconfirmed_grace_seconds=grace_seconds,
        )
        self.clock, self.post = ManualClock(NOW), Post()
        opened = {ChannelName.EMAIL: self.post, **{ChannelName(name): each for name, each in channels.items()}}
        self.log: Log = defaultdict(list)
        self._ends: Counter[tuple[str, int]] = Counter()
        roles: list[Role] = [
            Assign(PARTITIONS),
            Notify(partitions=PARTITIONS, recipient_hash_key=b"key", retry_schedule_seconds=(60, 300, 900)),
            Deliver(settings, channels=opened, clock=self.clock),
            Retry(PARTITIONS, settings.delay_ladder_seconds),
        ]
        self._at_work = [(role, State(number, role.tables)) for role in roles for number in range(PARTITIONS)]
        for role, state in self._at_work:
            role.recovered(state)

    def write(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int = -1, now: float | None = None
    ) -> Entry:
        if partition < 0:
            partition = murmur2_partition(key or b"", PARTITIONS)
        offset = self._ends[topic, partition]
        self._ends[topic, partition] += 1
        timestamp = int((now or self.clock.now()) * 1000)
        entry = Entry(topic, partition, offset, timestamp, key, value, [CONTENT_TYPE_HEADER])
        self.log[topic].append(entry)
        self.log[topic].sort(key=lambda each: (each.partition, each.offset))
        return entry

    def send(self, *messages: Message) -> None:
        """Write these, and play until nothing is left to do."""
        for message in messages:
            self.write(message.topic, message.key, message.value)
        while self._turns():
            self.clock.moment += 0.001
        while any(wakeup is not None for wakeup in self._wakeups()):
            self.clock.moment = max(self.clock.moment, min(filter(None, self._wakeups()))) + 0.001
            self._turns()

    def wake(self) -> None:
        """What time alone brings about by now, and what comes of it."""
        for role, state in self._at_work:
            wakeup = role.next_wakeup(state)
            if wakeup is not None and wakeup <= self.clock.now():
                self._step(role, state, Batch(state, [], self.clock.now()))
        self.send()

    def _wakeups(self) -> list[float | None]:
        """When those who wait for a delay to pass are to be woken."""
        return [role.next_wakeup(state) for role, state in self._at_work if role.name in ("deliver", "retry")]

    def _turns(self) -> int:
        return sum(self._turn(role, state) for role, state in self._at_work)

    def _turn(self, role: Role, state: State) -> bool:
        queue = PartitionQueue(role.topics, 10**9)
        for topic in role.topics:
            start = state.positions.get(topic, 0)
            queue.put(
                topic,
                [each for each in self.log[topic] if each.partition == state.partition and each.offset >= start],
            )
        runs = role.pick(queue, state, 5000, self.clock.now()) if queue.count else []
        wakeup = role.next_wakeup(state)
        if not runs and (wakeup is None or wakeup > self.clock.now()):
            return False
        self._step(role, state, Batch(state, list(runs), self.clock.now()))
        return True

    def _step(self, role: Role, state: State, batch: Batch) -> None:
        effects = role.step(batch, state)
        for table, scope, key, value in state.changes():
            row = row_key(table, scope, key)
            self.write(changelog(role.name).name, row, value, state.partition, now=MACHINE_NOW)
        state.committed()
        self._publish(effects.outputs)
        completions = [asyncio.run(role.perform(job)) for job in effects.jobs]
        if completions:
            self._step(role, state, Batch(state, [], self.clock.now(), completions))

    def _publish(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self.write(output.topic, output.key, output.value, output.partition)


def configuration(salon: Booking, event_type: str, **fields: Any) -> Message:
    """The company has an e-mail sent for this event type."""
    audience = "staff" if event_type in ("callback.assigned", "callback.withdrawn") else "customer"
    data = {
        "config_id": f"cf-{event_type}",
        "level": "company",
        "level_id": salon.company_id,
        "event_type": event_type,
        "channel": "email",
        "fallback_channels": [],
        "is_enabled": True,
        "audience": audience,
    }
    return salon.directory("notification_config.upserted", f"cf-{event_type}", **{**data, **fields})


def a_day() -> Theatre:
    """Callbacks that are assigned, given back, taken by hand, re-assigned and done; appointments; mails that
    arrive, one that is refused, one that is doubtful, one that is tried again; a record that nobody can read; and
    a company that has little to do."""
    theatre, salon, other = Theatre(), Booking("co-1"), Booking("co-3")
    for each in (salon, other):
        theatre.send(each.company(), each.branch(), each.service(), each.staff("st-1"))
    told = ("appointment.created", "callback.received", "callback.assigned")
    theatre.send(salon.staff("st-2"), *[configuration(salon, event_type) for event_type in told])
    theatre.send(
        salon.appointment("ap-1"),
        salon.appointment("ap-2", customer=customer(email="refused@kundin.example")),
        salon.appointment("ap-3", customer=customer(email="doubtful@kundin.example")),
        salon.appointment("ap-4", customer=customer(email="busy@kundin.example")),
        salon.appointment("ap-1", "cancelled"),
        other.callback("cb-1"),
    )
    theatre.send(
        *[salon.callback(f"cb-{number}") for number in range(7)], salon.callback("cb-7", service_id="sv-9")
    )
    theatre.send(
        salon.callback("cb-1", "completed"),
        salon.callback("cb-2", "unassigned"),
        salon.callback("cb-3", "assigned", assigned_to="st-1"),
        salon.reassign("cb-4"),
        salon.bulk_auto_assign(),
        salon.auto_assign("cb-unknown"),
    )
    theatre.send(salon.staff("st-2", is_active=False))
    theatre.write("booking.callbacks", b"co-1", b"no CloudEvent")
    theatre.send(salon.callback("cb-5", "updated", assigned_to="st-3"), salon.callback("cb-6", "contacted"))
    return theatre
