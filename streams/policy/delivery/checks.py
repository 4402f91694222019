"""What is asked before every attempt: whether it may be made, on this channel, and now."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from schemas.base import is_zone
from schemas.notifications import AttemptDue
from schemas.reasons import Audience, ChannelName, DeliveryReason, Priority, Suppression
from streams.clock import utc
from streams.policy.delivery.attempts import is_too_late
from streams.policy.delivery.known import rows
from streams.policy.delivery.known.addresses import Address, is_dead
from streams.policy.delivery.known.staleness import is_superseded
from streams.policy.delivery.ladder import is_due
from streams.policy.notification.quiet import Quiet
from streams.state import State


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The end: nobody is to be told this any more, on no channel."""

    reason: Suppression


@dataclass(frozen=True, slots=True)
class Unusable:
    """Not on this channel."""

    reason: Suppression | DeliveryReason


@dataclass(frozen=True, slots=True)
class NotYet:
    """Not before this moment."""

    until: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What one attempt is asked about. `address` is the recipient's on the channel, `recipient_hash` what stands
    for it; `since_ms` when the notification was first taken on, in record time: how old what it says is, where it
    does not say; `allowed` the patterns of which an address must match one (none: every address is allowed)."""

    due: AttemptDue
    channel: ChannelName
    address: str | None
    recipient_hash: str
    since_ms: int
    allowed: tuple[str, ...] = ()


def before_attempt(asked: Asked, state: State, now: float) -> Suppressed | Unusable | NotYet | None:
    """The first objection to an attempt at `now`; None: it may be made."""
    due, choice = asked.due, _choice(asked.due, state)
    if speaks_of_the_erased(asked, state):
        return Suppressed(Suppression.ERASED)
    if is_superseded(due, state):
        return Suppressed(Suppression.SUPERSEDED)
    if is_too_late(due, now):
        return Suppressed(Suppression.TOO_LATE)
    if asked.address is None:
        return Unusable(Suppression.NO_ADDRESS)
    if asked.allowed and not any(fnmatchcase(asked.address.lower(), each.lower()) for each in asked.allowed):
        return Suppressed(Suppression.NOT_ALLOWED)
    if (choice is not None and _is_unsubscribed(choice, asked)) or _has_opted_out(asked, state):
        return Unusable(Suppression.UNSUBSCRIBED)
    if not due.redrive and is_dead(Address(due.company_id, asked.channel, asked.recipient_hash), state):
        return Unusable(DeliveryReason.DEAD_ADDRESS)
    until = _quiet_until(due, choice, _due_at(due, now))
    if is_due(until, now):
        return None
    return Suppressed(Suppression.TOO_LATE) if is_too_late(due, until) else NotYet(until)


def _choice(due: AttemptDue, state: State) -> rows.Customer | None:
    if due.audience is not Audience.CUSTOMER:
        return None
    return rows.read(rows.Customer, state, rows.CUSTOMERS, due.company_id, due.recipient.id)


def speaks_of_the_erased(asked: Asked, state: State) -> bool:
    """Whether the customer whom it speaks of, to themselves or to a colleague, was erased since it stood so."""
    due, as_of = asked.due, asked.due.as_of
    if due.about_customer is None:
        return False
    known = rows.read(rows.Customer, state, rows.CUSTOMERS, due.company_id, due.about_customer)
    as_of_ms = asked.since_ms if as_of is None else round(as_of.timestamp() * 1000)
    return known is not None and known.erased_ms is not None and as_of_ms <= known.erased_ms


def _due_at(due: AttemptDue, now: float) -> float:
    """A first attempt waits for nothing but `not_before`, whatever the clock of who wrote it; what was sent on
    from here, which names its channel, says when it is due."""
    at = due.not_before if due.attempt_channel is None else due.due_at
    return now if at is None else max(now, at.timestamp())


def _is_unsubscribed(choice: rows.Customer, asked: Asked) -> bool:
    return any(
        channel == asked.channel and event_type in (None, asked.due.event_type)
        for channel, event_type in choice.unsubscribed
    )


def _has_opted_out(asked: Asked, state: State) -> bool:
    """By a link, a keyword or a complaint: of this type or of any, of this company or of all on that account."""
    for scope in (asked.due.company_id, rows.EVERY_COMPANY):
        for event_type in (asked.due.event_type, None):
            key = rows.opt_out_key(asked.channel, asked.recipient_hash, event_type)
            said = rows.read(rows.OptOut, state, rows.OPT_OUTS, scope, key)
            if said is not None and said.is_out:
                return True
    return False


def _quiet_until(due: AttemptDue, choice: rows.Customer | None, at: float) -> float:
    """When the quiet hours around `at` are over; `at` itself if it lies in none."""
    hours = _quiet_hours(due, choice)
    if hours is None:
        return at
    moment = utc(at)
    ends = hours.ends(moment)
    return ends.timestamp() if ends > moment else at


def _quiet_hours(due: AttemptDue, choice: rows.Customer | None) -> Quiet | None:
    """A customer's own, as they are now, count before those that were in force when the request was written, and
    by the clock of their zone as it is now. What they had then and have taken back counts no more."""
    if due.priority is Priority.HIGH or due.audience is Audience.STAFF:
        return None
    asked, own, zone = due.quiet_hours, None, None
    if choice is not None:
        own, zone = choice.quiet, choice.zone
        if due.chosen_in is not None and choice.version > due.chosen_in:
            asked = due.house_hours
    hours = own if own is not None or asked is None else (asked.start, asked.end)
    if zone is None or not is_zone(zone):
        zone = asked.timezone if asked is not None else due.timezone
    return None if hours is None or zone is None else Quiet(*hours, zone)
