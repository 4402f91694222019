"""The whole policy of `notify`: an event at its place in the log, and the rows, give messages and changed rows."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from schemas import Event
from schemas.event_types import APPOINTMENTS, CALLBACKS, DECISIONS, DIRECTORY, REQUESTS, TIMERS
from schemas.reasons import IntakeResult, Suppression
from streams.clock import utc
from streams.policy.notification import appointments, callbacks, directory, forgetting, reminders, rows
from streams.policy.notification.fanout import fan_out
from streams.policy.notification.foreign import admitted
from streams.policy.notification.forgetting import Hints, forget
from streams.policy.notification.memory import Memory, decode
from streams.policy.notification.messages import Message, Rules
from streams.policy.notification.telling import Teller
from streams.policy.notification.triggers import Cause, Heard, Trigger
from streams.state import State

Hearing = Callable[[str, Any, Cause, float, Memory], Heard]

HEARINGS: dict[str, Hearing] = {
    DIRECTORY: directory.heard,
    DECISIONS: callbacks.decision,
    CALLBACKS: callbacks.snapshot,
    APPOINTMENTS: appointments.heard,
    TIMERS: reminders.due,
}
"""Topic -> what its events mean."""

TOPICS = (DIRECTORY, DECISIONS, CALLBACKS, APPOINTMENTS, REQUESTS, TIMERS)
"""In the order in which a batch applies them."""


class Place(NamedTuple):
    """Where a record stands in the log; `at` is its timestamp in seconds, the only clock there is."""

    topic: str
    offset: int
    at: float


def recovered(state: State) -> Hints:
    """The hints of all rows; once after they were loaded."""
    hints = forgetting.hints(state)
    reminders.recovered(state, hints)
    return hints


def begin(state: State, hints: Hints, now: float) -> list[Message]:
    """A batch begins: what time alone has brought about by `now`, in seconds."""
    forgetting.begin(state, hints)
    return reminders.write_due(state, hints, now)


def apply(
    event: Event, place: Place, state: State, hints: Hints, rules: Rules
) -> tuple[IntakeResult, list[Message]]:
    """Apply one event of `TOPICS`. Raises Refused, with no row changed, if it was read but must not be applied."""
    memory = Memory(state, hints, event.company_id)
    if place.topic == REQUESTS:
        request = admitted(event.data, event.source, memory)  # type: ignore[arg-type]
        return IntakeResult.APPLIED, [fan_out(request, utc(place.at), memory, rules)]
    cause = Cause(event.source, event.id, place.topic, place.offset)
    result, triggers = HEARINGS[place.topic](event.type, event.data, cause, place.at, memory)
    return result, _told(triggers, Teller(memory, place.at, rules))


def expire(at: float, state: State, hints: Hints, rules: Rules) -> list[Message]:
    """Forget what is due at record time `at`; what waited in vain is told as suppressed."""
    expired: list[Message] = []
    for table, company_id, key, content in forget(state, hints, at):
        triggers = _in_vain(table, key, content)
        if triggers:
            expired += _told(triggers, Teller(Memory(state, hints, company_id), at, rules))
    return expired


def _told(triggers: Iterable[Trigger], teller: Teller) -> list[Message]:
    return [message for trigger in triggers for message in teller.tell(trigger)]


def _in_vain(table: str, key: str, content: bytes) -> list[Trigger]:
    if table == rows.WAITING:
        return [replace(decode(rows.Waiting, content).trigger, reason=Suppression.TOO_LATE)]
    if table == rows.ENTITIES and rows.entity_kind(key) is rows.Callback:
        return callbacks.given_up(key.partition("/")[2], decode(rows.Callback, content))
    return []
