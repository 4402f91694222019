"""Who has a callback, and which colleague is to be told when that changes.

Two sources speak: our decisions, and the booking system's snapshots. They are read from two topics, so each can be
here before something of the other that it has seen. But `assign` took them in one order, and a decision's `basis`
says which: it comes after all that it has seen, and before the rest. So the latest words of both are kept, each
new one is put where it belongs, and who has the callback follows from all of them, in whatever order they came.

- Only a change of `assigned_to` from one snapshot to the next is a statement. If it repeats a decision of ours
  that is not the latest, it confirms that decision and moves nothing; else it moves the callback.
- Whoever was told last is not told again, and nobody is told what was overtaken before it was read.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from schemas.base import Notify
from schemas.callbacks import OPEN, Callback
from schemas.decisions import Decision
from schemas.event_types import CALLBACKS
from schemas.reasons import Suppression
from streams.policy.notification.rows import Owner, Ruling, Said, Word

ASSIGNED = "callback.assigned"
WITHDRAWN = "callback.withdrawn"
ASSIGNING = frozenset({"callback.auto_assigned", "callback.reassigned"})
ABANDONED = "callback.abandoned"
UNASSIGNING = frozenset({"callback.waiting", ABANDONED})
REMEMBERED = 16
"""How many words are kept to put others between them, and how many decisions before to recognise their echoes."""

News = tuple[str, str, Suppression | None]
"""(notification type, colleague, why they are not told)"""


class Statement(NamedTuple):
    """What a snapshot says about who has the callback."""

    event_type: str
    is_open: bool
    assigned_to: str | None
    decision_id: str | None
    offset: int
    is_silent: bool
    """`notify: none`: it counts, and nobody is told."""


def statement(event_type: str, data: Callback, offset: int) -> Statement:
    """What the snapshot at `offset` says."""
    return Statement(
        event_type=event_type,
        is_open=data.status in OPEN,
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
    word = Word(said.offset, _kind(said), said.assigned_to, said.decision_id)
    after, person = _with(owner, word), said.assigned_to
    if word.said is Said.CLOSED:
        return (after if after.holder is not None else replace(after, told=None)), ()
    if word.said is Said.UNASSIGNED:
        if after.holder is not None:
            return after, ()
        news = _withdrawn((owner.holder, owner.told), Suppression.NOT_WANTED if said.is_silent else None)
        return (after if said.is_silent else replace(after, told=None)), news
    if said.event_type != ASSIGNED or person is None:
        return after, ()
    if said.is_silent:
        return after, ((ASSIGNED, person, Suppression.NOT_WANTED),)
    if after.holder != person:
        is_last = after.words[-1] is word
        return after, ((ASSIGNED, person, Suppression.ALREADY_TOLD if is_last else Suppression.SUPERSEDED),)
    return _telling(owner, after, person)


def after_decision(owner: Owner, ruling: Ruling) -> tuple[Owner, tuple[News, ...]]:
    """Applied in the order of the decisions, each once."""
    if ruling.type not in ASSIGNING | UNASSIGNING:
        return owner, ()
    person = ruling.staff_id if ruling.type in ASSIGNING else None
    after = _with(owner, Word(_place(owner, ruling), Said.DECIDED, person, ruling.id))
    if person is None:
        return _taken_away(owner, after, ruling)
    if after.holder == person:
        return _telling(owner, after, person, ruling.previous_staff_id)
    after, news = _made_good(owner, after)
    return after, ((ASSIGNED, person, Suppression.SUPERSEDED), *news)


def _taken_away(owner: Owner, after: Owner, ruling: Ruling) -> tuple[Owner, tuple[News, ...]]:
    """Who had it when it expired is not told; what a snapshot is still to say, that one tells."""
    if after.holder is not None:
        return _made_good(owner, after)
    if ruling.type == ABANDONED:
        return replace(after, told=None), ()
    if owner.holder is None or ruling.previous_staff_id is None:
        return after, ()
    return replace(after, told=None), _withdrawn((owner.holder, owner.told, ruling.previous_staff_id))


def _made_good(owner: Owner, after: Owner) -> tuple[Owner, tuple[News, ...]]:
    """A decision that was overtaken can show that a snapshot, read before it, was only an echo."""
    if after.holder == owner.holder:
        return after, ()
    if after.holder is None:
        return replace(after, told=None), _withdrawn((owner.holder, owner.told))
    return _telling(owner, after, after.holder)


def _kind(said: Statement) -> Said:
    if not said.is_open:
        return Said.CLOSED
    return Said.UNASSIGNED if said.event_type == "callback.unassigned" else Said.SNAPSHOT


def _place(owner: Owner, ruling: Ruling) -> int:
    """After what it has seen (where that is not said: all that is known) and after the decisions before it."""
    if ruling.seen is None:
        return owner.words[-1].at if owner.words else -1
    return max([ruling.seen, *(word.at for word in owner.words if word.said is Said.DECIDED)])


def _with(owner: Owner, word: Word) -> Owner:
    """Who has it, by all that was said; what lies so far back that nothing can come before it is not kept."""
    words = list(owner.words)
    words.insert(bisect_right(words, _order(word), key=_order), word)
    before = replace(owner, holder=owner.before if owner.words else owner.holder)
    while len(words) > REMEMBERED:
        before = _after(before, words.pop(0))
    now = before
    for each in words:
        now = _after(now, each)
    return replace(before, holder=now.holder, words=tuple(words), before=before.holder)


def _order(word: Word) -> tuple[int, bool]:
    return word.at, word.said is Said.DECIDED


def _after(owner: Owner, word: Word) -> Owner:
    """Who has it once this is said, `assign`'s own rule."""
    who, confirmed = word.staff_id, len(owner.ours)
    if word.said is Said.DECIDED:
        ours = (*owner.ours, (word.decision_id or "", who))[-REMEMBERED:]
        return replace(owner, holder=who, ours=ours, confirmed=max(0, owner.confirmed + len(ours) - confirmed - 1))
    if word.said is Said.CLOSED:
        return replace(owner, holder=None, said=None, confirmed=confirmed)
    repeated = _repeated(owner, word)
    if repeated is not None:
        return replace(owner, said=who, confirmed=max(owner.confirmed, repeated + 1))
    if word.said is Said.UNASSIGNED:
        return replace(owner, holder=None, said=None, confirmed=confirmed)
    if who is None or who == owner.said:
        is_named = bool(owner.ours) and owner.ours[-1][0] == word.decision_id
        return replace(owner, said=who, confirmed=confirmed if is_named else owner.confirmed)
    return replace(owner, holder=who, said=who, confirmed=confirmed)


