"""A trigger: somebody is to be told of something, unless there is a reason why not.

It carries all that is needed to write the message later, so that it can wait for its branch.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from schemas.reasons import Audience, IntakeResult, Suppression
from streams.policy.notification.facts import Facts

CANCELLED = "cancelled"
ENDED = {"appointment.cancelled": CANCELLED, "appointment.deleted": "deleted"}
"""What says that an appointment does not take place -> its status then, whatever the content still says."""
STANDING = frozenset(f"appointment.{what}" for what in ("created", "updated", "rescheduled", "reminder"))
"""What says that it does, unless by the same event it is cancelled."""


class Cause(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The event that caused it, and the record that carried the event."""

    source: str
    id: str
    topic: str
    offset: int


class Trigger(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """`person` is the id of a customer or of a colleague, by `audience`; `reason` is why they are not told;
    `config_id` is the one configuration that it is about, where it is about one."""

    event_type: str
    audience: Audience
    person: str
    facts: Facts
    cause: Cause
    reason: Suppression | None = None
    config_id: str | None = None

    @property
    def says(self) -> str:
        """The event type that the message speaks of: by content, which counts as much as the type."""
        is_cancelled = self.event_type in STANDING and self.facts.status == CANCELLED
        return "appointment.cancelled" if is_cancelled else self.event_type

    @property
    def not_after(self) -> datetime | None:
        """When the message has become pointless: at the start of the appointment, unless it is that there is none;
        at the expiry of the callback, for who is to make it."""
        if self.says in ENDED or self.event_type == "callback.withdrawn":
            return None
        return self.facts.expires_at if self.event_type == "callback.assigned" else self.facts.starts_at


def is_past(not_after: datetime | None, at: float) -> bool:
    """Whether a message has become pointless by `at`, in seconds: at `not_after` itself it is still in time."""
    return not_after is not None and not_after.timestamp() < at


def customer(event_type: str, facts: Facts, cause: Cause, reason: Suppression | None = None) -> Trigger:
    """The customer is to be told."""
    if facts.customer is None:
        return Trigger(event_type, Audience.CUSTOMER, "erased", facts, cause, reason or Suppression.ERASED)
    return Trigger(event_type, Audience.CUSTOMER, facts.customer.id, facts, cause, reason)


def colleague(
    event_type: str, staff_id: str, facts: Facts, cause: Cause, reason: Suppression | None = None
) -> Trigger:
    """A colleague is to be told. About a customer who was erased there is nothing left to tell."""
    if facts.customer is None and reason is None:
        reason = Suppression.ERASED
    return Trigger(event_type, Audience.STAFF, staff_id, facts, cause, reason)


Heard = tuple[IntakeResult, Sequence[Trigger]]
"""What an event comes to: whether it was news, and who is to be told."""

STALE: Heard = (IntakeResult.STALE, ())
DUPLICATE: Heard = (IntakeResult.DUPLICATE, ())
