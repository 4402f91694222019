"""What became of each notification, gathered from the topics."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.event_types import DEAD_LETTERS, OUTCOMES, REQUESTS, RETRY_PREFIX
from streams.audit import Log
from streams.demo.cases import LANDLINE

Key = tuple[str, str]
"""(company id, notification id)"""
ARRIVED = ("sent", "delivered")
"""That a provider took it over, and that it says that it arrived."""


@dataclass(slots=True)
class Course:
    event_type: str
    entity: tuple[str, str]
    """(company id, id of what it is about)"""
    recipient: str = ""
    """Empty where nothing was asked for: the suppressed ones."""
    templates: dict[str, str] = field(default_factory=dict)
    """By channel, each with its version."""
    asked_at: str = ""
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    """Each with its `kind`: sent, delivered, retrying, fell_back, unconfirmed, suppressed, failed."""
    waited: set[str] = field(default_factory=set)
    """By which channels, in a delay topic: for a retry, the breaker, quiet hours."""
    is_dead_letter: bool = False

    @property
    def end(self) -> str:
        return str(self.outcomes[-1]["kind"]) if self.outcomes else ""

    @property
    def reason(self) -> str:
        return str(self.outcomes[-1].get("reason", "")) if self.outcomes else ""

    @property
    def is_told(self) -> bool:
        """Whether a provider took it over in the end, and has not said that it went astray."""
        return self.end in ARRIVED

    @property
    def told_by(self) -> str:
        """The channel that did it; empty if none."""
        return str(self.outcomes[-1]["channel"]) if self.is_told else ""

    @property
    def left(self) -> set[tuple[str, str]]:
        """The channels that came to nothing, each with its reason."""
        ended = [outcome for outcome in self.outcomes if outcome["kind"] in ("fell_back", "failed")]
        return {(outcome.get("channel", ""), outcome.get("reason", "")) for outcome in ended}

    def of(self, channel: str | None) -> list[dict[str, Any]]:
        """The outcomes by this channel, `""`: by none; None: all of them."""
        return [each for each in self.outcomes if channel in (None, each.get("channel") or "")]

    def was(self, kind: str, channel: str | None = None) -> bool:
        """Whether one of its outcomes was of this kind."""
        return any(outcome["kind"] == kind for outcome in self.of(channel))


def courses(log: Log) -> dict[Key, Course]:
    found: dict[Key, Course] = {}
    for time, key, data in _told(log, REQUESTS):
        entity = data["company_id"], data["entity"]["id"]
        found[key] = Course(data["event_type"], entity, data["recipient"]["id"], _templates(data), time)
    for _, key, data in _told(log, OUTCOMES):
        if key not in found:
            found[key] = Course(data.get("event_type", ""), (data["company_id"], data["entity"]["id"]))
        found[key].outcomes.append(data)
    for topic in log:
        if topic.startswith(RETRY_PREFIX):
            for _, key, data in _told(log, topic):
                found[key].waited.add(data["attempt_channel"])
    for _, key, _ in _told(log, DEAD_LETTERS):
        found[key].is_dead_letter = True
    return found


def given_up(found: Mapping[Key, Course]) -> list[tuple[Key, Course]]:
    """The dead letters that nothing has delivered after all, first the one whose number is no mobile's."""
    letters = [(key, course) for key, course in found.items() if course.is_dead_letter and not course.is_told]
    return sorted(letters, key=lambda letter: letter[1].recipient != LANDLINE)


def _templates(data: dict[str, Any]) -> dict[str, str]:
    used = {channel: content["template"] for channel, content in data["contents"].items()}
    return {channel: f"{each['template_id']} version {each['version']}" for channel, each in used.items()}


def _told(log: Log, topic: str) -> Iterator[tuple[str, Key, dict[str, Any]]]:
    """(time, key, data and kind) of the topic's events."""
    for entry in log.get(topic, ()):
        event = entry.event
        data = {**event["data"], "kind": event["type"].removeprefix("notification.")}
        yield event["time"], (data["company_id"], data["notification_id"]), data
