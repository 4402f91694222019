"""Column types that mean the same on SQLite, PostgreSQL and MariaDB, and take any value a message can hold.

What a database would refuse is changed here, always in the same way: a row that cannot be written would hold
up every row behind it.
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import JSON, BigInteger, Dialect, LargeBinary, String, Text
from sqlalchemy.dialects.mysql import DATETIME, LONGBLOB, LONGTEXT, VARCHAR
from sqlalchemy.types import DateTime, TypeDecorator, TypeEngine

MYSQL = ("mysql", "mariadb")
LONGEST_TEXT = 10_000

# PostgreSQL takes no NUL in text, and no encoding has lone surrogates.
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_LARGEST = 2**63 - 1
_EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


def clean(text: str) -> str:
    return _REFUSED.sub("\ufffd", text)


class Name(TypeDecorator[str]):
    """An identifier or an enum's value: compared byte by byte, so that case matters everywhere."""

    impl = String
    cache_ok = True

    def __init__(self, length: int = 64) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(String(self.length, collation="C"))
        if dialect.name in MYSQL:
            return dialect.type_descriptor(VARCHAR(self.length, collation="utf8mb4_bin"))
        return dialect.type_descriptor(String(self.length))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text = clean(str(value))
        if len(text) <= self.length:
            return text
        # Two long names with the same beginning stay two.
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return f"{text[: self.length - 17]}~{digest}"


class Words(TypeDecorator[str]):
    """Free text; what is beyond 10 000 characters is cut."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(str(value)[:LONGEST_TEXT])


class Raw(TypeDecorator[bytes]):
    """Bytes as they are, of any length a record can have."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LONGBLOB() if dialect.name in MYSQL else LargeBinary())


class Whole(TypeDecorator[int]):
    """An integer of 64 bits; a larger one is the largest there is."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        return None if value is None else max(-_LARGEST, min(_LARGEST, value))


class Moment(TypeDecorator[datetime]):
    """An aware datetime, in UTC, with microseconds, from the year 1000 on (MariaDB's first)."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name in MYSQL:
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        within = max(_EARLIEST, min(_LATEST, value)).astimezone(UTC)
        return within if dialect.name == "postgresql" else within.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """JSON: the database's own type where it has one. MariaDB's refuses more than 32 levels: text there."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_JsonText() if dialect.name in MYSQL else JSON(none_as_null=True))


class _JsonText(TypeDecorator[Any]):
    impl = LONGTEXT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else dump_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


def dump_json(value: Any) -> str:
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate, an integer beyond 64 bits
        return orjson.dumps(_clean_json(value)).decode()
    return orjson.dumps(_clean_json(value)).decode() if "\\u0000" in text else text


def _clean_json(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case int() if abs(value) > _LARGEST:
            return str(value)
        case list() | tuple():
            return [_clean_json(each) for each in value]
        case dict():
            return {clean(str(name)): _clean_json(each) for name, each in value.items()}
        case _:
            return value
