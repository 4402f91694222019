"""What each message says about which rows: one function per topic, in the topic's own words."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, cast

from schemas import Event, Refused
from schemas import event_types as topics
from schemas.callbacks import Callback
from schemas.configuration import CustomerErased, Template
from schemas.decisions import Decision
from schemas.intake import IntakeRefused, from_base64, to_base64
from schemas.notifications import ConfigRef, DeadLetter, NotificationRequest, Outcome
from sinks.database.erasing import CUSTOMER
from sinks.database.facets import (
    CALLBACK,
    CALLBACK_EVENT,
    DEAD_LETTER,
    DECISION,
    ENTITY,
    ERASURE,
    INTAKE_DEAD_LETTER,
    LAST_DECISION,
    OUTCOME,
    REQUEST,
    ROUTED,
    STATUS,
    Row,
)
from streams.policy.notification.checking import check


class Place(NamedTuple):
    """Where a record lies in its topic, and its timestamp: the time of an event that does not tell its own."""

    partition: int
    offset: int
    at: datetime


def rows_of(topic: str, event: Event, place: Place) -> Iterator[Row]:
    """The rows that an event of `topic` (contract name, one of TOPICS) writes."""
    return _SAYS[topic](event, place)


def _entity(event: Event, place: Place) -> Iterator[Row]:
    if event.type == "customer.erased":
        yield _erasure(event, place)
        return
    if isinstance(event.data, Template) and not _may_be_used(event.data):
        return
    entity, _, happened = event.type.partition(".")
    data = cast(Any, event.data)
    yield Row(
        ENTITY,
        {
            "company_id": event.company_id,
            "type": entity,
            "entity_id": getattr(data, id_field(entity)),
            "version": data.version,
            "is_deleted": happened == "deleted",
            "data": _json(data) if happened == "upserted" else None,
            "changed_at": event.time or place.at,
        },
    )


def _may_be_used(template: Template) -> bool:
    """What `notify` has refused must not take the place of the version that is in force."""
    try:
        check(template)
    except Refused:
        return False
    return True


def _erasure(event: Event, place: Place) -> Row:
    """Of two times the later one: in doubt, the person goes."""
    data = cast(CustomerErased, event.data)
    return Row(
        ERASURE,
        {
            "company_id": event.company_id,
            "type": CUSTOMER,
            "entity_id": data.customer_id,
            "version": data.version or 0,
            "is_deleted": True,
            "data": None,
            "changed_at": max(event.time or place.at, place.at),
        },
    )


def id_field(entity: str) -> str:
    """Under which name an entity of that kind carries its id."""
    return {"customer_preferences": "customer_id", "notification_config": "config_id"}.get(entity, f"{entity}_id")


def _callback(event: Event, place: Place) -> Iterator[Row]:
    data = cast(Callback, event.data)
    key = {"callback_id": data.callback_id, "company_id": event.company_id, "version": data.version}
    yield Row(
        CALLBACK,
        {
            **key,
            "branch_id": data.branch_id,
            "service_id": data.service_id,
            "customer_id": data.customer.customer_id,
            "staff_id": data.staff_id,
            "assigned_to": data.assigned_to,
            "priority": data.priority,
            "status": data.status,
            "requested_at": data.requested_at,
            "expires_at": data.expires_at,
        },
    )
    yield Row(
        CALLBACK_EVENT,
        {
            **key,
            "type": event.type,
            "status": data.status,
            "assigned_to": data.assigned_to,
            "decision_id": data.decision_id,
            "happened_at": event.time or place.at,
        },
    )


def _decision(event: Event, place: Place) -> Iterator[Row]:
    data = cast(Decision, event.data)
    yield Row(
        DECISION,
        {
            **{name: getattr(data, name) for name in _DECISION_FIELDS},
            "type": event.type,
            "candidates": [_json(candidate) for candidate in data.candidates],
            "partition": place.partition,
            "offset": place.offset,
        },
    )
    # A refused command leaves the callback as it was.
    if data.callback_id is None or event.type == "callback.command_refused":
        return
    yield Row(
        LAST_DECISION,
        {
            "callback_id": data.callback_id,
            "company_id": event.company_id,
            "last_decision_id": data.decision_id,
            "last_decision": event.type,
            "last_reason": data.reason,
            "last_staff_id": data.staff_id,
            "last_decided_at": data.decided_at,
            "last_offset": place.offset,
        },
    )


_DECISION_FIELDS = tuple(name for name in Decision.model_fields if name in DECISION.columns)


def _request(event: Event, place: Place) -> Iterator[Row]:
    data = cast(NotificationRequest, event.data)
    yield Row(
        REQUEST,
        {
            **_subject(data),
            **_origin(data, data.config),
            "recipient_id": data.recipient.id,
            "customer_id": data.about_customer,
            "priority": data.priority,
            "locale": data.locale,
            "channels": [data.channel, *data.fallback_channels],
            "skipped": [_json(skipped) for skipped in data.skipped],
            "templates": {channel: _json(content.template) for channel, content in data.contents.items()},
            "requested_at": event.time or place.at,
            "request_offset": place.offset,
        },
    )


def _outcome(event: Event, place: Place) -> Iterator[Row]:
    data = cast(Outcome, event.data)
    told = {
        "channel": data.channel,
        "attempt": data.attempt,
        "reason": data.reason,
        "next_attempt_at": data.next_attempt_at,
    }
    yield Row(
        STATUS,
        {
            **_subject(data),
            **told,
            "status": event.type.removeprefix("notification."),
            "recipient_hash": data.recipient_hash,
            "status_at": data.at,
            "outcome_offset": place.offset,
        },
    )
    if data.event_type is not None:
        yield Row(ROUTED, {**_subject(data), **_origin(data, data.config)})
    yield Row(
        OUTCOME,
        {
            **told,
            "notification_id": data.notification_id,
            "company_id": event.company_id,
            "event_id": event.id,
            "type": event.type,
            "provider": data.provider,
            "provider_message_id": data.provider_message_id,
            "error": data.error,
            "happened_at": data.at,
            "partition": place.partition,
            "offset": place.offset,
        },
    )


def _dead_letter(event: Event, place: Place) -> Iterator[Row]:
    data = cast(DeadLetter, event.data)
    yield Row(
        DEAD_LETTER,
        {
            "notification_id": data.notification_id,
            "company_id": event.company_id,
            "event_type": data.event_type,
            "channel": data.attempts[-1].channel if data.attempts else data.channel,
            "recipient_id": data.recipient.id,
            "reason": data.reason,
            "error": data.error,
            "redrive": data.redrive,
            "data": _json(data),
            "given_up_at": event.time or place.at,
            "offset": place.offset,
        },
    )


def _intake_dead_letter(event: Event, place: Place) -> Iterator[Row]:
    data = cast(IntakeRefused, event.data)
    yield Row(
        INTAKE_DEAD_LETTER,
        {
            "id": f"{data.topic}/{data.partition}/{data.offset}",
            "topic": data.topic,
            "partition": data.partition,
            "offset": data.offset,
            "timestamp": data.timestamp,
            "key": _bytes(data.key_base64),
            "value": _bytes(data.value_base64),
            "headers": [[name, to_base64(_bytes(content))] for name, content in data.headers],
            "reason": data.reason,
            "detail": data.detail,
            "role": data.role,
            "refused_at": place.at,
        },
    )


def _bytes(text: str | None) -> bytes | None:
    """What is no base64 is kept as it is: a dead letter about a dead letter would help nobody."""
    try:
        return from_base64(text)
    except ValueError:
        return text.encode(errors="replace") if text else b""


def _subject(data: NotificationRequest | Outcome) -> dict[str, Any]:
    return {
        "notification_id": data.notification_id,
        "company_id": data.company_id,
        "entity_type": data.entity.type,
        "entity_id": data.entity.id,
        "entity_version": data.entity.version,
        "caused_by": data.caused_by,
    }


def _origin(data: NotificationRequest | Outcome, config: ConfigRef | None) -> dict[str, Any]:
    return {
        "event_type": data.event_type,
        "audience": data.audience,
        "config_id": config and config.config_id,
        "config_level": config and config.level,
        "config_version": config and config.version,
    }


def _json(data: Any) -> Any:
    return data.model_dump(mode="json", exclude_none=True)


_SAYS: dict[str, Callable[[Event, Place], Iterator[Row]]] = {
    topics.DIRECTORY: _entity,
    topics.DECISIONS: _decision,
    topics.CALLBACKS: _callback,
    topics.REQUESTS: _request,
    topics.OUTCOMES: _outcome,
    topics.DEAD_LETTERS: _dead_letter,
    topics.INTAKE_DEAD_LETTERS: _intake_dead_letter,
}

TOPICS = tuple(_SAYS)
"""In the order in which a batch applies them."""
