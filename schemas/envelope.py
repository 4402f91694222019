"""The codec: CloudEvents 1.0 by its Kafka protocol binding, structured JSON in and out, binary mode in.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.base import MAX_TEXT, Model, to_utc
from schemas.event_types import EVENT_TYPES, INTAKE_DEAD_LETTERS
from schemas.partitioner import murmur2_partition
from schemas.problems import named
from schemas.reasons import RefusedReason

SOURCE = "/staffetta"
"""Begins the `source` of our own events: `/staffetta/<role>`."""
CONTENT_TYPE_HEADER = ("content-type", b"application/cloudevents+json; charset=UTF-8")


class Record(Protocol):
    """What the codec needs of a Kafka record."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]] | None: ...
    @property
    def partition(self) -> int: ...


class Refused(Exception):  # noqa: N818 - a verdict on the record, not a fault of ours
    """The record cannot be applied and belongs into `intake.dead-letters`.

    `type` is the event's, or None where the envelope could not be read.
    """

    def __init__(self, reason: RefusedReason, detail: str, type: str | None = None) -> None:
        super().__init__(reason, detail, type)
        self.reason = reason
        self.detail = detail
        self.type = type


class Ignored(Exception):  # noqa: N818 - as above
    """`type` is not one of the topic's: a newer producer may send it, so it is skipped and counted."""

    def __init__(self, type: str) -> None:
        super().__init__(type)
        self.type = type


class Event(msgspec.Struct, frozen=True):
    """A record read and checked. `company_id` is empty for the few types that belong to no company."""

    id: str
    source: str
    type: str
    time: datetime | None
    subject: str | None
    company_id: str
    data: BaseModel


MAX_VALUE_BYTES = 1_500_000
"""Of any record but a dead letter. Who compresses gets more past the brokers than what is made of it could get
back."""

_Attribute = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Attributes(msgspec.Struct, frozen=True):
    specversion: Literal["1.0"]
    id: _Attribute
    source: _Attribute
    type: _Attribute
    time: str | None = None
    subject: str | None = None
    partitionkey: str | None = None


_REQUIRED = ("specversion", "id", "source", "type")


class _Structured(_Attributes, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Outgoing(msgspec.Struct, omit_defaults=True, tag_field="specversion", tag="1.0"):
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str
    data: Any
    subject: str | None = None
    partitionkey: str | None = None


_STRUCTURED = b"application/cloudevents+json"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

_read_structured = msgspec.json.Decoder(_Structured).decode
_read_json = msgspec.json.Decoder(msgspec.Raw).decode
_write = msgspec.json.Encoder().encode


def decode(topic: str, record: Record, partitions: int | None = None) -> Event:
    """The event in a record of `topic` (the contract's name, without prefix).

    With `partitions`, the topic's partition count, the record must also lie where its key belongs. Of a JSON key
    that occurs twice the last one counts, as with most readers (RFC 8259, section 4).

    Raises:
        Refused: it cannot be applied, with the reason.
        Ignored: its type is not known on this topic.
    """
    value = record.value
    if not value:
        raise Refused(RefusedReason.EMPTY_VALUE, "the record has no value")
    if len(value) > MAX_VALUE_BYTES and topic != INTAKE_DEAD_LETTERS:
        raise Refused(RefusedReason.TOO_LONG, f"has {len(value)} bytes, at most {MAX_VALUE_BYTES} are allowed")
    attributes, raw = _unwrap(value, record.headers or ())
    time = _time(attributes.time)
    kind = EVENT_TYPES.get(attributes.type)
    if kind is None or not kind.travels_on(topic):
        raise Ignored(attributes.type)
    try:
        if b"\\u0000" in value and _NUL.search(value):
            raise Refused(
                RefusedReason.INVALID_DATA, "contains the character U+0000, which PostgreSQL cannot store"
            )
        data = _read_data(raw, kind.model, kind.tombstone)
        company_id: str | None = getattr(data, "company_id", None)
        if kind.keyed or company_id is not None:
            _check_key(record, attributes.partitionkey, company_id, partitions)
        if kind.contradiction is not None and (what := kind.contradiction(data)) is not None:
            raise Refused(RefusedReason.INCONSISTENT, what)
    except Refused as refused:
        refused.type = attributes.type
        raise
    return Event(
        attributes.id, attributes.source, attributes.type, time, attributes.subject, company_id or "", data
    )


def needed_headers(record: Record) -> list[tuple[str, bytes]]:
    """Those without which a record that was read could not be read again: a thousand bytes or so, however large
    the others are. `time` and `subject`, where they are among the headers, go with those."""
    found = _in_headers(record.headers or ()) or {}
    return [(f"ce_{name}", found[name]) for name in _REQUIRED if name in found] or [CONTENT_TYPE_HEADER]


def encode(
    type: str,
    *,
    id: str,
    source: str,
    time: datetime,
    subject: str | None,
    company_id: str | None,
    data: BaseModel | Mapping[str, Any],
) -> bytes:
    """The event in structured mode; fields that are None are left out. `company_id` is the partition key, if any.

    A mapping is the fast way for large decisions. It holds what JSON can say, enums, and aware datetimes in UTC;
    only its own fields are looked at for None, not those of mappings within it.
    """
    content: Any
    if isinstance(data, BaseModel):
        content = msgspec.Raw(data.__pydantic_serializer__.to_json(data, exclude_none=True, by_alias=True))
    else:
        content = {name: value for name, value in data.items() if value is not None}
    return _write(_Outgoing(id, source, type, time, "application/json", content, subject, company_id))


def _unwrap(value: bytes, headers: Sequence[tuple[str, bytes | None]]) -> tuple[_Attributes, bytes]:
    """The envelope's attributes and the JSON of its data, in whichever mode the record is."""
    in_headers = _in_headers(headers)
    if in_headers is None:
        return _unwrap_structured(value, RefusedReason.INVALID_JSON)
    if in_headers:
        return _unwrap_binary(value, in_headers)
    return _unwrap_structured(value, RefusedReason.NOT_A_CLOUDEVENT)


def _in_headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes] | None:
    """The attributes of binary mode; None: it is said to be structured."""
    found: dict[str, bytes] = {}
    for name, content in headers:
        if content is None:
            continue
        if name == "content-type" and content.startswith(_STRUCTURED):
            return None
        if name.startswith("ce_") and b"\0" not in content:
            found[name.removeprefix("ce_")] = content
    return found


