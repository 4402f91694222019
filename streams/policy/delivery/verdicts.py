"""From what a channel said to what becomes of the notification."""

from dataclasses import dataclass

from schemas.reasons import DeliveryReason, Suppression
from streams.policy.delivery.results import Accepted, NotStarted, Permanent, Result, Transient, Unconfirmed


@dataclass(frozen=True, slots=True)
class Sent:
    """The end: accepted by the provider."""

    provider_message_id: str


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
class Untried:
    """As if nothing had been: the attempt is still to be made."""


Verdict = Sent | GivenUp | Unknown | Untried


def judge(result: Result, *, is_repeat: bool) -> Verdict:
    """`is_repeat`: the attempt is the one repetition of an attempt that may have arrived.

    Such a repetition that says nothing certain leaves it at that: the first may have arrived, so neither is it a
    failure that another try could help, nor may it be tried again.
    """
    match result:
        case Accepted(provider_message_id):
            return Sent(provider_message_id)
        case NotStarted():
            return Untried()
        case Permanent(reason, error):
            return GivenUp(reason, error)
        case Transient(_, error) | Unconfirmed(_, error) if is_repeat:
            return GivenUp(DeliveryReason.UNCONFIRMED, error)
        case Transient(reason, error):
            return GivenUp(reason, error)
        case Unconfirmed(reason, error):
            return Unknown(reason, error)
