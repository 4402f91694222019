"""Notifications: everything that should tell somebody did, and every request came to exactly one end."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from schemas import Event
from schemas.appointments import Appointment
from schemas.callbacks import Callback
from schemas.decisions import Decision
from schemas.directory import Branch
from schemas.event_types import (
    APPOINTMENTS,
    CALLBACKS,
    DEAD_LETTERS,
    DECISIONS,
    DIRECTORY,
    OUTCOMES,
    REQUESTS,
)
from schemas.notifications import AttemptDue, NotificationRequest, Outcome
from streams.audit.decisions import ASSIGNING
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.intake import PRIORITIES
from streams.audit.loads import OPEN
from streams.audit.reading import Log, readable

SENT, FAILED, SUPPRESSED = "notification.sent", "notification.failed", "notification.suppressed"
UNCONFIRMED = "notification.unconfirmed"
FINAL = frozenset({SENT, FAILED, SUPPRESSED})

Key = tuple[str, str]
"""(company id, notification id)"""


@dataclass(slots=True)
class Story:
    """One notification: the records that tell of it."""

    requests: int = 0
    attempts_due: int = 0
    dead_letters: int = 0
    outcomes: list[Event] = field(default_factory=list)

    @property
    def ends(self) -> list[str]:
        return [event.type for event in self.outcomes if event.type in FINAL]

    @property
    def unconfirmed(self) -> int:
        return sum(event.type == UNCONFIRMED for event in self.outcomes)

    @property
    def is_sent(self) -> bool:
        return SENT in self.ends


@dataclass(slots=True)
class Ledger:
    """Every notification's story, and whom each event has led to tell."""

    stories: dict[Key, Story] = field(default_factory=lambda: defaultdict(Story))
    told: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """(company id, id of an event or decision) -> the audiences of the requests and suppressions about it."""
    written: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(topic, source, event id) of what our roles wrote."""

    @classmethod
    def of(cls, log: Log, partitions: int) -> "Ledger":
        ledger = cls()
        for topic in (REQUESTS, *PRIORITIES, OUTCOMES, DEAD_LETTERS):
            for _, event in readable(log, topic, partitions):
                ledger._take(topic, event)
        return ledger

    def _take(self, topic: str, event: Event) -> None:
        if event.source.startswith("/staffetta/"):
            self.written[topic, event.source, event.id] += 1
        data = event.data
        assert isinstance(data, NotificationRequest | Outcome)
        story = self.stories[data.company_id, data.notification_id]
        if isinstance(data, Outcome):
            story.outcomes.append(event)
        elif isinstance(data, AttemptDue):
            story.attempts_due += 1
        elif topic == DEAD_LETTERS:
            story.dead_letters += 1
        else:
            story.requests += 1
        if (topic == REQUESTS or event.type == SUPPRESSED) and data.audience is not None:
            self.told[data.company_id, data.caused_by].add(data.audience)

    @property
    def pending(self) -> list[Key]:
        """Asked for, and without an end yet."""
        return [key for key, story in self.stories.items() if not story.ends]


def check(log: Log, ledger: Ledger, partitions: int) -> Iterator[Finding]:
    for (_, notification_id), story in ledger.stories.items():
        yield from _check_road(notification_id, story)
        yield from _check_ends(notification_id, story)
    for (topic, _, event_id), times in ledger.written.items():
        if times > 1:
            yield doubled(f"{topic} has {event_id} {times} times")
    yield from _untold(log, ledger, partitions)


def _check_road(notification_id: str, story: Story) -> Iterator[Finding]:
    """From request to attempt, each once; what has no channel left fails on the way."""
    if story.requests > 1:
        yield doubled(f"{notification_id} was requested {story.requests} times")
    if story.attempts_due > 1:
        yield doubled(f"{notification_id} was sent on its way {story.attempts_due} times")
    if not story.requests and (story.attempts_due or set(story.ends) != {SUPPRESSED}):
        yield wrong(f"{notification_id} is under way or at its end, but nobody had asked for it")
    if story.requests and not story.attempts_due and story.ends != [FAILED]:
        yield lost(f"{notification_id} was requested, but never sent on its way")


def _check_ends(notification_id: str, story: Story) -> Iterator[Finding]:
    """Exactly one end, nothing after it, and a dead letter if and only if it was attempted and failed."""
    ends, unconfirmed = story.ends, story.unconfirmed
    if not ends:
        yield lost(f"{notification_id} has no outcome")
        return
    if len(ends) > 1:
        yield doubled(f"{notification_id} ended {len(ends)} times: {', '.join(ends)}")
    if unconfirmed > 1:
        yield doubled(f"{notification_id} was unconfirmed {unconfirmed} times")
    if story.outcomes[-1].type not in FINAL:
        yield wrong(f"{notification_id} was {story.outcomes[-1].type} after its end")
    failures = ends.count(FAILED) if story.attempts_due else 0
    if story.dead_letters < failures:
        yield lost(f"{notification_id} failed, and is no dead letter")
    if story.dead_letters > failures:
        yield doubled(f"{notification_id} failed {failures} times, and is {story.dead_letters} dead letters")


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
