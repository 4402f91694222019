"""The door: every record that cannot be read is one dead letter, whole, by the role that answers for it."""

import base64
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from schemas import Ignored, Refused, decode
from schemas import event_types as topics
from schemas.envelope import MAX_VALUE_BYTES
from schemas.reasons import RefusedReason
from streams.audit.findings import Finding, doubled, lost, wrong
from streams.audit.reading import Entry, Log

ANSWERS = {
    topics.CALLBACKS: "assign",
    topics.COMMANDS: "assign",
    topics.APPOINTMENTS: "notify",
    topics.DIRECTORY: "notify",  # but for the entities of ASSIGN_ENTITIES, where the envelope can be read
    topics.DECISIONS: "notify",
    topics.REQUESTS: "notify",
    topics.TIMERS: "notify",
    **dict.fromkeys(topics.PRIORITY_TOPICS, "deliver"),
    topics.RECEIPTS: "deliver",
    topics.OUTCOMES: "record",
    topics.DEAD_LETTERS: "record",
}
"""Every topic that some role reads -> the role that dead-letters what cannot be read there. For the delay topics,
however many there are, it is `retry`."""
ASSIGN_ENTITIES = ("company.", "branch.", "service.", "staff.")
FOUND_LATER = frozenset(
    {RefusedReason.PROCESSING_FAILED, RefusedReason.INCONSISTENT, RefusedReason.UNKNOWN_PLACEHOLDER}
)
"""Reasons for which a record is refused that can be read."""


def check(log: Log, partitions: int) -> Iterator[Finding]:
    letters: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for letter in log.get(topics.INTAKE_DEAD_LETTERS, ()):
        event = letter.event
        letters[event["id"]].append({**event["data"], "kafka_key": letter.key})
    for topic, role in (ANSWERS | dict.fromkeys(delays(log), "retry")).items():
        for entry in log.get(topic, ()):
            yield from _check_record(entry, letters.pop(entry.place, []), role, partitions)
    for place in letters:
        yield wrong(f"{place} is a dead letter, but no record")


def delays(log: Log) -> list[str]:
    """The delay topics of the log."""
    return [topic for topic in log if topic.startswith(topics.RETRY_PREFIX)]


def failed(log: Log, role: str, partition: int) -> Iterator[tuple[str, int]]:
    """(topic, offset) of the partition's records on which this role raised or died: it has passed over them."""
    for letter in log.get(topics.INTAKE_DEAD_LETTERS, ()):
        data = letter.event["data"]
        if (data["reason"], data["role"], data["partition"]) == (RefusedReason.PROCESSING_FAILED, role, partition):
            yield data["topic"], data["offset"]


def _check_record(entry: Entry, letters: list[dict[str, Any]], role: str, partitions: int) -> Iterator[Finding]:
    refused = _refused(entry, partitions)
    if len(letters) > 1:
        yield doubled(f"{entry.place} is a dead letter {len(letters)} times")
    if refused is not None and not letters:
        yield lost(f"{entry.place} cannot be read ({refused.reason}) and is no dead letter")
    for letter in letters[:1]:
        if refused is None and letter["reason"] not in FOUND_LATER:
            yield wrong(f"{entry.place} can be read, but is a dead letter ({letter['reason']})")
        elif refused is not None and letter["reason"] != refused.reason:
            yield wrong(f"{entry.place} is refused as {letter['reason']}, but it is {refused.reason}")
        if refused is not None and letter["role"] != (expected := _answers(entry, refused, role)):
            yield wrong(f"{entry.place} is refused by {letter['role']}, but {expected} answers for it")
        if not _is_kept(entry, _content(letter)):
            yield wrong(f"{entry.place} is not what its dead letter holds")


def _is_kept(entry: Entry, kept: tuple[Any, ...]) -> bool:
    """Whole, unless it was too large for that: then from its beginning on."""
    size = len(entry.key or b"") + len(entry.value or b"")
    size += sum(len(name.encode()) + len(content or b"") for name, content in entry.headers)
    if size > MAX_VALUE_BYTES:
        return (entry.value or b"").startswith(kept[2] or b"") and kept[3] == entry.timestamp
    return kept == (entry.key, entry.key, entry.value, entry.timestamp, list(entry.headers))


def _refused(entry: Entry, partitions: int) -> Refused | None:
    try:
        decode(entry.topic, entry, partitions)
    except Refused as refused:
        return refused
    except Ignored:
        pass
    return None


def _answers(entry: Entry, refused: Refused, role: str) -> str:
    if entry.topic == topics.DIRECTORY and (refused.type or "").startswith(ASSIGN_ENTITIES):
        return "assign"
    return role


def _content(letter: dict[str, Any]) -> tuple[Any, ...]:
    """(Kafka key of the letter, and key, value, timestamp and headers of the record in it)"""
    return (
        letter["kafka_key"],
        _bytes(letter.get("key_base64")),
        _bytes(letter.get("value_base64")),
        round(datetime.fromisoformat(letter["timestamp"]).timestamp() * 1000),
        [(name, _bytes(content)) for name, content in letter["headers"]],
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
