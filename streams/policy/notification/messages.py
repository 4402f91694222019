"""The events that `notify` writes: requests, and suppressions where somebody is on purpose not told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas import SOURCE as PROGRAM
from schemas.event_types import OUTCOMES, REQUESTS
from schemas.reasons import Level, Priority, Suppression
from streams.clock import utc
from streams.policy.notification import identity
from streams.policy.notification.channels import addresses
from streams.policy.notification.recipients import Recipient
from streams.policy.notification.rows import Config
from streams.policy.notification.senders import Sender
from streams.policy.notification.triggers import ENDED, Trigger

SOURCE = f"{PROGRAM}/notify"
"""Of every event that is written here."""


class Message(NamedTuple):
    """An event to write, but for its envelope; `data` is as JSON has it."""

    topic: str
    type: str
    id: str
    subject: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for every company."""

    recipient_hash_key: bytes
    retry_schedule_seconds: tuple[int, ...]
    """For configurations that give none."""
    mail_address: str = ""
    """Where all mail comes from; it stands in calendar entries. Empty: there are none."""


class Chosen(NamedTuple):
    """A configuration, and the level on which it decided."""

    level: Level
    config: Config

    def ref(self) -> dict[str, Any]:
        return {"config_id": self.config.id, "level": self.level, "version": self.config.version}

    def in_order(self, channels: tuple[str, ...]) -> "Chosen":
        """With its channels in another order."""
        return self._replace(config=replace(self.config, channels=channels))


def request(
    trigger: Trigger,
    company_id: str,
    at: datetime,
    chosen: Chosen,
    recipient: Recipient,
    skipped: Sequence[dict[str, Any]],
    contents: dict[str, Any],
    sender: Sender,
    rules: Rules,
) -> Message:
    """`notification.requested`."""
    config = chosen.config
    notification_id = _id(trigger, company_id, config)
    person = {"type": trigger.audience, "id": recipient.id, "name": recipient.name}
    schedule = config.retry_schedule_seconds
    data = {
        "notification_id": notification_id,
        "company_id": company_id,
        "event_type": trigger.event_type,
        "entity": _entity(trigger),
        "audience": trigger.audience,
        "recipient": {**person, **addresses(config.channels, recipient)},
        "channel": config.channels[0],
        "fallback_channels": config.channels[1:],
        "skipped": skipped or None,
        "contents": contents,
        "priority": priority(trigger),
        "locale": recipient.locale,
        "sender_name": sender.name,
        "reply_to": sender.reply_to,
        "not_after": trigger.not_after,
        "retry_schedule_seconds": rules.retry_schedule_seconds if schedule is None else schedule,
        "config": chosen.ref(),
        "caused_by": trigger.cause.id,
        "cause": {"topic": trigger.cause.topic, "offset": trigger.cause.offset},
        "customer_id": trigger.facts.customer.id if trigger.facts.customer is not None else None,
        "as_of": utc(trigger.facts.at),
    }
    return Message(REQUESTS, "notification.requested", notification_id, _subject(trigger), at, data)


def suppressed(
    trigger: Trigger,
    company_id: str,
    at: datetime,
    reason: Suppression,
    recipient_hash: str,
    chosen: Chosen | None = None,
) -> Message:
    """`notification.suppressed`: there is no request, so it says itself who was not told of what, and why."""
    config = chosen.config if chosen is not None else None
    notification_id = _id(trigger, company_id, config)
    data = {
        "notification_id": notification_id,
        "company_id": company_id,
        "entity": _entity(trigger),
        "event_type": trigger.event_type,
        "audience": trigger.audience,
        "recipient_hash": recipient_hash,
        "channel": config.channels[0] if config is not None else None,
        "attempt": 1,
        "reason": reason,
        "at": at,
        "caused_by": trigger.cause.id,
        "config": chosen.ref() if chosen is not None else None,
    }
    kind = "notification.suppressed"
    return Message(OUTCOMES, kind, f"{notification_id}:suppressed", _subject(trigger), at, data)


def _id(trigger: Trigger, company_id: str, config: Config | None) -> str:
    cause, config_id = trigger.cause, config.id if config is not None else None
    return identity.notification_id(
        company_id, cause.source, cause.id, config_id, trigger.audience, trigger.person
    )


def _entity(trigger: Trigger) -> dict[str, Any]:
    facts = trigger.facts
    return {"type": facts.type, "id": facts.id, "version": facts.version}


def _subject(trigger: Trigger) -> str:
    return f"{trigger.facts.type}/{trigger.facts.id}"


def priority(trigger: Trigger) -> Priority:
    """How urgent it is to tell this."""
    if trigger.says in ENDED:
        return Priority.HIGH
    if trigger.event_type == "appointment.reminder":
        return Priority.LOW
    is_urgent = trigger.event_type == "callback.assigned" and trigger.facts.priority == "urgent"
    return Priority.HIGH if is_urgent else Priority.NORMAL
