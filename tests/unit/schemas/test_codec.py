"""How a record becomes an event, and an event a record."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from msgspec.structs import replace

from schemas import EVENT_TYPES, Ignored, decode, needed_headers
from schemas.appointments import Appointment, AppointmentDeleted
from schemas.callbacks import Callback
from schemas.envelope import MAX_VALUE_BYTES
from schemas.reasons import RefusedReason
from tests.unit.schemas.examples import APPOINTMENT, CALLBACK, DECISION, DELETED, EXAMPLES
from tests.unit.schemas.generated import messages
from tests.unit.schemas.records import (
    NOW,
    STRUCTURED,
    Kafka,
    binary,
    envelope,
    read,
    refused,
    structured,
    topic_of,
    written,
)


def test_every_type_has_an_example_that_fills_every_field() -> None:
    """Every message of the contract can be read with all its fields."""
    assert EXAMPLES.keys() == EVENT_TYPES.keys()
    for name, data in EXAMPLES.items():
        event = read(name, data)
        unset = type(event.data).model_fields.keys() - event.data.model_fields_set
        assert unset <= {"minutes_before"}, name  # excluded by days_before


def test_the_envelope_is_read() -> None:
    """An event carries the attributes of its envelope, with times in UTC."""
    event = read("callback.requested", CALLBACK, time="2026-11-22T10:00:00+01:00")
    assert (event.id, event.source, event.type) == ("01JD", "/booking/eu-1", "callback.requested")
    assert (event.time, event.subject, event.company_id) == (NOW, "callback/cb-1", "co-7")
    assert event.time is not None
    assert event.time.tzinfo is UTC
    assert isinstance(event.data, Callback)


@given(messages())
def test_what_is_written_reads_the_same(message: tuple[str, dict[str, Any]]) -> None:
    """Whatever an event holds, writing it and reading it again gives the same event."""
    name, data = message
    event = read(name, data)
    again = decode(topic_of(name), Kafka(written(name, event.data), headers=STRUCTURED))
    assert again.data == event.data


@given(messages())
def test_binary_mode_reads_the_same(message: tuple[str, dict[str, Any]]) -> None:
    """A producer may put the envelope into headers and the data into the value."""
    name, data = message
    assert decode(topic_of(name), binary(name, data)) == read(name, data)


@pytest.mark.parametrize("mode", [structured, binary])
def test_few_headers_are_needed(mode: Callable[..., Kafka]) -> None:
    """A record can be read with the headers that are needed for it alone, which are small, whatever others it has;
    only `time` and `subject` may lie in those."""
    record = mode("callback.requested", CALLBACK)
    large = b"x" * 2_000_000
    others = [("trace", large), ("ce_trace", large), ("ce_subject", large), ("ce_id", b"earlier"), ("", None)]
    record = record._replace(headers=[*others, *(record.headers or ())])
    needed = needed_headers(record)
    assert sum(len(name) + len(content) for name, content in needed) < 200
    again = decode("booking.callbacks", record._replace(headers=needed))
    whole = decode("booking.callbacks", record)
    assert again == replace(whole, time=again.time, subject=again.subject)


def test_a_mapping_is_written_like_the_model() -> None:
    """Plain values, with enums and datetimes among them, are written as the model would be."""
    event = read("callback.auto_assigned", DECISION)
    plain = event.data.model_dump() | {"note": None}
    expected = orjson.loads(written("callback.auto_assigned", event.data))
    del expected["data"]["note"]
    for candidate in plain["candidates"]:
        for name in [name for name, value in candidate.items() if value is None]:
            del candidate[name]
    assert orjson.loads(written("callback.auto_assigned", plain)) == expected
    assert expected["data"]["decided_at"] == "2026-11-22T09:00:00Z"


def test_what_is_written_is_a_structured_cloudevent() -> None:
    """A written event has the attributes of CloudEvents 1.0 and none that is null."""
    event = orjson.loads(written("callback.auto_assign", {"company_id": "co-7", "strategy": None}))
    assert event == {
        "specversion": "1.0",
        "id": "01JD",
        "source": "/staffetta/test",
        "type": "callback.auto_assign",
        "time": "2026-11-22T09:00:00Z",
        "partitionkey": "co-7",
        "datacontenttype": "application/json",
        "data": {"company_id": "co-7"},
    }


@pytest.mark.parametrize("headers", [None, [], [("traceparent", b"00-1")], [("content-type", None)]])
def test_an_event_without_a_content_type_is_recognised(headers: list[tuple[str, bytes | None]] | None) -> None:
    """A JSON object with `specversion` is an event even if no header says so."""
    record = structured("callback.requested", CALLBACK)._replace(headers=headers)
    assert decode("booking.callbacks", record).id == "01JD"


@pytest.mark.parametrize(
    "value", [b"hello", b"{", b"[]", b"{}", b"\xff\xfe", b'{"id": "1"}', orjson.dumps(CALLBACK)]
)
def test_what_no_header_calls_an_event_and_is_none(value: bytes) -> None:
    """Anything else without a content type is refused as not a CloudEvent."""
    assert refused("booking.callbacks", Kafka(value)).reason is RefusedReason.NOT_A_CLOUDEVENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"specversion": "0.3"},
        {"specversion": 1.0},
        {"id": ""},
        {"id": "x" * 256},
        {"id": 7},
        {"id": None},
        {"source": ""},
        {"type": None},
        {"time": "2026-11-22T09:00:00"},
        {"time": "yesterday"},
        {"time": "2026-11-22T09:00:60Z"},
        {"time": 1700000000},
        {"partitionkey": 7},
    ],
)
def test_a_broken_envelope_is_refused(wrong: dict[str, Any]) -> None:
    """An envelope that breaks CloudEvents' rules, or has a time without offset, is refused."""
    value = orjson.dumps(envelope("callback.requested", CALLBACK) | wrong)
    verdict = refused("booking.callbacks", Kafka(value, headers=STRUCTURED))
    assert (verdict.reason, verdict.type) == (RefusedReason.NOT_A_CLOUDEVENT, None)


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_required_attribute_is_missing(name: str) -> None:
    """Without one of the four required attributes a record is no CloudEvent, in either mode."""
    whole = envelope("callback.requested", CALLBACK)
    del whole[name]
    lacking = binary("callback.requested", CALLBACK)
    assert lacking.headers is not None
    lacking = lacking._replace(headers=[header for header in lacking.headers if header[0] != f"ce_{name}"])
    for record in (Kafka(orjson.dumps(whole), headers=STRUCTURED), lacking):
        assert refused("booking.callbacks", record).reason is RefusedReason.NOT_A_CLOUDEVENT


