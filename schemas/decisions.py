"""What was decided about a callback, and why: enough to explain it without any other record."""

from typing import Annotated

from pydantic import Field

from schemas.base import EventId, Id, Instant, Model, Natural, NullMeans, Several, Text
from schemas.reasons import ChosenBy, DecisionReason, Exclusion


class Candidate(Model):
    """A person as they stood when it was decided. `load` is before the decision; `turn` 0: never assigned."""

    staff_id: Id
    eligible: bool
    load: Natural
    turn: Natural
    excluded_by: Exclusion | None = None
    last_assigned_at: Instant | None = None


class Decision(Model):
    """Any of the decision types.

    The event's id is `decision_id`, its time `decided_at`: the timestamp of the record that caused it.
    `strategy` is free text because a refused command's is told as it was. `basis` gives, for each input topic,
    the partition's offset that was applied last, that of the causing record included. `note` is the reason that
    a re-assign command gave. `total`, `assigned` and `failed` are of the summary of a bulk command.
    """

    decision_id: Id
    company_id: Id
    callback_id: Id | None = None
    branch_id: Id | None = None
    strategy: Text | None = None
    chosen_by: ChosenBy | None = None
    staff_id: Id | None = None
    staff_name: Text | None = None
    previous_staff_id: Id | None = None
    reason: DecisionReason | None = None
    note: Text | None = None
    command_id: EventId | None = None
    caused_by: EventId
    decided_at: Instant
    candidates: Annotated[Several[Candidate], NullMeans(())] = ()
    candidates_omitted: Annotated[dict[str, Natural], NullMeans({})] = Field(default_factory=dict)
    basis: dict[str, Natural]
    total: Natural | None = None
    assigned: Natural | None = None
    failed: Natural | None = None
