"""The codec: CloudEvents 1.0 in structured JSON (in and out) and in binary mode (in), by the Kafka protocol binding.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec
from pydantic import BaseModel, ValidationError

from schemas.base import Model, to_utc
from schemas.event_types import EVENT_TYPES, EventType
from schemas.partitioner import murmur2_partition
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
    def headers(self) -> Sequence[tuple[str, bytes]] | None: ...
    @property
    def partition(self) -> int: ...


class Refused(Exception):  # noqa: N818 - a verdict on the record, not a fault of ours
    """The record cannot be applied and belongs into `intake.dead-letters`. `detail` repeats no content of it."""

    def __init__(self, reason: RefusedReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Ignored(Exception):  # noqa: N818
    """The type is not one of the topic's: a newer producer may send it, it is skipped and counted."""

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


_Attribute = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class _Envelope(msgspec.Struct, frozen=True):
    specversion: Literal["1.0"]
    id: _Attribute
    source: _Attribute
    type: _Attribute
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    subject: str | None = None
    partitionkey: str | None = None
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
_read_envelope = msgspec.json.Decoder(_Envelope).decode
_read_raw = msgspec.json.Decoder(msgspec.Raw).decode
_write = msgspec.json.Encoder().encode


def decode(topic: str, record: Record, partitions: int | None = None) -> Event:
    """The event in a record of `topic` (the contract's name, without prefix).

    With `partitions`, the topic's partition count, the record must also lie where its key belongs.

    Raises:
        Refused: it cannot be applied, with the reason.
        Ignored: its type is not known on this topic.
    """
    if not record.value:
        raise Refused(RefusedReason.EMPTY_VALUE, "the record has no value")
    envelope = _envelope(record.value, record.headers or ())
    kind = EVENT_TYPES.get(envelope.type)
    if kind is None or not kind.travels_on(topic):
        raise Ignored(envelope.type)
    data = _data(kind, bytes(envelope.data))
    company_id: str | None = getattr(data, "company_id", None)
    if kind.keyed or company_id is not None:
        _check_key(record, envelope.partitionkey, company_id, partitions)
    if kind.contradiction is not None and (what := kind.contradiction(data)) is not None:
        raise Refused(RefusedReason.INCONSISTENT, what)
    time = envelope.time
    if time is not None and time.tzinfo is not UTC:
        time = to_utc(time)
    return Event(envelope.id, envelope.source, envelope.type, time, envelope.subject, company_id or "", data)


def encode(
    type: str,
    *,
    id: str,
    source: str,
    time: datetime,
    subject: str | None,
    company_id: str,
    data: BaseModel | Mapping[str, Any],
) -> bytes:
    """The event in structured mode, fields that are None left out.

    A mapping must hold what JSON can say, and aware datetimes in UTC; it is the fast way for large decisions. Only
    its own fields are looked at for None, not those of mappings within it. An event of no company has an empty
    `company_id`.
    """
    plain: Any
    if isinstance(data, BaseModel):
        plain = msgspec.Raw(data.__pydantic_serializer__.to_json(data, exclude_none=True, by_alias=True))
    else:
        plain = {name: value for name, value in data.items() if value is not None}
    return _write(_Outgoing(id, source, type, time, "application/json", plain, subject, company_id or None))


def _envelope(value: bytes, headers: Sequence[tuple[str, bytes]]) -> _Envelope:
    for name, header in headers:
        if name == "content-type" and header.startswith(_STRUCTURED):
            return _structured(value, RefusedReason.INVALID_JSON)
    attributes = {name: header for name, header in headers if name.startswith("ce_") and header is not None}
    if attributes:
        return _binary(value, attributes)
    return _structured(value, RefusedReason.NOT_A_CLOUDEVENT)


def _structured(value: bytes, if_no_json: RefusedReason) -> _Envelope:
    try:
        return _read_envelope(value)
    except msgspec.ValidationError as error:
        raise Refused(RefusedReason.NOT_A_CLOUDEVENT, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(if_no_json, str(error)) from None


def _binary(value: bytes, headers: Mapping[str, bytes]) -> _Envelope:
    try:
        attributes = {name.removeprefix("ce_"): header.decode() for name, header in headers.items()}
        envelope = msgspec.convert(attributes, _Envelope)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Refused(RefusedReason.NOT_A_CLOUDEVENT, str(error)) from None
    try:
        return msgspec.structs.replace(envelope, data=_read_raw(value))
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(RefusedReason.INVALID_JSON, str(error)) from None


def _data(kind: EventType, raw: bytes) -> Model:
    try:
        return kind.model.__pydantic_validator__.validate_json(raw)  # type: ignore[no-any-return]
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    kinds = {problem["type"] for problem in problems}
    if kind.tombstone is not None and kinds == {"missing"}:
        return _data(EventType(kind.tombstone, kind.topic), raw)
    detail = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'data'}: {p['msg']}" for p in problems[:3])
    if kinds == {"json_invalid"}:
        raise Refused(RefusedReason.INVALID_JSON, detail)
    raise Refused(RefusedReason.TOO_LONG if kinds == {"string_too_long"} else RefusedReason.INVALID_DATA, detail)


def _check_key(record: Record, partitionkey: str | None, company_id: str | None, partitions: int | None) -> None:
    key = record.key
    if not key:
        raise Refused(RefusedReason.KEY_MISMATCH, "the record has no key")
    if company_id is None or key != company_id.encode():
        raise Refused(RefusedReason.KEY_MISMATCH, "the key is not data.company_id")
    if partitionkey is not None and partitionkey != company_id:
        raise Refused(RefusedReason.KEY_MISMATCH, "partitionkey is not the key")
    if partitions is not None and murmur2_partition(key, partitions) != record.partition:
        raise Refused(
            RefusedReason.WRONG_PARTITION,
            f"in partition {record.partition}, not {murmur2_partition(key, partitions)} of {partitions}",
        )
