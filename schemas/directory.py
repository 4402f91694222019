"""The company's own data: branches, services, people, and how each of them is deleted."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.base import (
    ChangeEvent,
    Id,
    Instant,
    Minutes,
    Model,
    Natural,
    NullMeans,
    Several,
    Text,
    Tombstone,
    WallTime,
    ZoneName,
)
from schemas.reasons import Strategy

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of `datetime.weekday()`."""


ShiftEnd = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]


class Shift(NamedTuple):
    """Working time within one day, as wall-clock text of the branch, half-open: `start <= HH:MM < end`."""

    start: str
    end: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # pydantic's own reading of a named tuple would take {"start": …, "end": …} as well
        return core_schema.no_info_after_validator_function(_shift, handler(tuple[WallTime, ShiftEnd]))


def _shift(pair: tuple[str, str]) -> Shift:
    shift = Shift(*pair)
    if shift.start >= shift.end:
        raise ValueError("a shift must begin before it ends; a night shift is two entries")
    return shift


Shifts = Annotated[Several[Shift], NullMeans(())]


class WorkingHours(Model):
    """The week. A day that is absent is not worked; a day of another name refuses the event."""

    model_config = ConfigDict(extra="forbid")

    mon: Shifts = ()
    tue: Shifts = ()
    wed: Shifts = ()
    thu: Shifts = ()
    fri: Shifts = ()
    sat: Shifts = ()
    sun: Shifts = ()

    def on(self, weekday: int) -> tuple[Shift, ...]:
        """The shifts of a day, Monday being 0."""
        shifts: tuple[Shift, ...] = getattr(self, WEEKDAYS[weekday])
        return shifts


class Absence(Model):
    """Away while `from_ <= t < until`."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    from_: Instant = Field(alias="from")
    until: Instant


class QuietHours(Model):
    """Wall-clock times, past midnight if `end` is the smaller; none if both are equal."""

    start: WallTime
    end: WallTime


class Company(ChangeEvent):
    name: Text
    locale: Text
    timezone: ZoneName
    sender_name: Text | None = None
    reply_to: Text | None = None
    quiet_hours: QuietHours | None = None


class Branch(ChangeEvent):
    branch_id: Id
    name: Text
    timezone: ZoneName
    auto_assign: bool
    strategy: Strategy
    address: Text | None = None
    phone: Text | None = None
    sender_name: Text | None = None
    reply_to: Text | None = None
    quiet_hours: QuietHours | None = None


class Service(ChangeEvent):
    """A confidential one is never named in any message."""

    service_id: Id
    name: Text
    duration_minutes: Minutes
    confidential: Annotated[bool, NullMeans(False)] = False


class Staff(ChangeEvent):
    """A person who takes callbacks. `working_hours` of None: always; an empty week: never."""

    staff_id: Id
    name: Text
    email: Text | None = None
    phone: Text | None = None
    branch_ids: Several[Id]
    service_ids: Several[Id]
    is_active: bool
    accepts_callbacks: bool
    max_active_callbacks: Natural | None = None
    working_hours: WorkingHours | None = None
    absences: Annotated[Several[Absence], NullMeans(())] = ()


class CompanyDeleted(Tombstone):
    pass


class BranchDeleted(Tombstone):
    branch_id: Id


class ServiceDeleted(Tombstone):
    service_id: Id


class StaffDeleted(Tombstone):
    staff_id: Id