def test_optional_attributes_may_be_null_or_missing() -> None:
    """Null is read like absence in the envelope too."""
    event = read("callback.requested", CALLBACK, time=None, subject=None, partitionkey=None)
    assert (event.time, event.subject) == (None, None)


@pytest.mark.parametrize("value", [None, b""])
def test_a_record_without_a_value_is_refused(value: bytes | None) -> None:
    """A tombstone record means nothing here."""
    assert refused("booking.callbacks", Kafka(value)).reason is RefusedReason.EMPTY_VALUE


def test_an_event_without_data_is_refused() -> None:
    """Every type has data."""
    whole = envelope("callback.requested", CALLBACK)
    del whole["data"]
    assert refused("booking.callbacks", Kafka(orjson.dumps(whole))).reason is RefusedReason.INVALID_DATA


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("booking.callbacks", "callback.snoozed"),
        ("booking.callbacks", "appointment.created"),
        ("delivery.outcomes", "notification.attempt_due"),
        ("delivery.dead-letters", "notification.attempt_due"),
    ],
)
def test_a_type_that_the_topic_does_not_know_is_ignored(topic: str, name: str) -> None:
    """A producer's new type is skipped, whatever its data and key, so that it cannot flood the dead letters."""
    with pytest.raises(Ignored) as caught:
        decode(topic, structured(name, {"anything": 1})._replace(key=None), 12)
    assert caught.value.type == name


