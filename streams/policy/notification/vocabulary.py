"""The placeholders of the contract, and which event types can ever fill each of them."""

from schemas.reasons import NotificationType

EXTRA = "extra"
"""`extra.<name>` is whatever an event carries by that name; empty where it carries none."""

APPOINTMENTS = frozenset(each for each in NotificationType if each.startswith("appointment."))
CALLBACKS = frozenset(each for each in NotificationType if each.startswith("callback."))
EVERYTHING = APPOINTMENTS | CALLBACKS

PLACEHOLDERS: dict[str, frozenset[NotificationType]] = {
    "customer_name": EVERYTHING,
    "appointment_date": APPOINTMENTS,
    "appointment_time": APPOINTMENTS,
    "appointment_duration": APPOINTMENTS,
    "service_name": EVERYTHING,
    "branch_name": EVERYTHING,
    "branch_address": EVERYTHING,
    "branch_phone": EVERYTHING,
    "staff_name": EVERYTHING,
    "company_name": EVERYTHING,
    "previous_appointment_time": APPOINTMENTS - {NotificationType.APPOINTMENT_CREATED},
    "callback_priority": CALLBACKS,
    "callback_phone": EVERYTHING,
    "manage_url": EVERYTHING,
    "cancel_url": EVERYTHING,
    "reschedule_url": EVERYTHING,
}
"""What may be missing from one event (a colleague, a link) is empty there; what an event type never has is in no
template for it. `callback_phone` is the customer's number, which appointments have too."""


def never_filled(names: frozenset[str], event_type: str) -> str | None:
    """The first of `names` that an event of this type can never fill."""
    return next((name for name in sorted(names) if event_type not in PLACEHOLDERS[name]), None)