def _repeated(owner: Owner, word: Word) -> int | None:
    """Which of our decisions is only confirmed: the one that is named, if it is not the latest or assigned nobody,
    else the oldest that assigned somebody and is not yet confirmed, if it was them."""
    ours = list(enumerate(owner.ours))
    if word.decision_id is not None:
        echoed = next((each for each in ours if each[1][0] == word.decision_id), None)
        is_statement = echoed is None or (echoed == ours[-1] and echoed[1][1] is not None)
        return None if is_statement or echoed is None else echoed[0]
    oldest = next((each for each in ours[owner.confirmed :] if each[1][1] is not None), None)
    return oldest[0] if oldest is not None and oldest[1][1] == word.staff_id else None


def _telling(before: Owner, after: Owner, person: str, loser: str | None = None) -> tuple[Owner, tuple[News, ...]]:
    if after.told == person:
        return after, ((ASSIGNED, person, Suppression.ALREADY_TOLD),)
    losers = (each for each in (before.holder, before.told, loser) if each != person)
    return replace(after, told=person), ((ASSIGNED, person, None), *_withdrawn(losers))


def _withdrawn(losers: Iterable[str | None], reason: Suppression | None = None) -> tuple[News, ...]:
    return tuple((WITHDRAWN, loser, reason) for loser in dict.fromkeys(losers) if loser is not None)
