"""The registry: one line per event type says how its data is read and on which topic it travels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas import configuration as config
from schemas import directory, notifications, receipts
from schemas.appointments import Appointment, AppointmentDeleted
from schemas.base import Model
from schemas.callbacks import Callback, CallbackStatus, must_be, must_have_assignee
from schemas.commands import AutoAssign, BranchReconsider, BulkAutoAssign, CallbackExpire, Reassign, ReminderDue
from schemas.decisions import Decision
from schemas.intake import IntakeRefused
from schemas.journal import AssignmentApplied
from schemas.reasons import ChannelName, Priority

APPOINTMENTS = "booking.appointments"
CALLBACKS = "booking.callbacks"
DIRECTORY = "booking.directory"
COMMANDS = "assignment.commands"
DECISIONS = "assignment.decisions"
JOURNAL = "assignment.journal"
TIMERS = "notification.timers"
REQUESTS = "notification.requests"
RECEIPTS = "delivery.receipts"
OUTCOMES = "delivery.outcomes"
DEAD_LETTERS = "delivery.dead-letters"
INTAKE_DEAD_LETTERS = "intake.dead-letters"

RETRY_PREFIX = "delivery.retry."
_SUFFIXES = {Priority.HIGH: ".high", Priority.NORMAL: "", Priority.LOW: ".low"}


def priority_topic(channel: ChannelName, priority: Priority) -> str:
    """Where what is to be attempted on this channel now comes from."""
    return f"delivery.{channel}{_SUFFIXES[priority]}"


PRIORITY_TOPICS = frozenset(priority_topic(channel, priority) for channel in ChannelName for priority in Priority)


@dataclass(frozen=True, slots=True)
class EventType:
    """How one type is read.

    `topic` is the contract's name, without prefix; None: the priority and delay topics. `contradiction` says what
    in the data contradicts the type. `tombstone` reads data of which only the ids and the version came. `keyed`:
    the key is the company's id; what is not keyed lies where its writer put it.
    """

    model: type[Model]
    topic: str | None
    contradiction: Callable[[Any], str | None] | None = None
    tombstone: type[Model] | None = None
    keyed: bool = True

    def travels_on(self, topic: str) -> bool:
        """Whether this type belongs on `topic` (without prefix)."""
        if self.topic is not None:
            return self.topic == topic
        return topic in PRIORITY_TOPICS or topic.startswith(RETRY_PREFIX)


EVENT_TYPES: dict[str, EventType] = {
    "appointment.created": EventType(Appointment, APPOINTMENTS),
    "appointment.updated": EventType(Appointment, APPOINTMENTS),
    "appointment.rescheduled": EventType(Appointment, APPOINTMENTS),
    "appointment.cancelled": EventType(Appointment, APPOINTMENTS),
    "appointment.deleted": EventType(Appointment, APPOINTMENTS, tombstone=AppointmentDeleted),
    "callback.requested": EventType(Callback, CALLBACKS),
    "callback.updated": EventType(Callback, CALLBACKS),
    "callback.assigned": EventType(Callback, CALLBACKS, must_have_assignee),
    "callback.contacted": EventType(Callback, CALLBACKS, must_be(CallbackStatus.CONTACTED)),
    "callback.completed": EventType(Callback, CALLBACKS, must_be(CallbackStatus.COMPLETED)),
    "callback.cancelled": EventType(Callback, CALLBACKS, must_be(CallbackStatus.CANCELLED)),
    "callback.expired": EventType(Callback, CALLBACKS, must_be(CallbackStatus.EXPIRED)),
    "callback.unassigned": EventType(Callback, CALLBACKS),
    "company.upserted": EventType(directory.Company, DIRECTORY),
    "company.deleted": EventType(directory.CompanyDeleted, DIRECTORY),
    "branch.upserted": EventType(directory.Branch, DIRECTORY),
    "branch.deleted": EventType(directory.BranchDeleted, DIRECTORY),
    "service.upserted": EventType(directory.Service, DIRECTORY),
    "service.deleted": EventType(directory.ServiceDeleted, DIRECTORY),
    "staff.upserted": EventType(directory.Staff, DIRECTORY),
    "staff.deleted": EventType(directory.StaffDeleted, DIRECTORY),
    "customer_preferences.upserted": EventType(config.CustomerPreferences, DIRECTORY),
    "customer_preferences.deleted": EventType(config.CustomerPreferencesDeleted, DIRECTORY),
    "customer.erased": EventType(config.CustomerErased, DIRECTORY),
    "notification_config.upserted": EventType(config.NotificationConfig, DIRECTORY),
    "notification_config.deleted": EventType(config.NotificationConfigDeleted, DIRECTORY),
    "template.upserted": EventType(config.Template, DIRECTORY),
    "template.deleted": EventType(config.TemplateDeleted, DIRECTORY),
    "callback.auto_assign": EventType(AutoAssign, COMMANDS),
    "callback.bulk_auto_assign": EventType(BulkAutoAssign, COMMANDS),
    "callback.reassign": EventType(Reassign, COMMANDS),
    "callback.expire": EventType(CallbackExpire, COMMANDS),
    "branch.reconsider": EventType(BranchReconsider, COMMANDS),
    "callback.auto_assigned": EventType(Decision, DECISIONS),
    "callback.reassigned": EventType(Decision, DECISIONS),
    "callback.waiting": EventType(Decision, DECISIONS),
    "callback.abandoned": EventType(Decision, DECISIONS),
    "callback.bulk_assigned": EventType(Decision, DECISIONS),
    "callback.command_refused": EventType(Decision, DECISIONS),
    "assignment.applied": EventType(AssignmentApplied, JOURNAL, keyed=False),
    "reminder.due": EventType(ReminderDue, TIMERS),
    "notification.requested": EventType(notifications.NotificationRequest, REQUESTS),
    "notification.attempt_due": EventType(notifications.AttemptDue, None),
    "notification.sent": EventType(notifications.Outcome, OUTCOMES),
    "notification.retrying": EventType(notifications.Outcome, OUTCOMES),
    "notification.fell_back": EventType(notifications.Outcome, OUTCOMES),
    "notification.failed": EventType(notifications.Outcome, OUTCOMES),
    "notification.suppressed": EventType(notifications.Outcome, OUTCOMES),
    "notification.delivered": EventType(notifications.Outcome, OUTCOMES),
    "notification.unconfirmed": EventType(notifications.Outcome, OUTCOMES),
    "notification.merged": EventType(notifications.Outcome, OUTCOMES),
    "notification.dead_lettered": EventType(notifications.DeadLetter, DEAD_LETTERS),
    "provider.receipt": EventType(receipts.ProviderReceipt, RECEIPTS),
    "address.opted_out": EventType(receipts.AddressOptedOut, RECEIPTS, keyed=False),
    "address.opted_in": EventType(receipts.AddressOptedIn, RECEIPTS, keyed=False),
    "intake.refused": EventType(IntakeRefused, INTAKE_DEAD_LETTERS, keyed=False),
}
