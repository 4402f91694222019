"""Customers who asked to be called back, as the booking system tells them."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import JsonValue

from schemas.base import ChangeEvent, Id, Instant, NullMeans, Text
from schemas.customer import Customer


class CallbackPriority(StrEnum):
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class CallbackStatus(StrEnum):
    PENDING = "pending"
    ASSIGNED = "assigned"
    CONTACTED = "contacted"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN = frozenset({CallbackStatus.PENDING, CallbackStatus.ASSIGNED})
"""Of a callback that somebody still has to make."""


class Callback(ChangeEvent):
    """`staff_id` is the preferred person, `assigned_to` who has it; `decision_id` names the decision of ours that
    this event applies. `assign: false` keeps it from being assigned on arrival."""

    callback_id: Id
    branch_id: Id
    service_id: Id | None = None
    staff_id: Id | None = None
    assigned_to: Id | None = None
    customer: Customer
    priority: CallbackPriority
    status: CallbackStatus
    requested_at: Instant
    expires_at: Instant | None = None
    preferred_time_window: JsonValue = None
    notes: Text | None = None
    decision_id: Id | None = None
    assign: Annotated[bool, NullMeans(True)] = True


def must_be(status: CallbackStatus) -> Callable[[Any], str | None]:
    """For an event type that says what the status is: what is wrong with a callback that says otherwise."""

    def contradiction(callback: Callback) -> str | None:
        return None if callback.status is status else f"status is {callback.status}, not {status}"

    return contradiction


def must_have_assignee(callback: Callback) -> str | None:
    return None if callback.assigned_to is not None else "assigned_to is missing"
