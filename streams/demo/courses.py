"""What became of each notification, gathered from the topics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.event_types import DEAD_LETTERS, OUTCOMES, REQUESTS, RETRY_PREFIX
from streams.audit import Log

Key = tuple[str, str]
"""(company id, notification id)"""


@dataclass(slots=True)
class Course:
    event_type: str
    entity: tuple[str, str]
    """(company id, id of what it is about)"""
    recipient: str = ""
    """Empty where nothing was asked for: the suppressed ones."""
    template: str = ""
    """With its version; empty as well where no channel was left."""
    asked_at: str = ""
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    """Each with its `kind`: sent, retrying, unconfirmed, suppressed, failed."""
    has_waited: bool = False
    """In a delay topic: for a retry, the breaker, quiet hours."""
    is_dead_letter: bool = False

    @property
    def end(self) -> str:
        return str(self.outcomes[-1]["kind"]) if self.outcomes else ""

    @property
    def reason(self) -> str:
        return str(self.outcomes[-1].get("reason", "")) if self.outcomes else ""

    def was(self, kind: str) -> bool:
        """Whether one of its outcomes was of this kind."""
        return any(outcome["kind"] == kind for outcome in self.outcomes)


def courses(log: Log) -> dict[Key, Course]:
    found: dict[Key, Course] = {}
    for time, key, data in _told(log, REQUESTS):
        entity = data["company_id"], data["entity"]["id"]
        found[key] = Course(data["event_type"], entity, data["recipient"]["id"], _template(data), time)
    for _, key, data in _told(log, OUTCOMES):
        if key not in found:
            found[key] = Course(data.get("event_type", ""), (data["company_id"], data["entity"]["id"]))
        found[key].outcomes.append(data)
    for topic in log:
        if topic.startswith(RETRY_PREFIX):
            for _, key, _ in _told(log, topic):
                found[key].has_waited = True
    for _, key, _ in _told(log, DEAD_LETTERS):
        found[key].is_dead_letter = True
    return found


def _template(data: dict[str, Any]) -> str:
    content = data["contents"].get("email")
    return f"{content['template']['template_id']} version {content['template']['version']}" if content else ""


def _told(log: Log, topic: str) -> Iterator[tuple[str, Key, dict[str, Any]]]:
    """(time, key, data and kind) of the topic's events."""
    for entry in log.get(topic, ()):
        event = entry.event
        data = {**event["data"], "kind": event["type"].removeprefix("notification.")}
        yield event["time"], (data["company_id"], data["notification_id"]), data
