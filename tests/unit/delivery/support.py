"""A worker of `deliver` without Kafka and without a provider: what it commits survives, what it holds does not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from agents.deliver import Deliver
from agents.retry import Retry
from agents.sending import Completion, Job
from schemas import Event, decode, encode, murmur2_partition
from schemas.event_types import PRIORITY_TOPICS, RETRY_PREFIX
from schemas.notifications import Recipient
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Message
from streams.batch import Batch, Output
from streams.batch import Record as AnyRecord
from streams.clock import ManualClock, utc
from streams.lane.queue import PartitionQueue
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.rates import Pace
from streams.policy.delivery.results import Result
from streams.settings import Settings
from streams.state import State

NOW = 1_795_000_000.0
GRACE_SECONDS = 120.0
PARTITIONS = 2

LADDER = (1, 10, 60, 300, 900, 3600)

Rows = dict[tuple[str, str, str], bytes]


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


def request(company_id: str, notification_id: str, **changes: Any) -> dict[str, Any]:
    """The data of a `notification.attempt_due`."""
    content = {
        "subject": "Ihr Termin",
        "body_text": "Guten Tag",
        "body_html": "<p>Guten Tag</p>",
        "template": {"template_id": "builtin:appointment.created.email.de", "version": 0},
    }
    return {
        "notification_id": notification_id,
        "company_id": company_id,
        "event_type": "appointment.created",
        "entity": {"type": "appointment", "id": "ap-1", "version": 3},
        "audience": "customer",
        "recipient": {"type": "customer", "id": "cu-1", "name": "Anna Müller", "email": "anna@example.com"},
        "channel": "email",
        "fallback_channels": [],
        "contents": {"email": content},
        "priority": "normal",
        "locale": "de",
        "retry_schedule_seconds": [60, 300, 900],
        "config": {"config_id": "cf-1", "level": "company", "version": 1},
        "caused_by": "ev-1",
        "cause": {"topic": "booking.appointments", "offset": 17},
        "due_at": "2026-11-18T11:06:40Z",
        "attempt": 1,
    } | changes


@dataclass
class SilentChannel:
    """Never asked: the tests answer in its place."""

    name: ChannelName = ChannelName.EMAIL
    recognises_repeats: bool = True
    gives_receipts: bool = True
    per_recipient: Pace | None = None

    def account(self, address: str | None) -> Account:
        return Account("smtp" if self.name is ChannelName.EMAIL else "twilio")

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.DEAD_ADDRESS if error == "30005" else DeliveryReason.BOUNCED

    def address(self, recipient: Recipient) -> str | None:
        return recipient.email if self.name is ChannelName.EMAIL else recipient.phone

    async def send(self, message: Message, begin_before: float) -> Result:
        raise AssertionError("nobody performs jobs here")

    async def close(self) -> None: ...


@dataclass
class Worker:
    """One process after another: `crash` ends one and starts the next from what was committed."""

    concurrency: int = 20
    configured: dict[str, Any] = field(default_factory=dict)
    """Further settings."""
    channels: Sequence[SilentChannel] = field(
        default_factory=lambda: (SilentChannel(ChannelName.EMAIL), SilentChannel(ChannelName.SMS))
    )
    """Those that are set up."""
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    committed: dict[int, Rows] = field(default_factory=lambda: {number: {} for number in range(PARTITIONS)})
    events: list[Event] = field(default_factory=list)
    """Everything written so far, read as any consumer would."""
    counted: dict[tuple[str, ...], int] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    """In flight now."""
    posted: list[Record] = field(default_factory=list)
    """Attempts in priority and delay topics that nobody has applied yet."""
    states: dict[int, State] = field(default_factory=dict)
    monotonic: float = 1000.0
    _offset: int = 0

    def __post_init__(self) -> None:
        self.settings = Settings(
            _env_file=None,
            partitions=PARTITIONS,
            email_concurrency=self.concurrency,
            recipient_hash_key="key",
            unconfirmed_grace_seconds=GRACE_SECONDS,
            session_timeout_seconds=10,
            **self.configured,
        )
        channels = (ChannelName.EMAIL, ChannelName.SMS)
        self.retry = Retry(PARTITIONS, self.settings.delay_ladder_seconds, channels=channels)
        self.crash()

    def crash(self) -> None:
        self.jobs.clear()
        self.role = Deliver(
            self.settings,
            channels={channel.name: channel for channel in self.channels},
            clock=self.clock,
            monotonic=lambda: self.monotonic,
        )
        self.take_over()

    def take_over(self) -> None:
        """Load what was committed, as after a rebalance."""
        for number, rows in self.committed.items():
            state = State(number, self.role.tables)
            for (table, scope, key), value in rows.items():
                state.restore(table, scope, key, value)
            state.committed()
            self.states[number] = state
            self.role.recovered(state)

    def record(
        self, data: dict[str, Any], topic: str = "delivery.email", timestamp: float | None = None
    ) -> Record:
        company_id = data["company_id"]
        value = encode(
            "notification.attempt_due",
            id=f"{data['notification_id']}:1",
            source="/staffetta/notify",
            time=utc(NOW),
            subject=None,
            company_id=company_id,
            data=data,
        )
        return self.place(topic, company_id.encode(), value, timestamp)

    def place(self, topic: str, key: bytes, value: bytes, timestamp: float | None = None) -> Record:
        """As the broker has it: in the key's partition, with an offset and a timestamp (seconds)."""
        self._offset += 1
        at = self.clock.now() if timestamp is None else timestamp
        return Record(topic, murmur2_partition(key, PARTITIONS), self._offset, int(at * 1000), key, value)

    def news(self, event_type: str, topic: str, data: dict[str, Any], event_id: str = "ev-9") -> Record:
        """What the booking system, or `assign`, says."""
        key = data["company_id"]
        value = encode(
            event_type, id=event_id, source="/x", time=utc(NOW), subject=None, company_id=key, data=data
        )
        return self.place(topic, key.encode(), value)

    def step(
        self,
        number: int,
        records: Sequence[Record] = (),
        completions: Sequence[Completion] = (),
        *,
        commits: bool = True,
        may_begin: bool = True,
    ) -> list[Event]:
        """One batch and its transaction; without `commits` the process ends just before it. Not `may_begin`: the
        partition is being let go."""
        state = self.states[number]
        runs: list[tuple[str, Sequence[AnyRecord]]] = [
            (topic, found) for topic in self.role.topics if (found := [r for r in records if r.topic == topic])
        ]
        effects = self.role.step(Batch(state, runs, self.clock.now(), completions, may_begin=may_begin), state)
        if not commits:
            self.crash()
            return []
        for table, scope, key, value in state.changes():
            if value is None:
                self.committed[number].pop((table, scope, key), None)
            else:
                self.committed[number][table, scope, key] = value
        state.committed()
        for labels, count in effects.counted.items():
            self.counted[labels] = self.counted.get(labels, 0) + count
        written = [read(output, number) for output in effects.outputs]
        self.events += written
        self.jobs += effects.jobs
        self._post(effects.outputs)
        return written

    def picked(self, number: int, records: Sequence[Record]) -> list[Record]:
        """Those of these that the next batch would hold."""
        queue = PartitionQueue(self.role.topics, 10**9)
        for record in records:
            queue.put(record.topic, [record])
        runs = self.role.pick(queue, self.states[number], 5000, self.clock.now())
        return [cast(Record, record) for _, found in runs for record in found]

    def heard(self, result: Result) -> None:
        """What the mail server has said to a worker as a whole, as `perform` hears it."""
        self.role._capacity[ChannelName.EMAIL].hear(Account("smtp"), result, self.clock.now())

    def room(self, number: int) -> int:
        """How many ordinary messages it would take on now."""
        return len(self.picked(number, [Record("delivery.email", number, n, 0, b"", b"") for n in range(1000)]))

    def _post(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.topic in PRIORITY_TOPICS or output.topic.startswith(RETRY_PREFIX):
                assert output.key is not None
                self.posted.append(self.place(output.topic, output.key, output.value))

    def release(self) -> None:
        """`retry` sends on what has waited long enough."""
        for number in range(PARTITIONS):
            state, queue = State(number, ()), PartitionQueue(self.retry.topics, 10**9)
            self.retry.recovered(state)
            for record in self.posted:
                if record.topic in self.retry.topics and record.partition == number:
                    queue.put(record.topic, [record])
            runs = self.retry.pick(queue, state, 5000, self.clock.now())
            effects = self.retry.step(Batch(state, runs, self.clock.now()), state)
            gone = {record.offset for _, records in runs for record in records}
            self.posted = [record for record in self.posted if record.offset not in gone]
            self._post(effects.outputs)

    def arrived(self) -> list[Record]:
        """Attempts that are back in the priority topics."""
        return [record for record in self.posted if record.topic not in self.retry.topics]

    def run(self) -> list[Event]:
        """Release what is due, apply what is back, wake who is to be woken; what was written."""
        self.release()
        written: list[Event] = []
        for record in self.arrived():
            self.posted.remove(record)
            written += self.send(record)
        return written + self.tick()

    def send(self, *records: Record) -> list[Event]:
        return self.step(records[0].partition, records)

    def answer(self, job: Job, result: Result, *, may_begin: bool = True) -> list[Event]:
        self.jobs.remove(job)
        completions = [Completion(job.delivery, result)]
        return self.step(partition_of(job), completions=completions, may_begin=may_begin)

    def tick(self) -> list[Event]:
        """Wake the partitions whose time has come."""
        written = []
        for number, state in self.states.items():
            moment = self.role.next_wakeup(state)
            if moment is not None and moment <= self.clock.now():
                written += self.step(number)
        return written


def partition_of(job: Job) -> int:
    return murmur2_partition(job.delivery.due.company_id.encode(), PARTITIONS)


def read(output: Output, partition: int) -> Event:
    """What a consumer reads; fails where the contract is broken."""
    assert output.key is not None
    return decode(output.topic, Record(output.topic, partition, 0, 0, output.key, output.value), PARTITIONS)


def types(events: Sequence[Event]) -> list[str]:
    return [event.type.removeprefix("notification.") for event in events]
