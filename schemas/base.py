"""What all messages share: the model's rules and the types of single fields."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

T = TypeVar("T")

MAX_TEXT = 10_000
MAX_HTML_BYTES = 256 * 1024
FOURTEEN_DAYS_IN_SECONDS = 14 * 86_400
YEAR_IN_MINUTES = 366 * 1440

_EARLIEST = datetime(1, 1, 3, tzinfo=UTC)
_LATEST = datetime(9999, 12, 29, tzinfo=UTC)
_WITH_OFFSET = Annotated[datetime, msgspec.Meta(tz=True)]


class Model(BaseModel):
    """Frozen; JSON types are taken as they are ("3", 3.0 and true are no integers); unknown fields are left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", serialize_by_alias=True)


def to_utc(value: Any) -> Any:
    """RFC 3339 text or an aware datetime, in UTC.

    pydantic alone would also take "1700000000" and times without seconds. "Never" as 9999-12-31 or 0001-01-01 is
    moved inwards, so that it has a local time in every zone.
    """
    if isinstance(value, str):
        value = msgspec.convert(value, _WITH_OFFSET)
    if not isinstance(value, datetime) or value.tzinfo is None:
        return value
    if not _EARLIEST < value < _LATEST:
        return _EARLIEST if value <= _EARLIEST else _LATEST
    return value.astimezone(UTC)


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
        raise PydanticCustomError("string_too_long", "HTML should have at most 262144 bytes")
    return html


def null_means(default: object) -> BeforeValidator:
    """For an optional field whose default is not None: null is read like an absent field."""
    take: Callable[[Any], Any] = lambda value: default if value is None else value  # noqa: E731
    return BeforeValidator(take)


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
EventId = Annotated[str, Field(min_length=1, max_length=255)]
"""The CloudEvents id of an event, which a foreign producer forms as it likes."""
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Html = Annotated[str, AfterValidator(_bounded_html)]
HttpsUrl = Annotated[str, Field(max_length=2048, pattern=r"^https://[^\s<>\x22]+$")]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Instant = Annotated[AwareDatetime, BeforeValidator(to_utc)]
"""RFC 3339 with offset in JSON; an aware datetime in UTC here."""
Natural = Annotated[int, Field(ge=0, le=2**63 - 1)]
Minutes = Annotated[int, Field(ge=0, le=YEAR_IN_MINUTES)]
Seconds = Annotated[int, Field(ge=0, le=FOURTEEN_DAYS_IN_SECONDS)]
"""A delay; none is longer than the delay topics keep their records."""
Several = Annotated[tuple[T, ...], Field(fail_fast=True)]


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
    notify: Annotated[Notify, null_means(Notify.ALL)] = Notify.ALL
    extra: Annotated[dict[str, Text], null_means({})] = {}
    links: Links | None = None


class Tombstone(Model):
    """A deletion: the entity's ids and version suffice. The version stays known, so that an older event cannot bring it back."""

    company_id: Id
    version: Natural
