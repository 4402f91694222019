"""A callback's life as the messages that tell it, on every topic that is recorded."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.intake import dead_letter
from agents.record import Recorder
from schemas import encode
from schemas.reasons import RefusedReason
from streams.batch import Batch, Effects
from streams.state import State
from tests.support.kafka import Entry

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Log:
    """Records by topic, with offsets of their own, all in one partition."""

    def __init__(self) -> None:
        self.records: list[Entry] = []
        self._ends: Counter[str] = Counter()

    def add(self, topic: str, type: str, data: Mapping[str, Any], *, id: str = "", minutes: int = 0) -> Entry:
        offset = self._ends[topic]
        self._ends[topic] += 1
        company = data["company_id"]
        value = encode(
            type,
            id=id or f"{type}-{offset}",
            source="/test",
            time=at(minutes),
            subject=None,
            company_id=company,
            data=dict(data),
        )
        entry = Entry(topic, 0, offset, int(at(minutes).timestamp() * 1000), company.encode(), value, ())
        self.records.append(entry)
        return entry

    def refuse(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = b"co-1",
        headers: Sequence[tuple[str, bytes]] = (),
        reason: RefusedReason = RefusedReason.INVALID_JSON,
        partition: int = 0,
        offset: int = 7,
        minutes: int = 0,
    ) -> Entry:
        """The dead letter of a record that lies at `partition` and `offset`."""
        stamp = int(at(minutes).timestamp() * 1000)
        refused = Entry(topic, partition, offset, stamp, key, value, headers)
        letter = dead_letter(topic, refused, reason, "it is not JSON", "assign")
        number = self._ends[letter.topic]
        self._ends[letter.topic] += 1
        entry = Entry(letter.topic, 0, number, stamp, letter.key, letter.value, ())
        self.records.append(entry)
        return entry


def callback(version: int = 1, status: str = "pending", **changed: Any) -> dict[str, Any]:
    return {
        "company_id": "co-1",
        "callback_id": "cb-1",
        "version": version,
        "branch_id": "br-1",
        "customer": {"customer_id": "cu-1", "name": "Jörg Müßig", "email": "joerg@example.org"},
        "priority": "high",
        "status": status,
        "requested_at": at(0),
        **changed,
    }


def decision(decision_id: str = "d-1", **changed: Any) -> dict[str, Any]:
    anna = {"staff_id": "st-1", "eligible": True, "load": 2, "turn": 7, "last_assigned_at": at(-30)}
    bert = {"staff_id": "st-2", "eligible": False, "load": 5, "turn": 3, "excluded_by": "at_capacity"}
    return {
        "decision_id": decision_id,
        "company_id": "co-1",
        "callback_id": "cb-1",
        "branch_id": "br-1",
        "strategy": "load_based",
        "chosen_by": "load_based",
        "staff_id": "st-1",
        "staff_name": "Anna",
        "reason": "load_based",
        "caused_by": "e-1",
        "decided_at": at(1),
        "candidates": [anna, bert],
        "basis": {"booking.callbacks": 0, "booking.directory": 3},
        **changed,
    }


def staff(staff_id: str, name: str, version: int = 1) -> dict[str, Any]:
    return {
        "company_id": "co-1",
        "staff_id": staff_id,
        "version": version,
        "name": name,
        "branch_ids": ["br-1"],
        "service_ids": [],
        "is_active": True,
        "accepts_callbacks": True,
    }


def branch() -> dict[str, Any]:
    return {
        "company_id": "co-1",
        "branch_id": "br-1",
        "version": 1,
        "name": "Mitte",
        "timezone": "Europe/Berlin",
        "auto_assign": True,
        "strategy": "load_based",
    }


def request(notification_id: str = "n-1", **changed: Any) -> dict[str, Any]:
    text = {"subject": "Neuer Rückruf", "body_text": "…", "template": {"template_id": "builtin:x", "version": 0}}
    return {
        "notification_id": notification_id,
        "company_id": "co-1",
        "event_type": "callback.assigned",
        "entity": {"type": "callback", "id": "cb-1", "version": 1},
        "audience": "staff",
        "recipient": {"type": "staff", "id": "st-1", "name": "Anna", "email": "anna@example.org"},
        "channel": "email",
        "fallback_channels": [],
        "contents": {"email": text},
        "priority": "high",
        "locale": "de",
        "retry_schedule_seconds": [],
        "config": {"config_id": "cf-1", "level": "company", "version": 1},
        "caused_by": "d-1",
        "cause": {"topic": "assignment.decisions", "offset": 0},
        **changed,
    }


def outcome(notification_id: str = "n-1", **changed: Any) -> dict[str, Any]:
    return {
        "notification_id": notification_id,
        "company_id": "co-1",
        "entity": {"type": "callback", "id": "cb-1", "version": 1},
        "recipient_hash": "a" * 64,
        "channel": "email",
        "attempt": 1,
        "at": at(3),
        "caused_by": "d-1",
        **changed,
    }


def story() -> Log:
    """Requested, assigned, told (first without an answer), completed; and one notification given up."""
    log = Log()
    log.add("booking.directory", "branch.upserted", branch())
    log.add("booking.directory", "staff.upserted", staff("st-1", "Anna Alt"))
    log.add("booking.directory", "staff.upserted", staff("st-2", "Bert"))
    log.add("booking.directory", "staff.upserted", staff("st-1", "Anna", 2))
    log.add("booking.callbacks", "callback.requested", callback(), id="e-1")
    log.add("assignment.decisions", "callback.auto_assigned", decision(), id="d-1", minutes=1)
    log.add("notification.requests", "notification.requested", request(), minutes=2)
    unconfirmed = outcome(reason="lost_after_data")
    log.add("delivery.outcomes", "notification.unconfirmed", unconfirmed, id="o-1", minutes=3)
    log.add("delivery.outcomes", "notification.sent", outcome(at=at(5)), id="o-2", minutes=5)
    completed = callback(3, "completed", assigned_to="st-1", decision_id="d-1")
    log.add("booking.callbacks", "callback.completed", completed, id="e-3", minutes=9)
    late = callback(2, "assigned", assigned_to="st-1", decision_id="d-1")
    log.add("booking.callbacks", "callback.updated", late, id="e-2", minutes=2)
    log.add("notification.requests", "notification.requested", request("n-2"), minutes=2)
    log.add("delivery.outcomes", "notification.failed", outcome("n-2", reason="rejected"), id="o-3", minutes=4)
    dead = request("n-2", reason="rejected", error="550 no such user")
    log.add("delivery.dead-letters", "notification.dead_lettered", dead, minutes=4)
    log.refuse("booking.callbacks", b"no CloudEvent", minutes=6)
    return log


def recorded(records: Iterable[Entry], state: State | None = None) -> Effects:
    """What the role makes of the records, in their order."""
    batch = Batch(state or State(0, ()), [(entry.topic, [entry]) for entry in records], now=0.0)
    return Recorder(1).step(batch, batch.state)


def recorded_story() -> tuple[Effects, dict[str, int]]:
    """What the role makes of the whole story, and the positions after it."""
    state = State(0, ())
    return recorded(story().records, state), dict(state.positions)
