"""The events that tell what became of a notification. Their ids are functions of what they tell."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel

from schemas import SOURCE, encode
from schemas.event_types import DEAD_LETTERS, OUTCOMES
from schemas.notifications import Attempt, AttemptDue, DeadLetter, NotificationRequest
from schemas.reasons import DeliveryReason
from streams.batch import Output
from streams.clock import utc
from streams.policy.delivery.intents import Delivery
from streams.policy.delivery.results import Permanent, Result, Transient, Unconfirmed
from streams.policy.delivery.verdicts import GivenUp

_NAMESPACE = UUID("6d0f6f3e-5a0b-5b0e-9c39-0f3c7a3e2d51")
_SOURCE = f"{SOURCE}/deliver"
_REQUEST_FIELDS = tuple(NotificationRequest.model_fields)


class OutcomeType(StrEnum):
    SENT = "notification.sent"
    DELIVERED = "notification.delivered"
    RETRYING = "notification.retrying"
    FELL_BACK = "notification.fell_back"
    FAILED = "notification.failed"
    SUPPRESSED = "notification.suppressed"
    UNCONFIRMED = "notification.unconfirmed"


def outcome(kind: OutcomeType, delivery: Delivery, at: datetime, **details: Any) -> Output:
    """What became of an attempt; `details` are further fields of it, None where there is nothing to say."""
    due, channel = delivery.due, delivery.intent.channel
    data = {
        "notification_id": due.notification_id,
        "company_id": due.company_id,
        "entity": {"type": due.entity.type, "id": due.entity.id, "version": due.entity.version},
        "channel": channel,
        "attempt": due.attempt,
        "at": at,
        "caused_by": due.caused_by,
        **details,
    }
    place: tuple[object, ...] = channel, due.attempt
    reason = details.get("reason")
    # Of one attempt, delivered and read are both told as delivered; given up and bounced, both as failed.
    if kind is OutcomeType.FAILED or reason is DeliveryReason.READ:
        place = *place, reason
    return _event(kind, OUTCOMES, due, place, at, data)


def dead_letter(delivery: Delivery, end: GivenUp, last: Result | None, at: datetime) -> Output:
    """The whole request, so that it can be sent again, with every attempt and why it was given up."""
    due = delivery.due
    letter = DeadLetter(
        **{name: getattr(due, name) for name in _REQUEST_FIELDS},
        reason=end.reason,
        error=end.error,
        redrive=due.redrive,
        attempts=tried(delivery, last, at),
    )
    return _event("notification.dead_lettered", DEAD_LETTERS, due, (), at, letter)


def attempt_due(delivery: Delivery, topic: str, at: datetime) -> Output:
    """The next attempt, on its way to `topic`; its id is the same wherever it passes."""
    due = delivery.due
    place = delivery.intent.channel, due.attempt, due.due_at.isoformat()
    return _event("notification.attempt_due", topic, due, place, at, due)


def tried(delivery: Delivery, last: Result | None, now: datetime) -> tuple[Attempt, ...]:
    """Every attempt so far that came to nothing, this one included."""
    return (*delivery.due.attempts, *_attempts(delivery, last, now))


def _attempts(delivery: Delivery, last: Result | None, now: datetime) -> Iterator[Attempt]:
    """What was tried without success: the attempt that may have arrived, and the last one."""
    tried: list[tuple[DeliveryReason, str, datetime]] = []
    doubt = delivery.intent.doubt
    if doubt is not None:
        tried.append((doubt.reason, doubt.error, utc(doubt.at)))
    if isinstance(last, Transient | Permanent | Unconfirmed):
        tried.append((last.reason, last.error, now))
    for reason, error, at in tried:
        channel, attempt = delivery.intent.channel, delivery.due.attempt
        yield Attempt(channel=channel, attempt=attempt, reason=reason, error=error, at=at)


def _event(
    kind: str,
    topic: str,
    due: AttemptDue,
    place: tuple[object, ...],
    at: datetime,
    data: BaseModel | dict[str, Any],
) -> Output:
    name = "\n".join(map(str, (due.company_id, due.notification_id, due.redrive, kind, *place)))
    value = encode(
        kind,
        id=str(uuid5(_NAMESPACE, name)),
        source=_SOURCE,
        time=at,
        subject=f"{due.entity.type}/{due.entity.id}",
        company_id=due.company_id,
        data=data,
    )
    return Output(topic, due.company_id.encode(), value)
