"""A company in front of the `notify` role: events go in as Kafka records, what it writes comes out decoded.

Everything written is read back by the contract's codec, so each test also checks that it is valid.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.notify import Notify
from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES, Event, decode, encode, murmur2_partition
from schemas.event_types import CALLBACKS, DECISIONS
from schemas.notifications import AttemptDue, NotificationRequest, Outcome
from streams.batch import Batch, Effects
from streams.state import State

PARTITIONS = 4
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
"""The record time of the first event."""
VISIT = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
"""When appointments start: 14:30 in Berlin."""
COMPANY = "co-7"


@dataclass(frozen=True)
class FakeRecord:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = (CONTENT_TYPE_HEADER,)


@dataclass
class World:
    """One partition of the role. `at` is the record time of the next event and stands still until it is moved."""

    company_id: str = COMPANY
    at: datetime = START
    offsets: Counter[str] = field(default_factory=Counter)
    counted: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.role = Notify(
            retry_schedule_seconds=(60, 300, 900),
            partitions=PARTITIONS,
            recipient_hash_key=b"secret",
            smtp_from="Staffetta <post@staffetta.example>",
        )
        self.partition = murmur2_partition(self.company_id.encode(), PARTITIONS)
        self.state = State(self.partition, self.role.tables)
        self.role.recovered(self.state)

    def record(
        self, type: str, data: Mapping[str, Any], event_id: str | None = None, offset: int | None = None
    ) -> FakeRecord:
        """The record of an event at the present record time, at the end of its topic unless said otherwise."""
        topic = EVENT_TYPES[type].topic
        assert topic is not None
        if offset is None:
            offset = self.offsets[topic]
        self.offsets[topic] = max(self.offsets[topic], offset + 1)
        if topic == DECISIONS:
            data = {"basis": {CALLBACKS: max(0, self.offsets[CALLBACKS] - 1)}, **data}
        value = encode(
            type,
            id=event_id or (data["decision_id"] if topic == DECISIONS else f"{topic}-{offset}"),
            source="/booking/test",
            time=self.at,
            subject=None,
            company_id=self.company_id,
            data={"company_id": self.company_id, **data},
        )
        return FakeRecord(
            topic, self.partition, offset, int(self.at.timestamp() * 1000), self.company_id.encode(), value
        )

    def step(self, *records: FakeRecord) -> Effects:
        """The role's effects of one batch; not committed."""
        runs = [(record.topic, [record]) for record in records]
        return self.role.step(Batch(self.state, runs, now=0.0), self.state)

    def apply(self, *records: FakeRecord) -> list[Event]:
        effects = self.step(*records)
        self.state.committed()
        self.counted += effects.counted
        return [decode(out.topic, self._written(out)) for out in effects.outputs]

    def send(self, type: str, data: Mapping[str, Any], event_id: str | None = None) -> list[Event]:
        return self.apply(self.record(type, data, event_id))

    def tick(self, now: datetime | None = None) -> list[Event]:
        """What the timer writes at `now`, if not at the present record time."""
        effects = self.role.step(Batch(self.state, [], now=(now or self.at).timestamp()), self.state)
        self.state.committed()
        return [decode(out.topic, self._written(out)) for out in effects.outputs]

    def later(self, **delta: float) -> None:
        self.at += timedelta(**delta)

    def restart(self) -> None:
        """Another worker loads the rows, in whatever order."""
        loaded = State(self.partition, self.role.tables)
        for (table, scope, key), value in reversed(self.rows().items()):
            loaded.restore(table, scope, key, value)
        self.state = loaded
        self.role.recovered(loaded)

    def rows(self) -> dict[tuple[str, str, str], bytes]:
        tables, state = self.role.tables, self.state
        return {
            (table, scope, key): value
            for table in tables
            for scope in state.scopes(table)
            for key, value in state.rows(table, scope).items()
        }

    def _written(self, out: Any) -> FakeRecord:
        return FakeRecord(out.topic, self.partition, 0, 0, out.key, out.value)


def requests(events: Sequence[Event]) -> list[NotificationRequest]:
    return [each.data for each in events if each.type == "notification.requested"]


