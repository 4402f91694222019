"""What providers and recipients tell us after a message was accepted."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.base import HASH, Id, Instant, Model, Natural, Text
from schemas.reasons import ChannelName, NotificationType


class ReceiptStatus(StrEnum):
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    BOUNCED = "bounced"
    """The address does not exist."""
    COMPLAINED = "complained"
    """The recipient called it unwanted."""


class ProviderReceipt(Model):
    """`error` is the provider's own code and text; what it means, `deliver` decides. `attempt` is 0 where the
    receipt names the message and not the attempt."""

    company_id: Id
    notification_id: Id
    channel: ChannelName
    attempt: Natural
    provider: Text
    provider_message_id: Text | None = None
    status: ReceiptStatus
    error: Text | None = None
    at: Instant


class OptSource(StrEnum):
    """How somebody asked not to be written to, or to be written to again."""

    KEYWORD = "keyword"
    ONE_CLICK = "one_click"
    COMPLAINT = "complaint"
    OPERATOR = "operator"
    """They told somebody, who entered it here."""


class _Choice(Model):
    """Without `company_id`, it holds for every company on that account; without `event_type`, for everything on
    that channel."""

    company_id: Id | None = None
    channel: ChannelName
    recipient_hash: Annotated[str, Field(pattern=HASH)]
    source: OptSource
    account: Text | None = None
    event_type: NotificationType | None = None
    at: Instant


class AddressOptedOut(_Choice):
    pass


class AddressOptedIn(_Choice):
    pass
