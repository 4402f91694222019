"""Notifications as the topics tell of them: each one's records, gathered into its story."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

from schemas import Event
from schemas.event_types import DEAD_LETTERS, OUTCOMES, PRIORITY_TOPICS, REQUESTS
from schemas.notifications import AttemptDue, NotificationRequest, Outcome
from streams.audit.intake import delays
from streams.audit.reading import Entry, Log, readable
from streams.audit.series import DELIVERED, ENDS, FAILED, FELL_BACK, SENT, SUPPRESSED, UNCONFIRMED, place, runs
from streams.policy.delivery.ladder import is_due

DELIVER = "/staffetta/deliver"
REDRIVE = "/staffetta/redrive"
"""Writes the same event as often as an operator presses: whether it is delivered once is asked of its ends."""
MILLISECOND = 0.001
"""A timestamp is cut to whole ones."""

Key = tuple[str, str]
"""(company id, notification id)"""


@dataclass(slots=True)
class Story:
    """One notification: the records that tell of it."""

    requests: int = 0
    retries: int | None = None
    """How many delays its schedule has, as the request says."""
    first: str | None = None
    """The channel on which it is tried first; None: there is none."""
    starts: int = 0
    """Records that sent it on its way for the first time."""
    attempts: set[tuple[str, int]] = field(default_factory=set)
    """(channel, attempt) of its records in the priority topics."""
    redrives: int = 0
    waited: set[str] = field(default_factory=set)
    """Ids of its events in the delay topics."""
    released: set[str] = field(default_factory=set)
    """Ids of its events in the priority topics."""
    early: list[str] = field(default_factory=list)
    """Places of records that were released before they were due."""
    dead_letters: int = 0
    outcomes: list[Event] = field(default_factory=list)

    about: str | None = None
    """The customer whom it speaks of."""

    @property
    def runs(self) -> list[list[Event]]:
        return runs(self.outcomes)

    @property
    def ends(self) -> list[str]:
        """What each run that came to an end has come to."""
        return [run[-1].type for run in self.runs if run[-1].type in ENDS]

    @property
    def unconfirmed(self) -> int:
        return sum(event.type == UNCONFIRMED for event in self.outcomes)

    @property
    def failed_on_the_way(self) -> int:
        """How often it was sent, and a receipt then said that it did not get through."""
        told = pairwise(self.outcomes)
        return sum(
            before.type == SENT and event.type in (FELL_BACK, FAILED) and place(before) == place(event)
            for before, event in told
        )

    @property
    def is_sent(self) -> bool:
        """Or was delivered, though nobody had told that it was sent."""
        return any(event.type in (SENT, DELIVERED) for event in self.outcomes)


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
        for topic in (REQUESTS, *sorted(PRIORITY_TOPICS), OUTCOMES, DEAD_LETTERS):
            for entry, event in readable(log, topic, partitions):
                ledger._take(entry, event)
        for topic in delays(log):
            for _, event in readable(log, topic, partitions):
                notification_id = cast(AttemptDue, event.data).notification_id
                ledger.stories[event.company_id, notification_id].waited.add(event.id)
        return ledger

    def _take(self, entry: Entry, event: Event) -> None:
        topic = entry.topic
        if event.source.startswith("/staffetta/") and event.source != REDRIVE:
            self.written[topic, event.source, event.id] += 1
        data = event.data
        assert isinstance(data, NotificationRequest | Outcome)
        story = self.stories[data.company_id, data.notification_id]
        if isinstance(data, Outcome):
            story.outcomes.append(event)
        elif isinstance(data, AttemptDue):
            _set_out(story, entry, event, data)
        elif topic == DEAD_LETTERS:
            story.dead_letters += 1
        else:
            story.requests += 1
            story.retries = len(data.retry_schedule_seconds)
            story.about, story.first = data.about_customer, _first(data)
        if (topic == REQUESTS or event.type == SUPPRESSED) and data.audience is not None:
            self.told[data.company_id, data.caused_by].add(data.audience)

    @property
    def pending(self) -> list[Key]:
        """Asked for, or asked for again, and without an end yet."""
        return [key for key, story in self.stories.items() if len(story.ends) < 1 + story.redrives]


def _first(request: NotificationRequest) -> str | None:
    skipped = {each.channel for each in request.skipped}
    chain = (request.channel, *request.fallback_channels)
    return next((each for each in chain if each in request.contents and each not in skipped), None)


def _set_out(story: Story, entry: Entry, event: Event, due: AttemptDue) -> None:
    story.attempts.add((entry.topic.split(".")[1], due.attempt))
    story.released.add(event.id)
    story.redrives = max(story.redrives, due.redrive)
    if event.source != DELIVER:
        story.starts += due.redrive == 0
    elif not is_due(due.due_at.timestamp(), entry.timestamp / 1000 + MILLISECOND):
        story.early.append(entry.place)
