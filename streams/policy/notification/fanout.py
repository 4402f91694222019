"""From a request, ours or another system's, to its first attempt on its first usable channel."""

from datetime import datetime
from typing import Any

from schemas.event_types import OUTCOMES, priority_topic
from schemas.notifications import NotificationRequest, Reason, Skipped
from schemas.reasons import ChannelName, DeliveryReason, Suppression
from streams.policy.notification import consent, quiet, recipients
from streams.policy.notification.channels import CHANNELS, address
from streams.policy.notification.erasure import is_erased
from streams.policy.notification.foreign import whose_hours
from streams.policy.notification.identity import recipient_hash
from streams.policy.notification.memory import Memory
from streams.policy.notification.messages import Message, Rules

_REQUEST_FIELDS = set(NotificationRequest.model_fields)


def fan_out(request: NotificationRequest, at: datetime, memory: Memory, rules: Rules) -> Message:
    """`notification.attempt_due` on the channel's topic of that priority.

    Who has unsubscribed since, or of whom another system does not know it, is not written to. With no channel left
    it is `notification.failed`, and no dead letter: sending it again could not help. What another system does not
    date is as of `at`, its record's time.
    """
    request = _consented(request.model_copy(update={"as_of": request.as_of or at}), memory)
    if _speaks_of_the_erased(request, memory):
        return _ended("suppressed", request, request.channel, Suppression.ERASED, at, rules)
    message = first_attempt(request, at)
    if message is None:
        return _failed(request, at, rules)
    message.data.update(_own_hours(request, memory))
    return message


def first_attempt(request: NotificationRequest, at: datetime, redrive: int = 0) -> Message | None:
    """`notification.attempt_due` on the first usable channel of the chain, if there is one.

    `redrive` counts how often an operator sent it again; the same number twice is the same message.
    """
    unusable = {each.channel for each in request.skipped}
    for channel in _chain(request):
        if channel not in unusable and channel in CHANNELS and channel in request.contents:
            return _attempt_due(request, channel, at, redrive)
    return None


def _own_hours(request: NotificationRequest, memory: Memory) -> dict[str, Any]:
    """Where its quiet hours are the customer's own: since when, and what holds should they take them back."""
    if not quiet.keeps_any(request.audience, request.priority):
        return {}
    whose, asked = whose_hours(request, memory), request.quiet_hours
    own = whose.reader.quiet
    if own is None or (asked is not None and (asked.start, asked.end) != own):
        return {}
    house = quiet.hours_of(whose._replace(reader=consent.NOTHING), request.timezone)
    return {"chosen_in": whose.reader.version, "house_hours": house._asdict() if house is not None else None}


def _chain(request: NotificationRequest) -> tuple[ChannelName, ...]:
    return request.channel, *request.fallback_channels


def _consented(request: NotificationRequest, memory: Memory) -> NotificationRequest:
    """With what cannot or must not be used among the skipped."""
    recipient = recipients.of_request(request)
    choice = consent.reader(request.audience, recipient.id, memory)
    known = {each.channel for each in request.skipped}
    found = consent.unusable(_chain(request), recipient, request.event_type, choice)
    added = tuple(Skipped.model_validate(each) for each in found if each["channel"] not in known)
    return request.model_copy(update={"skipped": (*request.skipped, *added)}) if added else request


def _attempt_due(request: NotificationRequest, channel: ChannelName, at: datetime, redrive: int) -> Message:
    due_at = max(at, request.not_before) if request.not_before is not None else at
    data = request.model_dump(mode="json", exclude_none=True, include=_REQUEST_FIELDS)
    data |= {"attempt": 1, "redrive": redrive, "due_at": due_at, "attempts": ()}
    topic = priority_topic(channel, request.priority)
    again = f":{redrive}" if redrive else ""
    event_id = f"{request.notification_id}:{channel}:1{again}"
    return Message(topic, "notification.attempt_due", event_id, _subject(request), at, data)


def _speaks_of_the_erased(request: NotificationRequest, memory: Memory) -> bool:
    customer_id, as_of = request.about_customer, request.as_of
    return customer_id is not None and as_of is not None and is_erased(customer_id, as_of.timestamp(), memory)


def _failed(request: NotificationRequest, at: datetime, rules: Rules) -> Message:
    channel = _chain(request)[-1]
    unusable: dict[ChannelName, Reason] = {each.channel: each.reason for each in request.skipped}
    return _ended("failed", request, channel, unusable.get(channel, DeliveryReason.UNAVAILABLE), at, rules)


def _ended(
    how: str, request: NotificationRequest, channel: ChannelName, reason: Reason, at: datetime, rules: Rules
) -> Message:
    recipient = recipients.of_request(request)
    data = {
        "notification_id": request.notification_id,
        "company_id": request.company_id,
        "entity": request.entity.model_dump(mode="json"),
        "event_type": request.event_type,
        "audience": request.audience,
        "recipient_hash": recipient_hash(rules.recipient_hash_key, address((channel,), recipient) or recipient.id),
        "channel": channel,
        "attempt": 1,
        "reason": reason,
        "at": at,
        "caused_by": request.caused_by,
        "config": request.config.model_dump(mode="json"),
    }
    event_id = f"{request.notification_id}:{how}"
    return Message(OUTCOMES, f"notification.{how}", event_id, _subject(request), at, data)


def _subject(request: NotificationRequest) -> str:
    return f"{request.entity.type}/{request.entity.id}"
