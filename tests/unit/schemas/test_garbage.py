"""Whatever arrives is read, ignored or refused; nothing else happens."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES, Event, Ignored, Refused, decode
from schemas.callbacks import Callback
from schemas.reasons import RefusedReason
from tests.unit.schemas.examples import CALLBACK
from tests.unit.schemas.generated import JSON, messages
from tests.unit.schemas.records import STRUCTURED, Kafka, binary, envelope, structured

MEGABYTE = 1_000_000
HEADERS = st.none() | st.lists(
    st.tuples(
        st.sampled_from(
            ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_data", "x"]
        ),
        st.none()
        | st.binary(max_size=8)
        | st.sampled_from([b"1.0", b"callback.requested", CONTENT_TYPE_HEADER[1]]),
    ),
    max_size=8,
)


def outcome(record: Kafka, topic: str = "booking.callbacks") -> Event | RefusedReason | None:
    try:
        return decode(topic, record, 12)
    except Refused as refused:
        return refused.reason
    except Ignored:
        return None


@given(st.none() | st.binary(max_size=200), st.none() | st.binary(max_size=20), HEADERS)
def test_any_bytes(value: bytes | None, key: bytes | None, headers: Any) -> None:
    """Random bytes in value, key and headers are refused or ignored."""
    assert not isinstance(outcome(Kafka(value, key, headers)), Event)


@given(st.sampled_from(sorted(EVENT_TYPES)), JSON | st.dictionaries(st.sampled_from(sorted(CALLBACK)), JSON))
def test_any_json(name: str, data: Any) -> None:
    """Random JSON as the data of any type is read or refused."""
    topic = EVENT_TYPES[name].topic or "delivery.retry.60"
    outcome(structured(name, data), topic)
    outcome(Kafka(orjson.dumps(data), headers=STRUCTURED), topic)


@given(messages(), st.data())
def test_a_damaged_event(message: tuple[str, Any], data: st.DataObject) -> None:
    """An event with one byte changed, or cut off, is read, ignored or refused."""
    name, content = message
    topic = EVENT_TYPES[name].topic or "delivery.retry.60"
    whole = structured(name, content).value
    assert whole is not None
    at = data.draw(st.integers(0, len(whole) - 1))
    outcome(Kafka(whole[:at] + data.draw(st.binary(max_size=2)) + whole[at + 1 :], headers=STRUCTURED), topic)
    assert not isinstance(outcome(Kafka(whole[:at], headers=STRUCTURED), topic), Event)


@pytest.mark.parametrize(
    "value",
    [
        b"[" * MEGABYTE,
        b'{"data":' * (MEGABYTE // 8),
        b'{"specversion":"1.0","x":' + b"[" * MEGABYTE,
        b'"' * MEGABYTE,
        b"\\" * MEGABYTE,
        b'{"id":"' + b"\\" * MEGABYTE + b'"}',
        b"9" * MEGABYTE,
        b'{"' + b"k" * MEGABYTE + b'":1}',
        b"\x00" * MEGABYTE,
        b"\xff" * MEGABYTE,
        b" " * MEGABYTE,
    ],
)
def test_a_megabyte_of_garbage(value: bytes) -> None:
    """Large and deep nonsense is refused, in either mode."""
    assert isinstance(outcome(Kafka(value, headers=STRUCTURED)), RefusedReason)
    assert isinstance(outcome(binary("callback.requested", {})._replace(value=value)), RefusedReason)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preferred_time_window", b"[" * 900 + b"]" * 900),
        ("preferred_time_window", b"[" * 300 + b"]" * 300),
        ("colour", b"[" * 300 + b"]" * 300),
        ("preferred_time_window", b"NaN"),
        ("preferred_time_window", b"-Infinity"),
        ("colour", b"NaN"),
        ("colour", b'"\xff"'),
        ("colour", b'"\\ud800"'),
        ("version", b"03"),
        ("version", b"9" * 5000),
        ("notes", b"'text'"),
        ("notes", b'"a\nb"'),
        ("notes", b'"a",'),
    ],
)
def test_json_that_is_not_quite_json(field: str, value: bytes) -> None:
    """Numbers that JSON does not have, broken UTF-8 and bottomless nesting are refused wherever they stand."""
    data = orjson.dumps({name: content for name, content in CALLBACK.items() if name != field})
    data = data[:-1] + b',"%b":%b}' % (field.encode(), value)
    whole = orjson.dumps(envelope("callback.requested", "DATA")).replace(b'"DATA"', data)
    refused = {RefusedReason.INVALID_JSON, RefusedReason.INVALID_DATA}
    assert outcome(Kafka(whole, headers=STRUCTURED)) in refused
    assert outcome(binary("callback.requested", {})._replace(value=data)) in refused


def test_broken_utf8_in_an_attribute_that_nobody_reads() -> None:
    """A value that is not UTF-8 is refused even where only its unknown attributes are at fault."""
    value = orjson.dumps(envelope("callback.requested", CALLBACK, colour="X")).replace(b'"X"', b'"\xff"')
    assert outcome(Kafka(value, headers=STRUCTURED)) is RefusedReason.INVALID_JSON


@pytest.mark.parametrize("count", [10, 1_000, 50_000])
def test_very_many_errors_are_not_all_listed(count: int) -> None:
    """An event in which everything is wrong is refused with a short explanation."""
    record = structured("callback.requested", CALLBACK | {"extra": dict.fromkeys(map(str, range(count)), 1)})
    with pytest.raises(Refused) as caught:
        decode("booking.callbacks", record)
    assert caught.value.reason is RefusedReason.INVALID_DATA
    assert len(caught.value.detail) < 1_001


def test_the_last_of_two_equal_keys_counts() -> None:
    """Of a key that occurs twice the last counts, and what counts is checked against the record's key."""
    data = orjson.dumps(CALLBACK)[:-1] + b',"version":8,"company_id":"co-8"}'
    whole = Kafka(orjson.dumps(envelope("callback.requested", "DATA", partitionkey=None)).replace(b'"DATA"', data))
    assert outcome(whole) is RefusedReason.KEY_MISMATCH
    event = decode("booking.callbacks", whole._replace(key=b"co-8"))
    assert event.company_id == "co-8"
    assert isinstance(event.data, Callback)
    assert event.data.version == 8


def test_headers_are_read_with_care() -> None:
    """An envelope in headers that are not UTF-8, or hold a NUL, is not read."""
    record = binary("callback.requested", CALLBACK)
    assert record.headers is not None
    for id in (b"\xff", b"a\0b"):
        headers = [(name, id if name == "ce_id" else value) for name, value in record.headers]
        assert outcome(record._replace(headers=headers)) is RefusedReason.NOT_A_CLOUDEVENT
