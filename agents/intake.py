"""The door of every role: what can be read becomes an event, what cannot becomes a dead letter, once.

Several roles read the same topic, so each record has exactly one role that answers for it; the others pass
over what they cannot read.
"""

from datetime import UTC, datetime

import msgspec

from schemas import SOURCE, Event, Ignored, Refused, decode, encode
from schemas.envelope import MAX_VALUE_BYTES
from schemas.event_types import INTAKE_DEAD_LETTERS, PRIORITY_TOPICS, RETRY_PREFIX
from schemas.intake import to_base64
from schemas.reasons import IntakeResult, RefusedReason
from streams.batch import Effects, Output, Record

INTAKE = "staffetta_intake_total"

ANSWERS: dict[str, str] = {
    "booking.callbacks": "assign",
    "assignment.commands": "assign",
    "booking.appointments": "notify",
    "assignment.decisions": "notify",
    "notification.requests": "notify",
    "notification.timers": "notify",
    **dict.fromkeys(PRIORITY_TOPICS, "deliver"),
    "delivery.receipts": "deliver",
    "delivery.outcomes": "record",
    "delivery.dead-letters": "record",
    INTAKE_DEAD_LETTERS: "record",
}
"""Contract topic -> the role that dead-letters what cannot be read there. `booking.directory` is divided; of
dead letters there are no dead letters: what cannot be read is counted as ignored."""

KEPT_BYTES = MAX_VALUE_BYTES
"""Of a record, of its headers as they are written. In base64 the rest is a third more, the key is there twice, and
a dead letter may have 4 MB."""
DETAIL = 2000
"""Characters: it may quote what was wrong."""
ASSIGN_ENTITIES = frozenset({"company", "branch", "service", "staff"})


def answers(role: str, topic: str, event_type: str | None) -> bool:
    """Whether `role` is the one that dead-letters this record; `event_type` is None where it cannot be read."""
    if topic == "booking.directory":
        entity = (event_type or "").partition(".")[0]
        return role == ("assign" if entity in ASSIGN_ENTITIES else "notify")
    if topic.startswith(RETRY_PREFIX):
        return role == "retry"
    return ANSWERS.get(topic) == role


def counts(role: str, topic: str, event_type: str) -> bool:
    """Whether `role` is the one that counts what became of an event: it answers for the record, or the event is a
    service's, whose version `notify` alone keeps."""
    if topic == "booking.directory" and event_type.partition(".")[0] == "service":
        return role == "notify"
    return answers(role, topic, event_type)


def read(topic: str, record: Record, *, partitions: int, role: str, effects: Effects) -> Event | None:
    """The record's event, or None where there is none to apply: then the one role that answers for it has counted
    it, and dead-lettered what cannot be read."""
    try:
        return decode(topic, record, partitions)
    except Ignored as unknown:
        if answers(role, topic, unknown.type):
            effects.counted[INTAKE, topic, IntakeResult.IGNORED] += 1
            effects.ignored.add((topic, unknown.type))
    except Refused as refused:
        if answers(role, topic, refused.type) and topic == INTAKE_DEAD_LETTERS:
            effects.counted[INTAKE, topic, IntakeResult.IGNORED] += 1
        elif answers(role, topic, refused.type):
            refuse(topic, record, refused.reason, refused.detail, role=role, effects=effects)
    return None


def refuse(topic: str, record: Record, reason: RefusedReason, detail: str, *, role: str, effects: Effects) -> None:
    """Dead-letter a record and count it."""
    effects.outputs.append(dead_letter(topic, record, reason, detail, role))
    effects.counted[INTAKE, topic, IntakeResult.DEAD_LETTER] += 1
    effects.counted["staffetta_dead_letters_total", INTAKE_DEAD_LETTERS, reason] += 1


def dead_letter(topic: str, record: Record, reason: RefusedReason, detail: str, role: str) -> Output:
    """`intake.refused` with the raw bytes, keyed as received. Its id names the record, so repeats are seen.

    A record that compresses well may have been larger than a dead letter can be: then the end of its key and
    value, and whole headers, are left out.
    """
    timestamp = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    place = f"{topic}/{record.partition}/{record.offset}"
    cut = _Cut(KEPT_BYTES)
    key = cut(record.key)
    headers = [(_storable(name), to_base64(content)) for name, content in record.headers]
    headers = [each for each in headers if cut.lets_through(msgspec.json.encode(each))]
    kept = cut(record.value)
    detail = _storable(detail[:DETAIL])
    if cut.lost:
        detail += f" (only the first {KEPT_BYTES} bytes are kept here, {cut.lost} are not)"
    value = encode(
        "intake.refused",
        id=place,
        source=f"{SOURCE}/{role}",
        time=timestamp,
        subject=place,
        company_id=None,
        data={
            "topic": topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": timestamp,
            "key_base64": to_base64(key),
            "value_base64": to_base64(kept),
            "headers": headers,
            "reason": reason,
            "detail": detail,
            "role": role,
        },
    )
    return Output(INTAKE_DEAD_LETTERS, key, value)


def _storable(text: str) -> str:
    """Without U+0000, for which the letter itself could not be read."""
    return text.replace("\0", "\ufffd")


class _Cut:
    """Lets through the first so many bytes of all that it is given."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.lost = 0

    def __call__(self, content: bytes | None) -> bytes | None:
        if content is None:
            return None
        kept = content[: self._left]
        self._left -= len(kept)
        self.lost += len(content) - len(kept)
        return kept

    def lets_through(self, content: bytes) -> bool:
        """Whether all of it; else nothing of it is."""
        if len(content) > self._left:
            self.lost += len(content)
            return False
        self._left -= len(content)
        return True
