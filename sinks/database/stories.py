"""What can be asked about a notification: what led to it, what became of it, and which there are of a callback."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, select

from sinks.database import letters
from sinks.database.erasing import ERASED
from sinks.database.letters import LetterKey
from sinks.database.questions import Fields
from sinks.database.tables import callback_events, decisions, notifications

FAILED, SUPPRESSED, DELIVERED, SENT = (
    f"notification.{status}" for status in ("failed", "suppressed", "delivered", "sent")
)


class Cause(NamedTuple):
    """The event or decision that led to a notification, where the record has it: appointments are not recorded."""

    type: str
    at: datetime
    is_decision: bool


@dataclass(frozen=True, slots=True)
class Story:
    """`notification` is its row, `outcomes` those of its outcomes in the order of their telling, `letter` the dead
    letter with `status` and `status_reason`, without the request: no address and no text is here."""

    notification: Fields
    outcomes: list[Fields]
    letter: Fields | None
    cause: Cause | None

    @property
    def is_erased(self) -> bool:
        return bool(self.notification["customer_id"] == ERASED)

    @property
    def rounds(self) -> list[list[Fields]]:
        """The outcomes of the first time, then those of each redrive, after which the chain begins anew."""
        rounds: list[list[Fields]] = []
        for outcome in self.outcomes:
            if not rounds or _is_anew(rounds[-1][-1], outcome):
                rounds.append([])
            rounds[-1].append(outcome)
        return rounds


def found(connection: Connection, id: str, company_id: str | None = None) -> list[Fields]:
    """The notification of that id, one for each company that has it."""
    query = select(notifications).where(notifications.c.notification_id == id)
    if company_id is not None:
        query = query.where(notifications.c.company_id == company_id)
    return letters.listed(connection, query.order_by(notifications.c.company_id))


def story(connection: Connection, notification: Fields) -> Story:
    key = LetterKey(notification["notification_id"], notification["company_id"])
    letter = next(iter(letters.letters(connection, *key)), None)
    return Story(
        notification,
        letters.outcomes_of(connection, key),
        letter and {name: value for name, value in letter.items() if name != "data"},
        _cause(connection, notification),
    )


def about(connection: Connection, company_id: str, callback_id: str) -> list[Fields]:
    """The notifications about a callback, in the order of time."""
    at = notifications.c
    query = select(notifications).where(
        at.entity_id == callback_id, at.company_id == company_id, at.entity_type == "callback"
    )
    return sorted(letters.listed(connection, query), key=_when)


def receipts(told: Iterable[Fields]) -> set[str]:
    """Event ids of what a provider told after it had taken the message over, of one round's outcomes."""
    taken_over: set[tuple[str, int]] = set()
    found: set[str] = set()
    for outcome in told:
        place = outcome["channel"], outcome["attempt"]
        if outcome["type"] == DELIVERED or place in taken_over:
            found.add(outcome["event_id"])
        if outcome["type"] in (SENT, DELIVERED):
            taken_over.add(place)
    return found


def _is_anew(before: Fields, outcome: Fields) -> bool:
    """Only a redrive goes on after an end without arrival; what arrived after all is told by a receipt."""
    return before["type"] in (FAILED, SUPPRESSED) and outcome["type"] != DELIVERED


def _cause(connection: Connection, notification: Fields) -> Cause | None:
    company_id, id = notification["company_id"], notification["caused_by"]
    decided = select(decisions.c.type, decisions.c.decided_at).where(
        decisions.c.decision_id == id, decisions.c.company_id == company_id
    )
    if row := connection.execute(decided).first():
        return Cause(row.type, row.decided_at, is_decision=True)
    if notification["entity_type"] != "callback":
        return None
    at = callback_events.c
    said = select(at.type, at.happened_at).where(
        and_(
            at.callback_id == notification["entity_id"],
            at.company_id == company_id,
            at.version == notification["entity_version"],
        )
    )
    row = connection.execute(said).first()
    return row and Cause(row.type, row.happened_at, is_decision=False)


def _when(notification: Fields) -> tuple[datetime, str]:
    return notification["requested_at"] or notification["status_at"], notification["notification_id"]
