"""A booking system for tests: the CloudEvents of one company, and the records that carry them.

    salon = Booking("co-7")
    salon.branch("br-1", strategy="round_robin")   # a Message; versions count up by entity
    salon.callback("cb-1", branch_id="br-1")        # callback.requested
    salon.auto_assign("cb-1")
    message.record(offset=4, at=now)                # as the consumer would hand it over

Every field has a harmless default; keyword arguments replace it, and None leaves the field out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES, murmur2_partition

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday at 11:00 in Berlin: the moment at which nothing else is said."""
_IDS = count(1)


def moment(text: str) -> datetime:
    """`moment("2026-11-23T10:00:00Z")`, aware, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def milliseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """What `streams.batch.Record` asks for."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = (CONTENT_TYPE_HEADER,)


@dataclass(frozen=True)
class Message:
    """One CloudEvent on its way to `topic`. `at`: when it is (to be) written, if that matters."""

    topic: str
    event: Mapping[str, Any]
    at: datetime | None = None

    @property
    def id(self) -> str:
        return str(self.event["id"])

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.event["data"])

    @property
    def key(self) -> bytes:
        return str(self.event["partitionkey"]).encode()

    @property
    def value(self) -> bytes:
        return msgspec.json.encode(self.event)

    def but(self, at: datetime | None = None, **attributes: Any) -> "Message":
        """The same with other attributes of the event (`id=`, `source=`, `type=`, ...), or at another time."""
        return replace(self, event={**self.event, **attributes}, at=at or self.at)

    def record(self, *, offset: int, at: datetime | None = None, partitions: int = 1) -> FakeRecord:
        timestamp = milliseconds(at or self.at or MONDAY)
        return FakeRecord(
            self.topic, murmur2_partition(self.key, partitions), offset, timestamp, self.key, self.value
        )


def records(messages: Iterable[Message], *, at: datetime = MONDAY, partitions: int = 1) -> list[FakeRecord]:
    """Each message's record, offsets counted by topic and partition."""
    offsets: Counter[tuple[str, int]] = Counter()
    made = []
    for message in messages:
        place = message.topic, murmur2_partition(message.key, partitions)
        made.append(message.record(offset=offsets[place], at=message.at or at, partitions=partitions))
        offsets[place] += 1
    return made


