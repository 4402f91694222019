"""Every reason and every choice of the contract has a name here: one enum a concern.

The same member stands in the event, in the database, in the log line and in the metric's label.
"""

from enum import StrEnum


class RefusedReason(StrEnum):
    """Why a record could not be applied and went to `intake.dead-letters`."""

    EMPTY_VALUE = "empty_value"
    NOT_A_CLOUDEVENT = "not_a_cloudevent"
    INVALID_JSON = "invalid_json"
    INVALID_DATA = "invalid_data"
    TOO_LONG = "too_long"
    INCONSISTENT = "inconsistent"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    UNKNOWN_PLACEHOLDER = "unknown_placeholder"
    PROCESSING_FAILED = "processing_failed"


class IntakeResult(StrEnum):
    """What became of a record that was read."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    IGNORED = "ignored"
    DEAD_LETTER = "dead_letter"


class Strategy(StrEnum):
    """How one of several eligible people is chosen."""

    ROUND_ROBIN = "round_robin"
    LOAD_BASED = "load_based"


class ChosenBy(StrEnum):
    """Why this person, in a decision that assigns."""

    PREFERRED = "preferred"
    ROUND_ROBIN = "round_robin"
    LOAD_BASED = "load_based"


class Exclusion(StrEnum):
    """Why a candidate is not eligible; of several that hold, the first in this order is given."""

    OTHER_BRANCH = "other_branch"
    INACTIVE = "inactive"
    NOT_ACCEPTING = "not_accepting"
    LACKS_SERVICE = "lacks_service"
    OUTSIDE_HOURS = "outside_hours"
    ABSENT = "absent"
    AT_CAPACITY = "at_capacity"
    PRESENT_ASSIGNEE = "present_assignee"


class CommandRefusal(StrEnum):
    """Why a command is refused; of several that hold, the first in this order is given."""

    UNKNOWN_STRATEGY = "unknown_strategy"
    UNKNOWN_CALLBACK = "unknown_callback"
    NOT_OPEN = "not_open"
    ALREADY_ASSIGNED = "already_assigned"
    NOT_ASSIGNED = "not_assigned"
    NO_ELIGIBLE_STAFF = "no_eligible_staff"


class DecisionReason(StrEnum):
    """The `reason` of a decision; those of a refused command are the members of `CommandRefusal`."""

    PREFERRED = "preferred"
    ROUND_ROBIN = "round_robin"
    LOAD_BASED = "load_based"
    REQUESTED = "requested"
    STAFF_LEFT = "staff_left"
    NO_ELIGIBLE_STAFF = "no_eligible_staff"
    EXPIRED = "expired"
    UNKNOWN_STRATEGY = "unknown_strategy"
    UNKNOWN_CALLBACK = "unknown_callback"
    NOT_OPEN = "not_open"
    ALREADY_ASSIGNED = "already_assigned"
    NOT_ASSIGNED = "not_assigned"


class Suppression(StrEnum):
    """Why somebody was, on purpose, not told; also why a channel was skipped."""

    NOT_WANTED = "not_wanted"
    """The event says `notify: none` (or `staff`, for the customer)."""
    NO_VISIBLE_CHANGE = "no_visible_change"
    ALREADY_TOLD = "already_told"
    NO_CONFIGURATION = "no_configuration"
    DISABLED = "disabled"
    NO_ADDRESS = "no_address"
    UNSUBSCRIBED = "unsubscribed"
    DEAD_ADDRESS = "dead_address"
    SUPERSEDED = "superseded"
    TOO_LATE = "too_late"
    ERASED = "erased"
    NOT_ALLOWED = "not_allowed"
    """Outside the recipient allow-list of a staging system."""


class DeliveryReason(StrEnum):
    """What went wrong, or was learned later, about an attempt at delivery."""

    CONNECTION_FAILED = "connection_failed"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    AUTH_FAILED = "auth_failed"
    MAILBOX_FULL = "mailbox_full"
    REJECTED = "rejected"
    DEAD_ADDRESS = "dead_address"
    OPTED_OUT = "opted_out"
    LOST_AFTER_DATA = "lost_after_data"
    """The connection ended after the whole message was written and before the answer."""
    WORKER_DIED = "worker_died"
    """The intent was durable, the answer was not: the worker died in between."""
    UNCONFIRMED = "unconfirmed"
    BOUNCED = "bounced"
    READ = "read"


class Priority(StrEnum):
    """How urgently a notification is to be sent."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Audience(StrEnum):
    """Whom a notification tells."""

    CUSTOMER = "customer"
    STAFF = "staff"


class ChannelName(StrEnum):
    """A way to reach somebody."""

    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    PUSH = "push"


class Level(StrEnum):
    """Where a notification is configured; the most specific level that says anything decides."""

    COMPANY = "company"
    BRANCH = "branch"
    SERVICE = "service"
    STAFF = "staff"


class NotificationType(StrEnum):
    """What somebody can be told about: the `event_type` of configurations, requests and preferences."""

    APPOINTMENT_CREATED = "appointment.created"
    APPOINTMENT_UPDATED = "appointment.updated"
    APPOINTMENT_RESCHEDULED = "appointment.rescheduled"
    APPOINTMENT_CANCELLED = "appointment.cancelled"
    APPOINTMENT_DELETED = "appointment.deleted"
    APPOINTMENT_REMINDER = "appointment.reminder"
    CALLBACK_RECEIVED = "callback.received"
    CALLBACK_ASSIGNED = "callback.assigned"
    CALLBACK_WITHDRAWN = "callback.withdrawn"
