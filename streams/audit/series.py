"""The series of one notification's outcomes: attempts counted by channel, each told once, one after the other."""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import cast

from schemas import Event
from schemas.notifications import Outcome
from schemas.reasons import DeliveryReason
from streams.audit.findings import Finding, doubled, lost, wrong

SENT, FAILED, SUPPRESSED = "notification.sent", "notification.failed", "notification.suppressed"
RETRYING, FELL_BACK = "notification.retrying", "notification.fell_back"
UNCONFIRMED, DELIVERED = "notification.unconfirmed", "notification.delivered"
ENDS = frozenset({SENT, DELIVERED, FAILED, SUPPRESSED})
"""What it may stay at. Receipts may say more, and of what was sent, that it must go another way."""
FIRST = frozenset({SENT, FAILED, SUPPRESSED, RETRYING, FELL_BACK, UNCONFIRMED})
"""What an attempt can come to at first."""
THEN = {
    UNCONFIRMED: (FIRST | {DELIVERED}) - {UNCONFIRMED},
    SENT: frozenset({DELIVERED, FELL_BACK, FAILED}),
    DELIVERED: frozenset({DELIVERED, FAILED}),
    FAILED: frozenset({DELIVERED}),
    RETRYING: frozenset({DELIVERED}),
}
"""What the same attempt can come to after that: by its one repetition, and by receipts."""

_CERTAIN = frozenset(
    {DeliveryReason.REJECTED, DeliveryReason.DEAD_ADDRESS, DeliveryReason.OPTED_OUT, DeliveryReason.BOUNCED}
)
"""Failures after which nothing can turn out to have arrived."""

Place = tuple[str | None, int]
"""(channel, attempt)"""


def runs(outcomes: Iterable[Event]) -> list[list[Event]]:
    """The outcomes of the request, and of each redrive, for themselves: the chain starts anew."""
    found: list[list[Event]] = []
    for event in outcomes:
        is_over = bool(found) and any(each.type in (FAILED, SUPPRESSED) for each in found[-1])
        if not found or (is_over and not follows(found[-1][-1], event)):
            found.append([])
        found[-1].append(event)
    return found


def follows(before: Event, event: Event) -> bool:
    """Whether the same attempt can come to this after that."""
    if place(before) != place(event) or event.type not in THEN.get(before.type, ()):
        return False
    if event.type == DELIVERED and before.type == DELIVERED:
        return not is_read(before) and is_read(event)
    return before.type != FAILED or cast(Outcome, before.data).reason not in _CERTAIN


def arrived_after_all(told: list[Event]) -> list[Event]:
    """Of one run, the deliveries at its end that tell of an attempt before the last one."""
    at = len(told)
    while at and told[at - 1].type == DELIVERED:
        at -= 1
    is_earlier = 0 < at < len(told) and place(told[at]) != place(told[at - 1])
    return told[at:] if is_earlier else []


def given_up(run: Iterable[Event]) -> int:
    """How often it failed so that it is a dead letter: what was delivered before is none."""
    told = list(run)
    after = [None, *told[:-1]]
    return sum(
        event.type == FAILED and (before is None or before.type != DELIVERED)
        for before, event in zip(after, told, strict=True)
    )


def check(notification_id: str, outcomes: Iterable[Event], retries: int | None) -> Iterator[Finding]:
    """`outcomes` of one run, in their order; `retries`: how many delays the schedule has (None: not known)."""
    told = list(outcomes)
    late = arrived_after_all(told)
    yield from _late(notification_id, late, told)
    steps = [(where, list(events)) for where, events in groupby(told[: len(told) - len(late)], place)]
    yield from _repeated(notification_id, steps)
    for at, (where, events) in enumerate(steps):
        channel, attempt = where
        name, types = f"attempt {attempt} by {channel} of {notification_id}", [event.type for event in events]
        before = steps[at - 1] if at else None
        if attempt > 1 and (
            before is None or before[0] != (channel, attempt - 1) or before[1][-1].type != RETRYING
        ):
            yield lost(f"{name} follows no attempt that was to be tried again")
        if attempt <= 1 and before is not None and before[1][-1].type != FELL_BACK:
            yield lost(f"{name} follows no other channel's failure")
        if types[0] not in FIRST:
            yield lost(f"{name} was told as {types[0]}, and as nothing before")
        if not all(follows(*pair) for pair in pairwise(events)):
            yield doubled(f"{name} was told as {', '.join(types)}")
        if retries is not None and attempt > 1 + retries:
            yield doubled(f"{name} is one too many: the schedule has {retries} retries")
        if at + 1 < len(steps) and types[-1] not in (RETRYING, FELL_BACK):
            yield wrong(f"{name} was told as {types[-1]}, and more came after it")


def _late(notification_id: str, late: list[Event], told: list[Event]) -> Iterator[Finding]:
    """What an earlier attempt's receipt told: that attempt had failed for now, and the next ones were not made."""
    for event in late:
        channel, attempt = place(event)
        before = [each for each in told if each not in late and place(each) == place(event)]
        if not before or before[-1].type != RETRYING:
            yield lost(f"attempt {attempt} by {channel} of {notification_id} was told as delivered, out of turn")
    if not all(follows(*pair) for pair in pairwise(late)):
        types = ", ".join(event.type for event in late)
        yield doubled(f"{notification_id} was told late as {types}")


def _repeated(notification_id: str, steps: list[tuple[Place, list[Event]]]) -> Iterator[Finding]:
    """The same attempt again after another one, or a channel to which it came back."""
    channels = [channel for channel, _ in groupby(steps, lambda step: step[0][0])]
    if len(set(channels)) < len(channels):
        yield doubled(f"{notification_id} came back to a channel: {', '.join(map(str, channels))}")


def place(event: Event) -> Place:
    data = cast(Outcome, event.data)
    return data.channel, data.attempt


def is_read(event: Event) -> bool:
    return cast(Outcome, event.data).reason == DeliveryReason.READ
