"""What cannot be applied is kept, so that somebody can look at it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.deliver import Deliver
from agents.intake import KEPT_BYTES, answers, dead_letter, read
from schemas import decode
from schemas.event_types import PRIORITY_TOPICS
from schemas.intake import IntakeRefused, from_base64
from schemas.reasons import RefusedReason
from streams.batch import Effects
from streams.topics import CONTRACT_TOPICS

LIMIT = next(int(t.config["max.message.bytes"]) for t in CONTRACT_TOPICS if t.name == "intake.dead-letters")


class Refused(NamedTuple):
    """A record."""

    value: bytes | None
    key: bytes | None = b"co-7"
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = "booking.callbacks"
    partition: int = 1
    offset: int = 7
    timestamp: int = 1_790_000_000_000


def letter(record: Refused) -> tuple[dict[str, object], int]:
    """The letter's data, and its size with key."""
    out = dead_letter(record.topic, record, RefusedReason.TOO_LONG, "it is too long", "assign")
    data: dict[str, object] = orjson.loads(out.value)["data"]
    return data, len(out.value) + len(out.key or b"")


@given(
    st.none() | st.binary(),
    st.none() | st.binary(),
    st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.binary())),
)
def test_what_fits_is_kept_as_it_was(
    value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    """Key, value and headers of a dead letter are the record's, byte by byte, but for U+0000 in a name."""
    data, _ = letter(Refused(value, key, headers))
    assert from_base64(data.get("value_base64")) == value  # type: ignore[arg-type]
    assert from_base64(data.get("key_base64")) == key  # type: ignore[arg-type]
    assert [(name, from_base64(content)) for name, content in data["headers"]] == [  # type: ignore[attr-defined]
        (name.replace("\0", "\ufffd"), content) for name, content in headers
    ]
    assert data["detail"] == "it is too long"


@pytest.mark.parametrize(
    "record",
    [Refused(bytes(5_000_000)), Refused(b"x", key=bytes(5_000_000)), Refused(bytes(KEPT_BYTES + 1), key=None)],
)
def test_what_does_not_fit_is_cut(record: Refused) -> None:
    """However large a record was, its letter fits into the topic, and says how much is missing."""
    data, size = letter(record)
    assert size < LIMIT
    lost = sum(map(len, (record.value or b"", record.key or b""))) - KEPT_BYTES
    assert data["detail"] == f"it is too long (only the first {KEPT_BYTES} bytes are kept here, {lost} are not)"


@pytest.mark.parametrize(
    "headers",
    [
        [("trace", bytes(3_000_000)), ("n" * 3_000_000, b"")],
        [("\x01" * 1_000_000, b"")],
        [("\0" * KEPT_BYTES, b"")],
        [("", None)] * 500_000,
    ],
    ids=["long", "escaped", "replaced", "many"],
)
def test_headers_that_do_not_fit_are_left_out(headers: list[tuple[str, Any]]) -> None:
    """Whatever headers become when they are written, the letter fits into the topic, and has those that fit."""
    data, size = letter(Refused(bytes(10), headers=[("first", b""), *headers, ("last", b"")]))
    assert size < LIMIT
    assert "only the first" in str(data["detail"])
    kept: Any = data["headers"]
    assert kept[0] == ["first", ""]
    assert len(kept) < len(headers) + 2


@pytest.mark.parametrize(
    "record",
    [
        Refused(b'{"specversion": "1.0\\u0000"}'),
        Refused(b'{"specversion": "%s"}' % (b"1" * 100_000)),
        Refused(b"nonsense", headers=[("a\0b", b"")]),
        Refused(b"nonsense\0", key=b"\0", headers=[("a", b"\0")]),
    ],
)
def test_a_letter_can_be_read(record: Refused) -> None:
    """Whatever is wrong with a record, and quoted of it, `record` can read its letter."""
    effects = Effects()
    assert read(record.topic, record, partitions=1, role="assign", effects=effects) is None
    (out,) = effects.outputs
    told = decode(out.topic, Refused(out.value, out.key, topic=out.topic)).data
    assert isinstance(told, IntakeRefused)
    assert (told.topic, told.offset, told.reason) == (record.topic, record.offset, RefusedReason.NOT_A_CLOUDEVENT)


@pytest.mark.parametrize("topic", sorted(PRIORITY_TOPICS))
def test_somebody_answers_for_every_channel(topic: str) -> None:
    """What cannot be read is kept by `deliver`, on whichever channel it was to go, and it reads them all."""
    assert answers("deliver", topic, None)
    assert topic in Deliver.topics
