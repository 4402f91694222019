"""Whether what a notification says is still so, as far as is known."""

from schemas.callbacks import OPEN, CallbackStatus
from schemas.event_types import CALLBACKS, DECISIONS
from schemas.notifications import AttemptDue, EntityType
from schemas.reasons import NotificationType
from streams.policy.delivery.known import rows
from streams.policy.notification.ownership import after_decision
from streams.state import State


def is_superseded(due: AttemptDue, state: State) -> bool:
    if due.entity.type is EntityType.APPOINTMENT:
        known = rows.read(rows.Appointment, state, rows.APPOINTMENTS, due.company_id, due.entity.id)
        return known is not None and due.entity.version < known.overtaken
    callback = rows.read(rows.Callback, state, rows.CALLBACKS, due.company_id, due.entity.id)
    return callback is not None and _is_overtaken(due, callback, state)


def _is_overtaken(due: AttemptDue, callback: rows.Callback, state: State) -> bool:
    """A colleague is no longer told of a callback that is closed, or somebody else's; nor that it was withdrawn,
    if they have it again. Never because a decision is not known: the request may be here before it."""
    is_newer = due.entity.version < callback.version
    match due.event_type:
        case NotificationType.CALLBACK_ASSIGNED:
            if is_newer and callback.status not in OPEN:
                return True
            return _is_applied(due, state) and _holder(callback) != due.recipient.id
        case NotificationType.CALLBACK_WITHDRAWN:
            return _is_applied(due, state) and _holder(callback) == due.recipient.id
        case _:
            return is_newer and callback.status == CallbackStatus.CANCELLED


def _is_applied(due: AttemptDue, state: State) -> bool:
    """Whether the record that caused the request was applied here, and so all that it stands on."""
    return due.cause.topic in (DECISIONS, CALLBACKS) and state.positions.get(due.cause.topic, 0) > due.cause.offset


def _holder(callback: rows.Callback) -> str | None:
    owner = callback.owner
    for ruling in callback.pending:  # about a callback that is not yet, or no longer, in its topic
        owner, _ = after_decision(owner, ruling)
    return owner.holder
