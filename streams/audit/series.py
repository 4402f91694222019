"""The series of one notification's outcomes: attempts counted by channel, each told once, one after the other."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import cast

from schemas import Event
from schemas.notifications import Outcome
from streams.audit.findings import Finding, doubled, lost, wrong

SENT, FAILED, SUPPRESSED = "notification.sent", "notification.failed", "notification.suppressed"
RETRYING, FELL_BACK = "notification.retrying", "notification.fell_back"
UNCONFIRMED = "notification.unconfirmed"
FINAL = frozenset({SENT, FAILED, SUPPRESSED})
FIRST = FINAL | {RETRYING, FELL_BACK, UNCONFIRMED}
"""What an attempt can come to. After `unconfirmed` one of the others follows, once."""

Place = tuple[str | None, int]
"""(channel, attempt)"""


def check(notification_id: str, outcomes: Iterable[Event], retries: int | None) -> Iterator[Finding]:
    """`outcomes` up to one end, in their order; `retries`: how many delays the schedule has (None: not known)."""
    told = [event for event in outcomes if event.type in FIRST]
    steps = [(place, [event.type for event in events]) for place, events in groupby(told, _place)]
    yield from _repeated(notification_id, steps)
    for at, (place, types) in enumerate(steps):
        channel, attempt = place
        name = f"attempt {attempt} by {channel} of {notification_id}"
        before = steps[at - 1] if at else None
        if attempt > 1 and (before is None or before[0] != (channel, attempt - 1) or before[1][-1] != RETRYING):
            yield lost(f"{name} follows no attempt that was to be tried again")
        if attempt <= 1 and before is not None and before[1][-1] != FELL_BACK:
            yield lost(f"{name} follows no other channel's failure")
        if types not in ([types[-1]], [UNCONFIRMED, types[-1]]) or types[1:] == [UNCONFIRMED]:
            yield doubled(f"{name} was told as {', '.join(types)}")
        if retries is not None and attempt > 1 + retries:
            yield doubled(f"{name} is one too many: the schedule has {retries} retries")
        if at + 1 < len(steps) and types[-1] not in (RETRYING, FELL_BACK):
            yield wrong(f"{name} was told as {types[-1]}, and more came after it")


def _repeated(notification_id: str, steps: list[tuple[Place, list[str]]]) -> Iterator[Finding]:
    """The same attempt again after another one, or a channel to which it came back."""
    channels = [channel for channel, _ in groupby(steps, lambda step: step[0][0])]
    if len(set(channels)) < len(channels):
        yield doubled(f"{notification_id} came back to a channel: {', '.join(map(str, channels))}")


def _place(event: Event) -> Place:
    data = cast(Outcome, event.data)
    return data.channel, data.attempt
