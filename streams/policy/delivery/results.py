"""What a channel can say about one attempt. It says what happened; what follows from it is not its business."""

from dataclasses import dataclass

from schemas.reasons import DeliveryReason


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the message over."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Transient:
    """The provider has certainly not taken it; the same message may pass later."""

    reason: DeliveryReason
    error: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """The provider has certainly not taken it, and never will."""

    reason: DeliveryReason
    error: str


@dataclass(frozen=True, slots=True)
class Unsendable(Permanent):
    """So much could be told without asking the provider."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The message had been handed over, and no answer came: it may have arrived or not."""

    reason: DeliveryReason
    error: str


@dataclass(frozen=True, slots=True)
class AccountWide(Transient):
    """It would have taken no other message either: nothing is wrong with this one, but with the account."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Nothing was handed to the provider, because it had become too late to begin: no attempt at all."""


Result = Accepted | Transient | Permanent | Unconfirmed | NotStarted