@pytest.mark.parametrize(
    "topic", ["delivery.email", "delivery.push.low", "delivery.sms.high", "delivery.retry.900"]
)
def test_an_attempt_travels_on_priority_and_delay_topics(topic: str) -> None:
    """What is due to be sent is read on each topic that it passes."""
    assert decode(topic, structured("notification.attempt_due", EXAMPLES["notification.attempt_due"])).id == "01JD"


def test_ids_and_version_suffice_to_delete_an_appointment() -> None:
    """`appointment.deleted` may carry the whole appointment or only say which one."""
    assert isinstance(read("appointment.deleted", APPOINTMENT).data, Appointment)
    assert isinstance(read("appointment.deleted", DELETED | {"appointment_id": "ap-1"}).data, AppointmentDeleted)


def test_an_appointment_with_something_wrong_is_no_bare_deletion() -> None:
    """A deleted appointment whose start cannot be read is refused, not taken for one without a start."""
    record = structured("appointment.deleted", {**APPOINTMENT, "starts_at": "soon"})
    assert refused("booking.appointments", record).reason is RefusedReason.INVALID_DATA
    assert refused("booking.appointments", structured("appointment.deleted", {"appointment_id": "ap-1"}))


def test_a_times_zone_does_not_change_the_moment() -> None:
    """Times are read into UTC and written with Z."""
    event = read("callback.requested", CALLBACK | {"requested_at": "2026-11-22T14:30:00.25+05:30"})
    assert isinstance(event.data, Callback)
    assert event.data.requested_at == datetime(2026, 11, 22, 9, 0, 0, 250000, tzinfo=UTC)
    assert orjson.loads(written("callback.requested", event.data))["data"]["requested_at"].endswith("Z")


@pytest.mark.parametrize(
    "text", ["2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", "2016-12-31T15:59:60-08:00"]
)
def test_a_leap_second_is_read_as_the_second_after_it(text: str) -> None:
    """RFC 3339 has leap seconds; in data and envelope, in either mode, they are not refused."""
    after = datetime(2017, 1, 1, tzinfo=UTC)
    for record in (
        structured("callback.requested", CALLBACK | {"requested_at": text}, time=text),
        binary("callback.requested", CALLBACK | {"requested_at": text}, time=text),
    ):
        event = decode("booking.callbacks", record)
        assert isinstance(event.data, Callback)
        assert (event.time, event.data.requested_at) == (after, after)


def test_never_is_a_time_that_can_be_computed_with() -> None:
    """The ends of the calendar, which some systems write for "never", have a local time in every zone."""
    for text in (
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ):
        event = read("callback.requested", CALLBACK | {"expires_at": text})
        assert isinstance(event.data, Callback)
        moment = event.data.expires_at
        assert moment is not None
        assert abs(moment.year - int(text[:4])) <= 1
        for hours in (-14, 14):
            moment.astimezone(timezone(timedelta(hours=hours)))


def test_a_record_that_is_too_large_is_refused() -> None:
    """What compresses well may be larger than anything that could be made of it; the limit itself passes."""
    fits = structured("callback.requested", CALLBACK)
    assert fits.value is not None
    padded = fits.value + b" " * (MAX_VALUE_BYTES - len(fits.value))
    assert decode("booking.callbacks", fits._replace(value=padded)).id == "01JD"
    problem = refused("booking.callbacks", fits._replace(value=padded + b" "))
    assert (problem.reason, problem.type) == (RefusedReason.TOO_LONG, None)
    assert problem.detail == "has 1500001 bytes, at most 1500000 are allowed"
