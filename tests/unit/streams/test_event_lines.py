"""Lines of a file as records."""

import json

import pytest

from schemas import EVENT_TYPES
from sinks.event_lines import WrongLineError, parse_line
from tests.unit.schemas.examples import CHOICE, TEMPLATE

DELETED = {
    "specversion": "1.0",
    "id": "1",
    "source": "/test",
    "type": "branch.deleted",
    "data": {"company_id": "co-7", "branch_id": "br-1", "version": 2},
}


def line(**changes: object) -> bytes:
    return json.dumps({**DELETED, **changes}).encode()


def test_address() -> None:
    """The topic follows from the type, the key from the company; the value is the line without its end."""
    parsed = parse_line(3, line() + b"\r\n")
    assert (parsed.number, parsed.topic, parsed.key, parsed.value) == (3, "booking.directory", b"co-7", line())


def test_partitionkey_is_the_key() -> None:
    """`partitionkey` is the key even where it is not the company, which a checked line may not have."""
    assert parse_line(1, line(partitionkey="co-9"), check=False).key == b"co-9"
    with pytest.raises(WrongLineError, match="key_mismatch"):
        parse_line(1, line(partitionkey="co-9"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[]", "no CloudEvent in JSON"),
        (b"\xff", "no CloudEvent in JSON"),
        (b"[" * 100_000, "no CloudEvent in JSON"),
        (line(type="branch.delete"), "'branch.delete' is no event type; did you mean 'branch.deleted'"),
        (line(type="zzz"), "'zzz' is no event type"),
        (line(type="notification.attempt_due"), "travels on several topics"),
        (line(data=None), "neither partitionkey nor data.company_id"),
        (line(data={"company_id": 7}), "neither partitionkey nor data.company_id"),
        (line(specversion="0.3"), "not_a_cloudevent"),
        (line(data={"company_id": "co-7", "branch_id": "br-1"}), "invalid_data: version"),
        (
            line(type="template.upserted", data={**TEMPLATE, "body_text": "{{ nobody }}"}),
            "unknown_placeholder: body_text: there is no placeholder 'nobody'",
        ),
        (
            line(type="address.opted_in", data={**CHOICE, "recipient_hash": "5d41…"}),
            "invalid_data: recipient_hash: a hash has 64 hex digits",
        ),
    ],
)
def test_wrong_lines(text: bytes, problem: str) -> None:
    """A wrong line is refused with its number and what is wrong with it."""
    with pytest.raises(WrongLineError, match=problem) as caught:
        parse_line(12, text)
    assert caught.value.number == 12


@pytest.mark.parametrize("type", sorted(name for name, kind in EVENT_TYPES.items() if kind.topic))
def test_every_type_has_its_topic(type: str) -> None:
    """Each event type of the contract can be addressed."""
    assert parse_line(1, line(type=type), check=False).topic == EVENT_TYPES[type].topic