class Booking:
    """One company's booking system."""

    def __init__(self, company_id: str = "co-1", source: str = "/booking/test") -> None:
        self.company_id = company_id
        self.source = source
        self._versions: Counter[str] = Counter()
        self._callbacks: dict[str, dict[str, Any]] = {}
        self._appointments: dict[str, dict[str, Any]] = {}
        self._staff: dict[str, dict[str, Any]] = {}

    # --- directory ---

    def company(self, **fields: Any) -> Message:
        data = {"name": "Salon Anna", "locale": "de", "timezone": "Europe/Berlin"}
        return self._change("company.upserted", "company", {**data, **fields})

    def branch(self, branch_id: str = "br-1", **fields: Any) -> Message:
        data = {
            "branch_id": branch_id,
            "name": f"Filiale {branch_id}",
            "timezone": "Europe/Berlin",
            "auto_assign": True,
            "strategy": "load_based",
        }
        return self._change("branch.upserted", f"branch/{branch_id}", {**data, **fields})

    def service(self, service_id: str = "sv-1", **fields: Any) -> Message:
        data = {"service_id": service_id, "name": f"Leistung {service_id}", "duration_minutes": 45}
        return self._change("service.upserted", f"service/{service_id}", {**data, **fields})

    def staff(self, staff_id: str = "st-1", **fields: Any) -> Message:
        """The fields of the last such event stay, until others are given."""
        data = self._staff.setdefault(
            staff_id,
            {
                "staff_id": staff_id,
                "name": f"Kollegin {staff_id}",
                "email": f"{staff_id}@salon.example",
                "branch_ids": ["br-1"],
                "service_ids": ["sv-1"],
                "is_active": True,
                "accepts_callbacks": True,
            },
        )
        data.update(fields)
        return self._change("staff.upserted", f"staff/{staff_id}", data)

    def deleted(self, entity: str, entity_id: str = "", **fields: Any) -> Message:
        """`deleted("staff", "st-1")`: a tombstone, ids and version only."""
        name = f"{entity}/{entity_id}" if entity_id else entity
        return self._change(f"{entity}.deleted", name, {f"{entity}_id": entity_id or self.company_id, **fields})

    def directory(self, event_type: str, entity_id: str, /, **fields: Any) -> Message:
        """Any other event of the directory: `notification_config.upserted`, `template.upserted`, ..."""
        entity = event_type.partition(".")[0]
        return self._change(event_type, f"{entity}/{entity_id}", fields)

    # --- callbacks and appointments ---

    def callback(self, callback_id: str = "cb-1", event: str = "requested", **fields: Any) -> Message:
        """`callback.<event>`: the last snapshot of this callback, changed by `fields`. What an event type says
        about the status is in it by itself."""
        data = self._callbacks.setdefault(
            callback_id,
            {
                "callback_id": callback_id,
                "branch_id": "br-1",
                "service_id": "sv-1",
                "customer": customer(),
                "priority": "normal",
                "status": "pending",
                "requested_at": iso(MONDAY),
            },
        )
        if event in {"contacted", "completed", "cancelled", "expired"}:
            data["status"] = event
        elif event == "assigned":
            data["status"] = "assigned"
        elif event == "unassigned":
            data.update(status="pending", assigned_to=None)
        data.update({name: value for name, value in fields.items() if name not in {"version", "assign"}})
        once = {name: value for name, value in fields.items() if name in {"version", "assign"}}
        return self._change(f"callback.{event}", f"callback/{callback_id}", {**data, **once})

    def appointment(self, appointment_id: str = "ap-1", event: str = "created", **fields: Any) -> Message:
        """`appointment.<event>`: the last snapshot of this appointment, changed by `fields`."""
        data = self._appointments.setdefault(
            appointment_id,
            {
                "appointment_id": appointment_id,
                "branch_id": "br-1",
                "service_id": "sv-1",
                "staff_id": "st-1",
                "customer": customer(),
                "starts_at": iso(MONDAY + timedelta(days=2)),
                "duration_minutes": 45,
                "status": "booked",
            },
        )
        if event == "cancelled":
            data["status"] = "cancelled"
        data.update({name: value for name, value in fields.items() if name != "version"})
        version = {name: value for name, value in fields.items() if name == "version"}
        return self._change(f"appointment.{event}", f"appointment/{appointment_id}", {**data, **version})

    # --- commands ---

    def auto_assign(self, callback_id: str = "cb-1", **fields: Any) -> Message:
        return self._event("callback.auto_assign", {"callback_id": callback_id, **fields})

    def bulk_auto_assign(self, **fields: Any) -> Message:
        return self._event("callback.bulk_auto_assign", fields)

    def reassign(self, callback_id: str = "cb-1", **fields: Any) -> Message:
        return self._event("callback.reassign", {"callback_id": callback_id, "reason": "bitte", **fields})

    def reconsider(self, branch_id: str = "br-1", due_at: datetime = MONDAY, **fields: Any) -> Message:
        return self._event("branch.reconsider", {"branch_id": branch_id, "due_at": iso(due_at), **fields})

    def expire(self, callback_id: str = "cb-1", due_at: datetime = MONDAY, **fields: Any) -> Message:
        return self._event("callback.expire", {"callback_id": callback_id, "due_at": iso(due_at), **fields})

    # --- any ---

    def _change(self, event_type: str, entity: str, fields: Mapping[str, Any]) -> Message:
        version = fields.get("version", self._versions[entity] + 1)
        self._versions[entity] = max(self._versions[entity], version)
        return self._event(event_type, {"version": version, **fields}, subject=entity)

    def _event(self, event_type: str, fields: Mapping[str, Any], subject: str | None = None) -> Message:
        topic = EVENT_TYPES[event_type].topic
        assert topic is not None
        data = {"company_id": self.company_id, **fields}
        event = {
            "specversion": "1.0",
            "id": f"ev-{next(_IDS)}",
            "source": self.source,
            "type": event_type,
            "time": iso(MONDAY),
            "subject": subject,
            "partitionkey": self.company_id,
            "datacontenttype": "application/json",
            "data": {name: value for name, value in data.items() if value is not None},
        }
        return Message(topic, {name: value for name, value in event.items() if value is not None})


def customer(**fields: Any) -> dict[str, Any]:
    data = {
        "customer_id": "cu-1",
        "name": "Erika Muster",
        "email": "erika@kundin.example",
        "phone": "+491701234567",
    }
    return {name: value for name, value in {**data, **fields}.items() if value is not None}


def week(
    start: str = "09:00", end: str = "17:00", days: str = "mon tue wed thu fri"
) -> dict[str, list[list[str]]]:
    """Working hours: the same on each of the days."""
    return {day: [[start, end]] for day in days.split()}


def absence(begins: str | datetime, ends: str | datetime) -> dict[str, str]:
    begins, ends = (iso(moment(at) if isinstance(at, str) else at) for at in (begins, ends))
    return {"from": begins, "until": ends}
