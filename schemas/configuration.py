"""How people are told: notification configurations, templates, customers' preferences and erasures."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas.base import (
    ChangeEvent,
    Html,
    Id,
    Minutes,
    Model,
    Natural,
    NullMeans,
    Schedule,
    Several,
    Text,
    Tombstone,
    WallTime,
)
from schemas.directory import QuietHours
from schemas.reasons import Audience, ChannelName, Level, NotificationType

STAFF_ONLY = frozenset({NotificationType.CALLBACK_ASSIGNED, NotificationType.CALLBACK_WITHDRAWN})
"""What only a colleague is told."""


class NotificationConfig(ChangeEvent):
    """One way in which a level tells one audience of one event type.

    `retry_schedule_seconds` of None: the setting's. A reminder falls due `minutes_before` the start (default
    1440), or `days_before` at the branch's wall-clock time `at`.
    """

    config_id: Id
    level: Level
    level_id: Id
    event_type: NotificationType
    channel: ChannelName
    fallback_channels: Several[ChannelName]
    is_enabled: bool
    retry_schedule_seconds: Schedule | None = None
    template_id: Id | None = None
    audience: Audience | None = None
    minutes_before: Minutes | None = None
    days_before: Annotated[int, Field(ge=0, le=366)] | None = None
    at: WallTime | None = None

    @property
    def told(self) -> Audience:
        """`audience`, or the default: staff for what only a colleague is told, else the customer."""
        return self.audience or (Audience.STAFF if self.event_type in STAFF_ONLY else Audience.CUSTOMER)

    @model_validator(mode="after")
    def _is_unambiguous(self) -> Self:
        if self.event_type in STAFF_ONLY and self.audience is Audience.CUSTOMER:
            raise ValueError(f"{self.event_type} is for staff only")
        if self.minutes_before is not None and self.days_before is not None:
            raise ValueError("minutes_before and days_before exclude each other")
        return self

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        chain = (self.channel, *self.fallback_channels)
        for at, channel in enumerate(chain):
            if channel in chain[:at]:
                way = " → ".join(chain[: at + 1])
                raise ValueError(f"the chain of channels comes back to {channel} ({way}): each may be in it once")
        return self


MAX_PARAMETERS = 100
"""A template of WhatsApp's has 1024 characters; filled, these still fit into a request."""


class ProviderTemplate(Model):
    """A template that the provider approved (WhatsApp), and the placeholders that fill it, in order."""

    name: Text
    language: Text
    parameters: Annotated[Several[Text], Field(max_length=MAX_PARAMETERS)]


class Template(ChangeEvent):
    """A company's own text for one channel, with placeholders in `{{name}}` form."""

    template_id: Id
    channel: ChannelName
    locale: Text
    subject: Text | None = None
    body_text: Text
    body_html: Html | None = None
    provider_template: ProviderTemplate | None = None


class Unsubscription(Model):
    """`event_type` of None: everything on that channel."""

    channel: ChannelName
    event_type: NotificationType | None = None


class CustomerPreferences(ChangeEvent):
    """`channels` reorders a configured chain, never adds to it. `timezone` is as received: see `base.is_zone`."""

    customer_id: Id
    channels: Annotated[Several[ChannelName], NullMeans(())] = ()
    unsubscribed: Annotated[Several[Unsubscription], NullMeans(())] = ()
    quiet_hours: QuietHours | None = None
    timezone: Text | None = None
    locale: Text | None = None


class CustomerErased(Model):
    """The customer's person is to be forgotten everywhere."""

    company_id: Id
    customer_id: Id
    version: Natural | None = None


class NotificationConfigDeleted(Tombstone):
    config_id: Id


class TemplateDeleted(Tombstone):
    template_id: Id


class CustomerPreferencesDeleted(Tombstone):
    customer_id: Id
