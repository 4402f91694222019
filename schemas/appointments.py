"""Appointments, as the booking system tells them."""

from enum import StrEnum
from typing import Annotated

from schemas.base import ChangeEvent, Id, Instant, Minutes, Notify, NullMeans, Text, Tombstone
from schemas.customer import Customer


class AppointmentStatus(StrEnum):
    BOOKED = "booked"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    NO_SHOW = "no_show"


class Appointment(ChangeEvent):
    appointment_id: Id
    branch_id: Id
    service_id: Id | None = None
    staff_id: Id | None = None
    customer: Customer
    starts_at: Instant
    duration_minutes: Minutes
    previous_starts_at: Instant | None = None
    status: AppointmentStatus
    notes: Text | None = None


class AppointmentDeleted(Tombstone):
    """`appointment.deleted` with nothing but the ids, the version and perhaps who may be told; a whole one is an
    `Appointment`."""

    appointment_id: Id
    notify: Annotated[Notify, NullMeans(Notify.ALL)] = Notify.ALL
