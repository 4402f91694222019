"""What people and timers ask for. The event's id is the command's id."""

from schemas.base import Id, Instant, Model, Several, Text


class _Command(Model):
    """`strategy` is any text: one that does not exist is refused by a decision, which the sender can see."""

    company_id: Id
    strategy: Text | None = None
    requested_by: Text | None = None


class AutoAssign(_Command):
    callback_id: Id


class BulkAutoAssign(_Command):
    """The pending callbacks named, or the branch's; both: what they have in common; neither: the company's."""

    callback_ids: Several[Id] | None = None
    branch_id: Id | None = None


class Reassign(_Command):
    callback_id: Id
    reason: Text


class BranchReconsider(Model):
    """By the timer: a shift of the branch began or an absence ended."""

    company_id: Id
    branch_id: Id
    due_at: Instant


class CallbackExpire(Model):
    """By the timer: the callback's `expires_at` has passed."""

    company_id: Id
    callback_id: Id
    due_at: Instant


class ReminderDue(Model):
    """By the timer: the reminder of this configuration falls due."""

    company_id: Id
    appointment_id: Id
    config_id: Id
    due_at: Instant