def suppressions(events: Sequence[Event]) -> list[Outcome]:
    return [each.data for each in events if each.type == "notification.suppressed"]


def attempts(events: Sequence[Event]) -> list[AttemptDue]:
    return [each.data for each in events if each.type == "notification.attempt_due"]


def outline(events: Sequence[Event]) -> list[tuple[str, ...]]:
    """(event type, audience, recipient) of each request, (…, reason) of each suppression."""
    return [
        (each.data.event_type, each.data.audience, each.data.recipient.id)
        if isinstance(each.data, NotificationRequest)
        else (each.data.event_type, each.data.audience, each.data.reason)
        for each in events
    ]


def company(**fields: Any) -> dict[str, Any]:
    return {"version": 1, "name": "Haar & Co", "locale": "de", "timezone": "Europe/Berlin", **fields}


def branch(**fields: Any) -> dict[str, Any]:
    return {
        "branch_id": "b-1",
        "version": 1,
        "name": "Salon Mitte",
        "timezone": "Europe/Berlin",
        "auto_assign": True,
        "strategy": "load_based",
        "address": "Hauptstraße 1\n10115 Berlin",
        "phone": "+49 30 1234567",
        **fields,
    }


def service(**fields: Any) -> dict[str, Any]:
    return {"service_id": "cut", "version": 1, "name": "Haarschnitt", "duration_minutes": 45, **fields}


def staff(staff_id: str = "anna", **fields: Any) -> dict[str, Any]:
    return {
        "staff_id": staff_id,
        "version": 1,
        "name": f"{staff_id.capitalize()} Beispiel",
        "email": f"{staff_id}@salon.example",
        "branch_ids": ["b-1"],
        "service_ids": ["cut"],
        "is_active": True,
        "accepts_callbacks": True,
        **fields,
    }


def config(event_type: str, config_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """On the company's level, by e-mail."""
    return {
        "config_id": config_id or f"{event_type}-{fields.get('audience', 'default')}",
        "version": 1,
        "level": "company",
        "level_id": COMPANY,
        "event_type": event_type,
        "channel": "email",
        "fallback_channels": [],
        "is_enabled": True,
        **fields,
    }


def customer(**fields: Any) -> dict[str, Any]:
    return {
        "customer_id": "cu-1",
        "name": "Erika Muster",
        "email": "erika@example.org",
        "phone": "+493098765",
        **fields,
    }


def appointment(version: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "appointment_id": "ap-1",
        "version": version,
        "branch_id": "b-1",
        "service_id": "cut",
        "staff_id": "anna",
        "customer": customer(),
        "starts_at": VISIT,
        "duration_minutes": 45,
        "status": "booked",
        **fields,
    }


def callback(version: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "callback_id": "cb-1",
        "version": version,
        "branch_id": "b-1",
        "customer": customer(),
        "priority": "normal",
        "status": "pending",
        "requested_at": START,
        **fields,
    }


def decision(decision_id: str, staff_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """Unless the fields say so, it was decided with every callback event seen that was recorded before it."""
    return {
        "decision_id": decision_id,
        "callback_id": "cb-1",
        "branch_id": "b-1",
        "staff_id": staff_id,
        "caused_by": "ev-1",
        "decided_at": START,
        **fields,
    }


EVERYTHING = (
    *(f"appointment.{what}" for what in ("created", "updated", "rescheduled", "cancelled", "deleted", "reminder")),
    "callback.received",
    "callback.assigned",
    "callback.withdrawn",
)
STAFF_ONLY = ("callback.assigned", "callback.withdrawn")


def opened(**fields: Any) -> World:
    """A company with a branch, a service and three colleagues. Everything is told to the customer by e-mail, and
    who has a callback to the colleague."""
    world = World()
    world.send("company.upserted", company(**fields))
    world.send("branch.upserted", branch())
    world.send("service.upserted", service())
    for staff_id in ("anna", "ben", "cleo"):
        world.send("staff.upserted", staff(staff_id))
    for event_type in EVERYTHING:
        world.send("notification_config.upserted", config(event_type))
    return world
