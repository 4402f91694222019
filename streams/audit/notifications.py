"""Notifications: every event that should tell somebody did, and every request came to exactly one end."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas import Ignored, Refused, decode
from streams.audit.decisions import ASSIGNING, DECISIONS
from streams.audit.reading import Log

REQUESTS = "notification.requests"
OUTCOMES = "delivery.outcomes"
INTAKE_DEAD_LETTERS = "intake.dead-letters"
FINAL = frozenset({"notification.sent", "notification.failed", "notification.suppressed"})


@dataclass(slots=True)
class Ledger:
    """By notification id: how often it was requested, and its outcomes in order."""

    requested: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    causes: set[str] = field(default_factory=set)
    """Ids of events and decisions that led to a request or a suppression."""

    @classmethod
    def of(cls, log: Log) -> "Ledger":
        ledger = cls()
        for entry in log.get(REQUESTS, ()):
            try:
                data = entry.event["data"]
                ledger.requested[data["notification_id"]] += 1
                ledger.causes.add(data["caused_by"])
            except (ValueError, KeyError, TypeError):
                continue  # not a request: whoever reads it has dead-lettered it
        for entry in log.get(OUTCOMES, ()):
            try:
                event = entry.event
                ledger.outcomes[event["data"]["notification_id"]].append(event)
                ledger.causes.add(event["data"]["caused_by"])
            except (ValueError, KeyError, TypeError):
                continue
        return ledger

    @property
    def pending(self) -> list[str]:
        """Requests without an end yet."""
        return [
            notification
            for notification in self.requested
            if not any(event["type"] in FINAL for event in self.outcomes[notification])
        ]

    def doubled(self) -> Iterator[str]:
        """Requested twice, ended twice, or accepted again without having been in doubt."""
        for notification, times in self.requested.items():
            ends = [event["type"] for event in self.outcomes[notification] if event["type"] in FINAL]
            if times > 1:
                yield f"{notification} was requested {times} times"
            if len(ends) > 1:
                yield f"{notification} ended {len(ends)} times: {', '.join(ends)}"

    def unconfirmed(self) -> Counter[str]:
        return Counter(
            {
                notification: sum(event["type"] == "notification.unconfirmed" for event in events)
                for notification, events in self.outcomes.items()
            }
        )


def untold(log: Log, ledger: Ledger, partitions: int) -> Iterator[str]:
    """Applied appointment events and assigning decisions that led to nothing, each in a sentence."""
    known: dict[tuple[str, str], int] = {}
    for entry in log.get("booking.appointments", ()):
        try:
            event = decode("booking.appointments", entry, partitions)
        except (Refused, Ignored):
            continue
        place, version = (event.company_id, event.data.appointment_id), event.data.version  # type: ignore[attr-defined]
        if version > known.get(place, -1):
            known[place] = version
            if event.id not in ledger.causes:
                yield f"{event.type} {event.id} told nobody, and nobody knows why"
    for entry in log.get(DECISIONS, ()):
        try:
            decision = entry.event
        except ValueError:
            continue
        if decision.get("type") in ASSIGNING and decision["id"] not in ledger.causes:
            yield f"{decision['type']} {decision['id']} told nobody, and nobody knows why"


def unanswered(log: Log, partitions: int) -> Iterator[str]:
    """Records that cannot be read and were not dead-lettered exactly once."""
    dead = Counter(
        (data["topic"], data["partition"], data["offset"])
        for data in (entry.event["data"] for entry in log.get(INTAKE_DEAD_LETTERS, ()))
    )
    for topic, entries in log.items():
        if not topic.startswith(("booking.", "assignment.commands", "notification.", "delivery.email")):
            continue
        for entry in entries:
            place, expected = (topic, entry.partition, entry.offset), 0
            try:
                decode(topic, entry, partitions)
            except Refused:
                expected = 1
            except Ignored:
                pass
            if expected > dead[place]:
                yield f"{topic}/{entry.partition}/{entry.offset} cannot be read and is no dead letter"
    for (topic, partition, offset), times in dead.items():
        if times > 1:
            yield f"{topic}/{partition}/{offset} is a dead letter {times} times"
