"""Which attempt comes next: again on the same channel, or on the next one of the chain."""

from collections.abc import Collection

from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName
from streams.policy.notification.triggers import is_past


def retry_at(due: AttemptDue, retry_after_seconds: float | None, now: float) -> float | None:
    """When to try the same channel again after a transient failure; None: the schedule is used up.

    `Retry-After` counts where it is longer than the schedule's delay.
    """
    schedule, number = due.retry_schedule_seconds, max(due.attempt, 1)
    if number > len(schedule):
        return None
    return now + max(schedule[number - 1], retry_after_seconds or 0.0)


def next_channel(due: AttemptDue, failed: ChannelName, known: Collection[ChannelName]) -> ChannelName | None:
    """The first channel after the failed one that has a text, was not skipped, and exists here."""
    chain = list(dict.fromkeys((due.channel, *due.fallback_channels)))
    skipped = {each.channel for each in due.skipped}
    later = chain[chain.index(failed) + 1 :] if failed in chain else []
    return next((each for each in later if each in known and each in due.contents and each not in skipped), None)


def is_too_late(due: AttemptDue, at: float) -> bool:
    """Whether an attempt at that moment would come after the notification has become pointless."""
    return is_past(due.not_after, at)
