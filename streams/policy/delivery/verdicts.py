"""From what a channel said to what becomes of the notification."""

from dataclasses import dataclass

from schemas.reasons import DeliveryReason, Suppression
from streams.policy.delivery.results import (
    Accepted,
    AccountWide,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """The end: accepted by the provider."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """This channel will not do: the next one, at once."""

    reason: DeliveryReason | Suppression
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """It may pass later: the same channel after the schedule's delay, or after `retry_after_seconds` if that is
    longer."""

    reason: DeliveryReason
    error: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The end: a dead letter."""

    reason: DeliveryReason | Suppression
    error: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have arrived. Wait for the grace, then repeat it once, recognisable as the same."""

    reason: DeliveryReason
    error: str


@dataclass(frozen=True, slots=True)
class HeldBack:
    """As if nothing had been: the attempt is still to be made, once the account is mended."""


@dataclass(frozen=True, slots=True)
class Untried:
    """As if nothing had been: the attempt is still to be made."""


Verdict = Sent | Refused | Again | GivenUp | Unknown | HeldBack | Untried


def judge(result: Result, *, is_repeat: bool) -> Verdict:
    """`is_repeat`: the attempt is the one repetition of an attempt that may have arrived.

    Such a repetition that says nothing certain leaves it at that: the first may have arrived, so neither is it a
    failure that another try could help, nor may it be tried again, or sent on another channel.
    """
    match result:
        case Accepted(provider_message_id):
            return Sent(provider_message_id)
        case NotStarted():
            return Untried()
        case AccountWide():
            return HeldBack()
        case Permanent(reason, error):
            return Refused(reason, error)
        case Transient(_, error) | Unconfirmed(_, error) if is_repeat:
            return GivenUp(DeliveryReason.UNCONFIRMED, error)
        case Transient(reason, error, retry_after_seconds):
            return Again(reason, error, retry_after_seconds)
        case Unconfirmed(reason, error):
            return Unknown(reason, error)
