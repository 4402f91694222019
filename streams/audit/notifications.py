"""Notifications: everything that should tell somebody did, and every request came to exactly one end."""

from collections.abc import Iterator
from typing import Any, cast

from schemas import Event
from schemas.appointments import Appointment
from schemas.callbacks import Callback
from schemas.decisions import Decision
from schemas.directory import Branch
from schemas.event_types import (
    APPOINTMENTS,
    CALLBACKS,
    DECISIONS,
    DIRECTORY,
)
from schemas.notifications import Outcome
from streams.audit import series
from streams.audit.decisions import ASSIGNING
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.loads import OPEN
from streams.audit.reading import Log, readable
from streams.audit.series import ENDS, FAILED, RETRYING, SUPPRESSED
from streams.audit.stories import DELIVER, Ledger, Story


def check(log: Log, ledger: Ledger, partitions: int) -> Iterator[Finding]:
    for (_, notification_id), story in ledger.stories.items():
        yield from _check_road(notification_id, story)
        yield from _check_ends(notification_id, story)
        for run in story.runs:
            yield from series.check(notification_id, run, story.retries)
            if story.first is not None and run[0].type != SUPPRESSED and series.place(run[0])[0] != story.first:
                yield lost(f"{notification_id} has no outcome by {story.first}, which is first in its chain")
    for (topic, _, event_id), times in ledger.written.items():
        if times > 1:
            yield doubled(f"{topic} has {event_id} {times} times")
    yield from _untold(log, ledger, partitions)


def _check_road(notification_id: str, story: Story) -> Iterator[Finding]:
    """From request to attempts, each once and none too soon."""
    if story.requests > 1:
        yield doubled(f"{notification_id} was requested {story.requests} times")
    if story.starts > 1:
        yield doubled(f"{notification_id} was sent on its way {story.starts} times")
    if not story.requests and (story.starts or set(story.ends) != {SUPPRESSED}):
        yield wrong(f"{notification_id} is under way or at its end, but nobody had asked for it")
    if story.requests and not story.starts and not _ended_on_the_way(story):
        yield lost(f"{notification_id} was requested, but never sent on its way")
    for event_id in story.waited - story.released:
        yield lost(f"{notification_id} went into a delay topic as {event_id}, and never came out")
    for place in story.early:
        yield wrong(f"{notification_id} was released too early: {place}")
    told = {_attempt(event) for event in story.outcomes} if story.starts else set()
    for channel, attempt in sorted(told - story.attempts - _too_late(story)):
        yield lost(f"attempt {attempt} by {channel} of {notification_id} was told, but never sent on its way")
    retrying = {_attempt(event) for event in story.outcomes if event.type == RETRYING}
    for channel, attempt in sorted(story.attempts):
        if attempt > 1 and (channel, attempt - 1) not in retrying:
            yield lost(f"attempt {attempt} by {channel} of {notification_id} was sent on its way by no other")


def _ended_on_the_way(story: Story) -> bool:
    """What has no channel left fails before it sets out, what speaks of somebody who was erased is suppressed."""
    is_erased = story.ends == [SUPPRESSED] and all(event.source != DELIVER for event in story.outcomes)
    return is_erased or story.ends == [FAILED]


def _check_ends(notification_id: str, story: Story) -> Iterator[Finding]:
    """Exactly one end, and a dead letter if and only if it was attempted and given up."""
    ends = story.ends
    last = story.outcomes[-1].type if story.outcomes else "nothing"
    if last not in ENDS:
        yield lost(f"{notification_id} has no end: it was told as {last}, and no more")
    if len(story.runs) > 1 + story.redrives:
        told = ", ".join(run[-1].type for run in story.runs)
        yield doubled(f"{notification_id} ended {len(story.runs)} times: {told}")
    if story.redrives and len(ends) < 1 + story.redrives:
        yield lost(f"{notification_id} ended {len(ends)} times, but was sent again {story.redrives} times")
    failures = sum(map(series.given_up, story.runs)) if story.starts else 0
    if story.dead_letters < failures:
        yield lost(f"{notification_id} failed, and is no dead letter")
    if story.dead_letters > failures:
        yield doubled(f"{notification_id} failed {failures} times, and is {story.dead_letters} dead letters")


def _attempt(event: Event) -> tuple[str, int]:
    data = cast(Outcome, event.data)
    return data.channel or "", data.attempt


def _too_late(story: Story) -> set[tuple[str, int]]:
    """Attempts that were suppressed as soon as they were planned: they never set out."""
    return {_attempt(event) for event in story.outcomes if event.type == SUPPRESSED and _attempt(event)[1] > 1}


def _untold(log: Log, ledger: Ledger, partitions: int) -> Iterator[Finding]:
    """Each applied appointment event has come to something for the customer, each assignment for the colleague: a
    request or a suppression. What is about a branch that nobody knows waits for it."""
    branches = {
        (event.company_id, event.data.branch_id)
        for _, event in readable(log, DIRECTORY, partitions)
        if isinstance(event.data, Branch)
    }
    for event in _news(log, APPOINTMENTS, "appointment_id", partitions):
        if isinstance(event.data, Appointment) and (event.company_id, event.data.branch_id) in branches:
            yield from _expect("customer", event, ledger)
    for event in _news(log, CALLBACKS, "callback_id", partitions):
        data = cast(Callback, event.data)
        if (
            event.type == "callback.assigned"
            and data.status in OPEN
            and (event.company_id, data.branch_id) in branches
        ):
            yield from _expect("staff", event, ledger)
    for _, event in readable(log, DECISIONS, partitions):
        branch = event.company_id, cast(Decision, event.data).branch_id
        if event.type in ASSIGNING and branch in branches:
            yield from _expect("staff", event, ledger)


def _expect(audience: str, event: Event, ledger: Ledger) -> Iterator[Finding]:
    if audience not in ledger.told[event.company_id, event.id]:
        yield lost(f"{event.type} {event.id} told no {audience}, and nobody knows why")


def _news(log: Log, topic: str, id_field: str, partitions: int) -> Iterator[Event]:
    """Those change events that are newer than all before them."""
    known: dict[tuple[str, str], int] = {}
    for _, event in readable(log, topic, partitions):
        data = cast(Any, event.data)
        place = event.company_id, getattr(data, id_field)
        if data.version > known.get(place, -1):
            known[place] = data.version
            yield event