def _unwrap_structured(value: bytes, unreadable: RefusedReason) -> tuple[_Attributes, bytes]:
    try:
        value.decode()  # attributes that are not ours are skipped unread
        event = _read_structured(value)
    except msgspec.ValidationError as error:
        raise Refused(RefusedReason.NOT_A_CLOUDEVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(unreadable, str(error)) from None
    return event, bytes(event.data)


def _unwrap_binary(value: bytes, headers: Mapping[str, bytes]) -> tuple[_Attributes, bytes]:
    try:
        text = {name: content.decode() for name, content in headers.items()}
        attributes = msgspec.convert(text, _Attributes)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Refused(RefusedReason.NOT_A_CLOUDEVENT, str(error)) from None
    try:
        return attributes, bytes(_read_json(value))  # pydantic alone would take NaN
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(RefusedReason.INVALID_JSON, str(error), attributes.type) from None


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else to_utc(text)
    except ValueError as error:
        raise Refused(RefusedReason.NOT_A_CLOUDEVENT, f"time: {error}") from None


def _read_data(raw: bytes, model: type[Model], tombstone: type[Model] | None) -> Model:
    try:
        data: Model = model.__pydantic_validator__.validate_json(raw)
        return data
    except ValidationError as error:
        if error.error_count() > 100:  # to list a megabyte of them would hold up its neighbours
            raise Refused(RefusedReason.INVALID_DATA, f"{error.error_count()} errors") from None
        problems = error.errors(include_url=False, include_input=False)
    if tombstone is not None and all(problem["type"] == "missing" for problem in problems):
        return _read_data(raw, tombstone, None)
    detail = named(problems)
    if problems[0]["type"] == "json_invalid":
        raise Refused(RefusedReason.INVALID_JSON, detail)
    if all(problem.get("ctx", {}).get("max_length", 0) >= MAX_TEXT for problem in problems):
        raise Refused(RefusedReason.TOO_LONG, detail)
    raise Refused(RefusedReason.INVALID_DATA, detail)


def _check_key(record: Record, partitionkey: str | None, company_id: str | None, partitions: int | None) -> None:
    key = record.key
    if not key:
        raise Refused(RefusedReason.KEY_MISMATCH, "the record has no key")
    if company_id is None or key != company_id.encode():
        raise Refused(RefusedReason.KEY_MISMATCH, "the key is not data.company_id")
    if partitionkey is not None and partitionkey != company_id:
        raise Refused(RefusedReason.KEY_MISMATCH, "partitionkey is not the key")
    if partitions is not None and (right := murmur2_partition(key, partitions)) != record.partition:
        raise Refused(RefusedReason.WRONG_PARTITION, f"its key belongs into partition {right} of {partitions}")
