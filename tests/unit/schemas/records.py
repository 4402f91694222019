"""Kafka records made of messages."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
import pytest
from pydantic import BaseModel

from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES, Event, Refused, decode, encode


class Kafka(NamedTuple):
    """A Kafka record."""

    value: bytes | None
    key: bytes | None = b"co-7"
    headers: list[tuple[str, bytes | None]] | None = None
    partition: int = 0


STRUCTURED: list[tuple[str, bytes | None]] = [CONTENT_TYPE_HEADER]


def envelope(type: str, data: Any, **attributes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "01JD",
        "source": "/booking/eu-1",
        "type": type,
        "time": "2026-11-22T09:00:00Z",
        "subject": "callback/cb-1",
        "partitionkey": "co-7",
        "datacontenttype": "application/json",
        "data": data,
    } | attributes


def structured(type: str, data: Any, **attributes: Any) -> Kafka:
    return Kafka(orjson.dumps(envelope(type, data, **attributes)), headers=STRUCTURED)


def binary(type: str, data: Any, **attributes: str) -> Kafka:
    whole = envelope(type, None, **attributes)
    headers: list[tuple[str, bytes | None]] = [("content-type", b"application/json")]
    headers += [(f"ce_{name}", value.encode()) for name, value in whole.items() if isinstance(value, str)]
    return Kafka(orjson.dumps(data), headers=headers)


def topic_of(type: str) -> str:
    return EVENT_TYPES[type].topic or "delivery.email.high"


def read(type: str, data: Any, **attributes: Any) -> Event:
    return decode(topic_of(type), structured(type, data, **attributes))


NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def written(type: str, data: BaseModel | dict[str, Any], company_id: str | None = "co-7") -> bytes:
    return encode(
        type, id="01JD", source="/staffetta/test", time=NOW, subject=None, company_id=company_id, data=data
    )


def refused(topic: str, record: Kafka, partitions: int | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(topic, record, partitions)
    return caught.value
