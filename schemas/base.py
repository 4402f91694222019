"""What all messages share: the model's rules and the types of single fields."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

T = TypeVar("T")

MAX_TEXT = 10_000
MAX_HTML_BYTES = 256 * 1024
FOURTEEN_DAYS_IN_SECONDS = 14 * 86_400
MAX_RETRIES = 50
YEAR_IN_MINUTES = 366 * 1440

_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
_LATEST = datetime(9998, 12, 31, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_PARTS = re.compile(r"([0-9-]{10}[Tt ][0-9:]{5}):([0-9]{2})((?:\.[0-9]+)?)([Zz]|[+-][0-9]{2}:[0-9]{2})")
_MICROSECONDS = len(".123456")
"""Finer fractions are rounded, but for the last of the calendar (.NET's `DateTime.MaxValue`), which are cut."""


class Model(BaseModel):
    """Frozen and strict: "3", 3.0 and true are no integers. Unknown fields are left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", serialize_by_alias=True)


def to_utc(value: Any) -> datetime:
    """RFC 3339 text or an aware datetime, in UTC; anything else, a naive time too, is a ValueError.

    A leap second, which RFC 3339 has and `datetime` has not, is read as the second that follows it, as in POSIX.
    "Never" as 9999-12-31 or 0001-01-01 is moved inwards, so that it has a local time in every zone.
    """
    if isinstance(value, str):
        value = _read_time(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("a time is text in the form of RFC 3339, with an offset")
    if value.tzinfo is not UTC:
        try:
            value = value.astimezone(UTC)
        except OverflowError:
            return _LATEST if value.year > _LATEST.year else _EARLIEST
    moment: datetime = value
    return max(_EARLIEST, min(moment, _LATEST))


def _read_time(text: str) -> datetime:
    try:
        return msgspec.convert(text, datetime)  # stricter than pydantic, which takes "1700000000" as well
    except msgspec.ValidationError:
        if (parts := _PARTS.fullmatch(text)) is None:
            raise
    minute, second, fraction, offset = parts.groups()
    if second == "60":
        return _after_leap_second(f"{minute}:59{offset}")
    return msgspec.convert(f"{minute}:{second}{fraction[:_MICROSECONDS]}{offset}", datetime)


def _after_leap_second(before: str) -> datetime:
    try:
        moment = msgspec.convert(before, datetime).astimezone(UTC) + _SECOND
    except OverflowError:
        raise ValueError("there is no such moment") from None
    if moment.strftime("%d %H:%M:%S") != "01 00:00:00":
        raise ValueError("a leap second is the last one of a month, in UTC")
    return moment


class _InUtc:
    """Reads a time with `to_utc` alone, and writes it natively: twice as fast as pydantic's `PlainValidator`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(to_utc)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


def is_id(text: str) -> bool:
    """Whether it could be an entity's id."""
    return 1 <= len(text) <= LONGEST_ID and re.match(IDENTIFIER, text) is not None and text[-1] != "\n"


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _known_zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("not a time zone of the IANA database")
    return name


def _bounded_html(html: str) -> str:
    if len(html) > MAX_HTML_BYTES or len(html.encode()) > MAX_HTML_BYTES:
        raise PydanticCustomError(
            "string_too_long", "HTML should have at most {max_length} bytes", {"max_length": MAX_HTML_BYTES}
        )
    return html


@dataclass(frozen=True, slots=True)
class NullMeans:
    """For an optional field whose default is not None: null in JSON is read as `default`, like absence."""

    default: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        nullable = core_schema.nullable_schema(handler(source))
        return core_schema.no_info_after_validator_function(self._replace_null, nullable)

    def _replace_null(self, value: Any) -> Any:
        return self.default if value is None else value


IDENTIFIER = r"^[A-Za-z0-9._:-]*$"
HTTPS = r"^https://[^\s<>\x22]+$"
HASH = r"^[0-9a-f]{64}$"
WALL_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"

LONGEST_ID = 64

Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=IDENTIFIER)]
EventId = Annotated[str, Field(min_length=1, max_length=255)]
"""The CloudEvents id of an event, which a foreign producer forms as it likes."""
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Html = Annotated[str, AfterValidator(_bounded_html)]
HttpsUrl = Annotated[str, Field(max_length=2048, pattern=HTTPS)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
WallTime = Annotated[str, Field(pattern=WALL_TIME)]
Instant = Annotated[datetime, _InUtc()]
"""RFC 3339 with offset in JSON; an aware datetime in UTC here."""
Natural = Annotated[int, Field(ge=0, le=2**63 - 1)]
Minutes = Annotated[int, Field(ge=0, le=YEAR_IN_MINUTES)]
Seconds = Annotated[int, Field(ge=1, le=FOURTEEN_DAYS_IN_SECONDS)]
"""A delay: a second at least, for what failed just now fails at once again; none is longer than the delay topics
keep their records."""
Several = Annotated[tuple[T, ...], Field(fail_fast=True)]
Schedule = Annotated[Several[Seconds], Field(max_length=MAX_RETRIES)]
"""One retry after each of these delays; none at all if it is empty."""


class Notify(StrEnum):
    """Who may be told of a change at all: an import must be able to be silent."""

    ALL = "all"
    STAFF = "staff"
    NONE = "none"


class Links(Model):
    """Where the customer can act on the appointment."""

    manage: HttpsUrl | None = None
    cancel: HttpsUrl | None = None
    reschedule: HttpsUrl | None = None


class ChangeEvent(Model):
    """The whole entity after a change. `version` grows by entity; an older or equal one changes nothing."""

    company_id: Id
    version: Natural
    notify: Annotated[Notify, NullMeans(Notify.ALL)] = Notify.ALL
    extra: Annotated[dict[str, Text], NullMeans({})] = Field(default_factory=dict)
    links: Links | None = None


class Tombstone(Model):
    """A deletion: ids and version suffice. The version stays known, so that nothing older revives the entity."""

    company_id: Id
    version: Natural
