"""Poison in every topic: whatever cannot be read is one dead letter, and everything around it goes on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, Message

from schemas import CONTENT_TYPE_HEADER, murmur2_partition
from schemas.event_types import DIRECTORY, INTAKE_DEAD_LETTERS
from tests.e2e.messages import in_two_days, opening
from tests.e2e.system import ROLES, System, system
from tests.support.booking import Booking
from tests.support.kafka import PARTITIONS
from tests.unit.schemas.examples import EXAMPLES

COMPANY = "co-7"
HOME = murmur2_partition(COMPANY.encode(), PARTITIONS)
NEARLY_A_MEGABYTE = 990_000
"""Clients and brokers let that through as they come."""

TARGETS = (
    ("booking.directory", "customer_preferences.upserted", "notify"),
    ("booking.directory", "staff.upserted", "assign"),
    ("booking.callbacks", "callback.completed", "assign"),
    ("booking.appointments", "appointment.created", "notify"),
    ("assignment.commands", "callback.reassign", "assign"),
    ("assignment.decisions", "callback.auto_assigned", "notify"),
    ("notification.requests", "notification.requested", "notify"),
    ("delivery.email.high", "notification.attempt_due", "deliver"),
    ("delivery.email", "notification.attempt_due", "deliver"),
    ("delivery.email.low", "notification.attempt_due", "deliver"),
    ("delivery.retry.1", "notification.attempt_due", "retry"),
    ("delivery.outcomes", "notification.sent", "record"),
    ("delivery.dead-letters", "notification.dead_lettered", "record"),
)
"""Every topic that some role reads, a type that belongs there, and who answers for what cannot be read."""


class Poison(NamedTuple):
    what: str
    reason: str
    value: bytes | None
    key: bytes | None = COMPANY.encode()
    headers: tuple[tuple[str, bytes], ...] = (CONTENT_TYPE_HEADER,)
    partition: int = HOME
    type_is_known: bool = True
    """Whether the envelope can be read: in the directory the type decides who answers."""


def poisons(event_type: str) -> Iterator[Poison]:
    """Every way in which a record of this type can be unreadable."""
    data = EXAMPLES[event_type]
    good, elsewhere = event(event_type, data), murmur2_partition(b"co-8", PARTITIONS)
    binary = tuple((f"ce_{name}", value.encode()) for name, value in envelope(event_type).items())
    yield Poison("no text", "invalid_json", b"\xff\xfe\x00 no text", type_is_known=False)
    yield Poison("cut off", "invalid_json", good[:-7], type_is_known=False)
    yield Poison("no sign of what it is", "not_a_cloudevent", b"hello", headers=(), type_is_known=False)
    yield Poison("a list", "not_a_cloudevent", b"[]", type_is_known=False)
    yield Poison("no id", "not_a_cloudevent", event(event_type, data, id=None), type_is_known=False)
    naive = event(event_type, data, time="2026-11-23T10:00:00")
    yield Poison("a time without a zone", "not_a_cloudevent", naive, type_is_known=False)
    yield Poison("no data", "invalid_data", event(event_type, {}))
    yield Poison("a number as company", "invalid_data", event(event_type, {**data, "company_id": 7}))
    yield Poison("U+0000", "invalid_data", event(event_type, {**data, "more": "\0"}))
    yield Poison("no value", "empty_value", None, type_is_known=False)
    yield Poison("an empty value", "empty_value", b"", type_is_known=False)
    yield Poison("no key", "key_mismatch", good, key=None)
    yield Poison("another key", "key_mismatch", good, key=b"co-8", partition=elsewhere)
    yield Poison("another partition key", "key_mismatch", event(event_type, data, partitionkey="co-8"))
    yield Poison("another partition", "wrong_partition", good, partition=1 - HOME)
    yield Poison("binary mode, cut off", "invalid_json", json.dumps(data).encode()[:-7], headers=binary)
    yield Poison("nearly a megabyte", "invalid_json", b"\xff" * NEARLY_A_MEGABYTE, type_is_known=False)
    if event_type == "callback.completed":
        yield Poison("pending, but completed", "inconsistent", event(event_type, {**data, "status": "pending"}))
        yield Poison("a long story", "too_long", event(event_type, {**data, "notes": "x" * 10_001}))


def envelope(event_type: str) -> dict[str, str]:
    return {"specversion": "1.0", "id": "poison", "source": "/test", "type": event_type}


def event(event_type: str, data: dict[str, Any], **changed: Any) -> bytes:
    attributes = {**envelope(event_type), "data": data, **changed}
    return json.dumps({name: value for name, value in attributes.items() if value is not None}).encode()


def test_poison_in_every_topic(bootstrap: str, tmp_path: Path) -> None:
    """Each kind of unreadable record, in each topic that a role reads, becomes exactly one dead letter, by the
    role that answers for it, with its reason and every byte; all that is written around it is dealt with."""
    with system(bootstrap, tmp_path) as road:
        worker, salon = road.ready(), Booking(COMPANY)
        road.send(*opening(salon))
        expected: dict[str, tuple[str, str, str]] = {}
        for number, (topic, event_type, role) in enumerate(TARGETS):
            road.send(salon.callback(f"cb-{number}"), salon.appointment(f"ap-{number}", starts_at=in_two_days()))
            for poison in poisons(event_type):
                answers = role if poison.type_is_known or topic != DIRECTORY else "notify"
                _write(road, topic, poison, answers, expected)
        road.send(salon.callback("cb-last"))

        log = road.check()  # each of them once, with every byte; and all the rest
        letters = [entry.event for entry in log[INTAKE_DEAD_LETTERS]]
        found = {letter["id"]: (letter["data"]["role"], letter["data"]["reason"]) for letter in letters}
        assert {place: (role, reason) for place, (_, role, reason) in expected.items()} == found
        assert len(letters) == len(expected) == sum(len(list(poisons(target[1]))) for target in TARGETS)
        assert {name: role["restarts"] for name, role in worker.roles.items()} == dict.fromkeys(ROLES, 0)
        assert len(road.box.mails) == 2 * len(TARGETS) + 1


def _write(road: System, topic: str, poison: Poison, role: str, expected: dict[str, tuple[str, str, str]]) -> None:
    """Note where it comes to lie, and what is to become of it."""

    def written(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        expected[f"{topic}/{message.partition()}/{message.offset()}"] = (poison.what, role, poison.reason)

    headers = list(poison.headers)
    road.produce(topic, poison.key, poison.value, written, partition=poison.partition, headers=headers)
