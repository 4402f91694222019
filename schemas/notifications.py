"""A notification's way: requested, attempted, told as outcomes, perhaps given up."""

from enum import StrEnum
from typing import Annotated

from pydantic import ValidationInfo, field_validator

from schemas.base import (
    EventId,
    Html,
    Id,
    Instant,
    Model,
    Natural,
    NullMeans,
    Schedule,
    Several,
    Text,
    WallTime,
    ZoneName,
)
from schemas.customer import PushAddress
from schemas.reasons import (
    Audience,
    ChannelName,
    DeliveryReason,
    Level,
    NotificationType,
    Priority,
    Suppression,
)

Reason = Suppression | DeliveryReason


class EntityType(StrEnum):
    APPOINTMENT = "appointment"
    CALLBACK = "callback"


class EntityRef(Model):
    type: EntityType
    id: Id
    version: Natural


class Recipient(Model):
    """Who is told, with every address that the chain of channels needs."""

    type: Audience
    id: Id
    name: Text
    email: Text | None = None
    phone: Text | None = None
    push: PushAddress = None


class TemplateRef(Model):
    """A built-in text is `builtin:<type>.<channel>.<locale>`, version 0."""

    template_id: Id
    version: Natural


class FilledTemplate(Model):
    """A template that the provider approved, and the texts that fill it, in order. What is sent is the template;
    `body_text` is what else could be said."""

    name: Text
    language: Text
    parameters: Several[Text]


class Content(Model):
    """The rendered text for one channel. `calendar` is an iCalendar object that goes with a mail."""

    subject: Text | None = None
    body_text: Text
    body_html: Html | None = None
    calendar: Text | None = None
    template: TemplateRef
    provider_template: FilledTemplate | None = None


class ConfigRef(Model):
    config_id: Id
    level: Level
    version: Natural


class Skipped(Model):
    """A channel of the chain that cannot be used, and why."""

    channel: ChannelName
    reason: Reason


class Cause(Model):
    """The record that caused the request: its topic and offset in the company's partition."""

    topic: Text
    offset: Natural


class LocalQuietHours(Model):
    """Quiet hours with the zone whose wall clock they mean."""

    start: WallTime
    end: WallTime
    timezone: ZoneName


class NotificationRequest(Model):
    """What is to be sent, rendered for each channel of its chain.

    `notification_id` is the permanent idempotency key; `caused_by` is the id of the event or decision behind it.
    `sender_name` and `reply_to` are the branch's, else the company's. `customer_id` is the customer whom it speaks
    of, whoever is told, and `as_of` the record time of the event from which it has them: once they are erased,
    nothing is sent that speaks of them as they were before. `timezone` is the customer's, as near as it is known:
    quiet hours that they choose later mean its wall clock.
    """

    notification_id: Id
    company_id: Id
    event_type: NotificationType
    entity: EntityRef
    audience: Audience
    recipient: Recipient
    channel: ChannelName
    fallback_channels: Several[ChannelName]
    skipped: Annotated[Several[Skipped], NullMeans(())] = ()
    contents: dict[ChannelName, Content]
    priority: Priority
    locale: Text
    sender_name: Text | None = None
    reply_to: Text | None = None
    not_before: Instant | None = None
    not_after: Instant | None = None
    quiet_hours: LocalQuietHours | None = None
    retry_schedule_seconds: Schedule
    config: ConfigRef
    caused_by: EventId
    cause: Cause
    customer_id: Id | None = None
    as_of: Instant | None = None
    timezone: ZoneName | None = None

    @field_validator("recipient")
    @classmethod
    def _is_the_audience(cls, recipient: Recipient, info: ValidationInfo) -> Recipient:
        """Consent is asked of customers: nobody is told as a colleague who is one."""
        audience = info.data.get("audience", recipient.type)
        if recipient.type is not audience:
            raise ValueError(f"its type is {recipient.type}, but the audience is {audience}")
        return recipient

    @property
    def about_customer(self) -> str | None:
        """The customer whose erasure ends it: who is told, or of whom a colleague is told."""
        return self.recipient.id if self.audience is Audience.CUSTOMER else self.customer_id


class Attempt(Model):
    """One attempt that was made and did not succeed."""

    channel: ChannelName
    attempt: Natural
    reason: Reason
    error: Text | None = None
    at: Instant


class AttemptDue(NotificationRequest):
    """What travels on the priority and delay topics. `attempt` counts per channel, from 1; `redrive` how often an
    operator sent it again; `attempts` what was tried so far. `attempt_channel` is the attempt's channel (None: the
    first of the chain): the delay topics are shared by all of them. `chosen_in` is the version of the customer's
    preferences whose quiet hours the request has (None: they are not their own), `house_hours` what is to be kept
    once they are taken back."""

    attempt: Annotated[Natural, NullMeans(1)] = 1
    redrive: Annotated[Natural, NullMeans(0)] = 0
    due_at: Instant
    attempts: Annotated[Several[Attempt], NullMeans(())] = ()
    attempt_channel: ChannelName | None = None
    chosen_in: Natural | None = None
    house_hours: LocalQuietHours | None = None


class DeadLetter(NotificationRequest):
    """A notification given up, with all it needs to be sent again."""

    reason: Reason
    error: Text | None = None
    redrive: Annotated[Natural, NullMeans(0)] = 0
    attempts: Annotated[Several[Attempt], NullMeans(())] = ()


class Outcome(Model):
    """What became of an attempt, or why there was none. No address and no text: the recipient is a keyed hash.

    `attempt` of an outcome without one is the number that it would have had. A suppression at routing has no
    request, so it carries `event_type`, `audience` and, where one decided, `config` itself.
    """

    notification_id: Id
    company_id: Id
    entity: EntityRef
    recipient_hash: Text | None = None
    channel: ChannelName | None = None
    attempt: Natural
    provider: Text | None = None
    provider_message_id: Text | None = None
    reason: Reason | None = None
    error: Text | None = None
    next_attempt_at: Instant | None = None
    at: Instant
    caused_by: EventId
    event_type: NotificationType | None = None
    audience: Audience | None = None
    config: ConfigRef | None = None
