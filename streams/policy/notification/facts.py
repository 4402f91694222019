"""What a message may speak of: an appointment or callback as it stood when something happened.

These are values of our own, apart from the contract's models, because they also rest as bytes in the state: while
a decision is still to come, or while a message waits for its branch.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.appointments import Appointment
from schemas.base import Links
from schemas.callbacks import Callback
from schemas.customer import Customer
from streams.policy.notification.lines import one_line


class Person(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The customer: who, and where and how to write to them. Addresses as received."""

    id: str
    name: str
    email: str | None
    locale: str | None
    phone: str | None
    zone: str | None = None
    """As received."""
    push: dict[str, Any] | None = None
    """As received, too."""


class Urls(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where the customer can act."""

    manage: str | None = None
    cancel: str | None = None
    reschedule: str | None = None


class Facts(msgspec.Struct, array_like=True, frozen=True):
    """An appointment or a callback. `staff_id` is who the appointment is with, or whom the caller would prefer;
    `customer` is None once the person was erased."""

    type: str
    id: str
    version: int
    status: str
    branch_id: str
    service_id: str | None
    staff_id: str | None
    customer: Person | None
    links: Urls
    starts_at: datetime | None = None
    duration_minutes: int = 0
    previous_starts_at: datetime | None = None
    priority: str | None = None
    expires_at: datetime | None = None
    extra: dict[str, str] = {}
    """What own templates can mention as `extra.<name>`; one line each."""
    at: float = 0.0
    """Since when it stands so: the time of its event's record, in seconds."""

    def without_person(self) -> "Facts":
        """With nothing in it that leads to the customer: their links are addresses too."""
        return replace(self, customer=None, links=Urls(), extra={})

    def seen_by_customer(self) -> tuple[object, ...]:
        """What the customer sees of an appointment; a change of anything else is told to nobody."""
        return (
            self.starts_at,
            self.duration_minutes,
            self.branch_id,
            self.service_id,
            self.staff_id,
            self.status,
        )


def of_appointment(appointment: Appointment, at: float) -> Facts:
    return Facts(
        type="appointment",
        id=appointment.appointment_id,
        version=appointment.version,
        status=appointment.status,
        branch_id=appointment.branch_id,
        service_id=appointment.service_id,
        staff_id=appointment.staff_id,
        customer=_person(appointment.customer),
        links=_urls(appointment.links),
        starts_at=appointment.starts_at,
        duration_minutes=appointment.duration_minutes,
        previous_starts_at=appointment.previous_starts_at,
        extra=_extra(appointment.extra),
        at=at,
    )


def of_callback(callback: Callback, at: float) -> Facts:
    return Facts(
        type="callback",
        id=callback.callback_id,
        version=callback.version,
        status=callback.status,
        branch_id=callback.branch_id,
        service_id=callback.service_id,
        staff_id=callback.staff_id,
        customer=_person(callback.customer),
        links=_urls(callback.links),
        priority=callback.priority,
        expires_at=callback.expires_at,
        extra=_extra(callback.extra),
        at=at,
    )


def _person(customer: Customer) -> Person:
    return Person(
        customer.customer_id,
        customer.name,
        customer.email,
        customer.locale,
        customer.phone,
        customer.timezone,
        None if customer.push is None else customer.push.model_dump(exclude_none=True),
    )


def _extra(extra: Mapping[str, str]) -> dict[str, str]:
    """Without what no template could name."""
    return {name: one_line(text) for name, text in extra.items() if name.isidentifier()}


def _urls(links: Links | None) -> Urls:
    return Urls() if links is None else Urls(links.manage, links.cancel, links.reschedule)
