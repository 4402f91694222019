"""Who has a callback, and which colleague is to be told when that changes.

Two sources speak: our decisions, and the booking system's snapshots. Each can be late. A snapshot may be the echo
of a decision that was overtaken meanwhile, and a decision may arrive here after the snapshot that knew it. So:

- Only a change of `assigned_to` from one snapshot to the next is a statement. If it repeats a decision of ours, it
  confirms that decision and moves nothing.
- A statement that repeats none moves the callback; a decision that was taken without having seen the statement is
  then overtaken, unless it is the very one that the statement repeats (`Ahead`).
- Whoever was told last is not told again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from schemas.base import Notify
from schemas.callbacks import OPEN, Callback
from schemas.decisions import Decision
from schemas.event_types import CALLBACKS
from schemas.reasons import Suppression
from streams.policy.notification.rows import Ahead, Owner, Ruling

ASSIGNED = "callback.assigned"
WITHDRAWN = "callback.withdrawn"
ASSIGNING = frozenset({"callback.auto_assigned", "callback.reassigned"})
REMEMBERED = 16
"""How many decisions are kept to recognise their echoes."""

News = tuple[str, str, Suppression | None]
"""(notification type, colleague, why they are not told)"""


class Statement(NamedTuple):
    """What a snapshot says about who has the callback."""

    event_type: str
    is_open: bool
    is_first: bool
    assigned_to: str | None
    decision_id: str | None
    offset: int
    is_silent: bool
    """`notify: none`: it counts, and nobody is told."""


def statement(event_type: str, data: Callback, *, is_first: bool, offset: int) -> Statement:
    """What the snapshot at `offset` says; `is_first`: nothing was known of the callback before."""
    return Statement(
        event_type=event_type,
        is_open=data.status in OPEN,
        is_first=is_first,
        assigned_to=data.assigned_to,
        decision_id=data.decision_id,
        offset=offset,
        is_silent=data.notify is Notify.NONE,
    )


def ruling(event_type: str, data: Decision, source: str, offset: int) -> Ruling:
    """What the decision at `offset` says of its callback."""
    return Ruling(
        type=event_type,
        id=data.decision_id,
        source=source,
        offset=offset,
        staff_id=data.staff_id,
        previous_staff_id=data.previous_staff_id,
        seen=data.basis.get(CALLBACKS),
    )


def after_snapshot(owner: Owner, said: Statement) -> tuple[Owner, tuple[News, ...]]:
    """Applied in the order of versions."""
    if not said.is_open:
        return Owner(said=said.assigned_to, ahead=Ahead(said.offset)), ()
    if said.event_type == "callback.unassigned":
        told = owner.told if said.is_silent else None
        news = _withdrawn((owner.holder, owner.told), Suppression.NOT_WANTED if said.is_silent else None)
        return Owner(told=told, said=said.assigned_to, ahead=Ahead(said.offset)), news
    after = _moved(owner, said)
    if said.event_type != ASSIGNED or said.assigned_to is None:
        return after, ()
    if said.is_silent:
        return after, ((ASSIGNED, said.assigned_to, Suppression.NOT_WANTED),)
    return _telling(owner, after, said.assigned_to)


def after_decision(owner: Owner, ruling: Ruling) -> tuple[Owner, tuple[News, ...]]:
    """Applied in the order of the decisions, each once."""
    person = ruling.staff_id if ruling.type in ASSIGNING else None
    if owner.ahead is not None and ruling.seen is not None and ruling.seen < owner.ahead.offset:
        return (owner, ()) if person is None else _late(owner, owner.ahead, ruling.id, person)
    if person is not None:
        after = replace(_with(owner, ruling.id, person), holder=person, ahead=None)
        return _telling(owner, after, person, ruling.previous_staff_id)
    if ruling.type == "callback.waiting" and ruling.previous_staff_id is not None:
        losers = (owner.holder, owner.told, ruling.previous_staff_id)
        return replace(owner, holder=None, told=None, ahead=None), _withdrawn(losers)
    if ruling.type == "callback.abandoned":
        return replace(owner, holder=None, told=None, ahead=None), ()
    return owner, ()


def _moved(owner: Owner, said: Statement) -> Owner:
    who = said.assigned_to
    if who is None or (who == owner.said and not said.is_first):
        return replace(owner, said=who)
    repeated = _repeated(owner, said.decision_id, who)
    if repeated is not None:
        return replace(owner, said=who, confirmed=max(owner.confirmed, repeated + 1))
    if who == owner.holder:
        return replace(owner, said=who)
    return Owner(holder=who, told=owner.told, said=who, ahead=Ahead(said.offset, said.decision_id, who))


def _repeated(owner: Owner, decision_id: str | None, who: str) -> int | None:
    """Which of our decisions a statement repeats: the one that it names, else the oldest not yet confirmed."""
    if decision_id is not None:
        return next((at for at, (ours, _) in enumerate(owner.ours) if ours == decision_id), None)
    at = owner.confirmed
    return at if at < len(owner.ours) and owner.ours[at][1] == who else None


def _late(owner: Owner, ahead: Ahead, decision_id: str, person: str) -> tuple[Owner, tuple[News, ...]]:
    """A decision taken before the booking system's last statement was seen: known by it, or overtaken."""
    known = ahead.decision_id == decision_id or (ahead.decision_id is None and ahead.staff_id == person)
    superseded = ((ASSIGNED, person, Suppression.SUPERSEDED),)
    if not known and ahead.decision_id is None:
        return owner, superseded
    after = _with(owner, decision_id, person)
    after = replace(after, confirmed=len(after.ours), ahead=None if known else ahead)
    return _telling(owner, after, person) if known else (after, superseded)


def _with(owner: Owner, decision_id: str, person: str) -> Owner:
    ours = (*owner.ours, (decision_id, person))
    surplus = max(0, len(ours) - REMEMBERED)
    return replace(owner, ours=ours[surplus:], confirmed=max(0, owner.confirmed - surplus))


def _telling(before: Owner, after: Owner, person: str, loser: str | None = None) -> tuple[Owner, tuple[News, ...]]:
    if after.told == person or after.holder != person:
        return after, ((ASSIGNED, person, Suppression.ALREADY_TOLD),)
    losers = (each for each in (before.holder, before.told, loser) if each != person)
    return replace(after, told=person), ((ASSIGNED, person, None), *_withdrawn(losers))


def _withdrawn(losers: Iterable[str | None], reason: Suppression | None = None) -> tuple[News, ...]:
    return tuple((WITHDRAWN, loser, reason) for loser in dict.fromkeys(losers) if loser is not None)
