"""Loads: what `assign` has stored of each person is the number of their open callbacks, counted in another way.

The count here knows neither eligibility nor commands. It follows each callback through its snapshots and the
decisions about it, merged by the `basis` of the decisions, and asks at the end who has it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agents.assign import Assign
from schemas import Event
from schemas.callbacks import Callback
from schemas.decisions import Decision
from schemas.event_types import CALLBACKS, DECISIONS
from streams.audit.findings import Finding, wrong
from streams.audit.reading import Log, readable
from streams.policy.assignment import rows
from streams.state import State, read_row_key
from streams.topics import changelog

STORED = changelog(Assign.name).name
OPEN = frozenset({"pending", "assigned"})
TAKING = frozenset({"callback.auto_assigned", "callback.reassigned", "callback.waiting", "callback.abandoned"})

Person = tuple[str, str]
"""(company id, staff id)"""


def check(log: Log, states: dict[int, State], partitions: int) -> Iterator[Finding]:
    """`states`: what the replay came to."""
    stored = {key: rows.decode_load(value) for key, value in _newest(log, rows.LOADS).items()}
    replayed = {key: rows.decode_load(value) for key, value in _rows(states.values(), rows.LOADS)}
    open_rows = Counter(
        (company_id, carrier)
        for (company_id, _), value in _newest(log, rows.CALLBACKS).items()
        if (carrier := rows.decode_callback(value).carrier) is not None
    )
    counted = count(log, partitions)
    for person in sorted({*stored, *replayed, *open_rows, *counted}):
        company_id, staff_id = person
        load = stored[person].load if person in stored else 0
        if load != counted[person]:
            yield wrong(f"{staff_id} of {company_id} has load {load}, but {counted[person]} open callbacks")
        if load != open_rows[person]:
            yield wrong(f"{staff_id} of {company_id} has load {load}, but {open_rows[person]} stored callbacks")
        if stored.get(person) != replayed.get(person):
            yield wrong(f"{staff_id} of {company_id}: {stored.get(person)} is stored, not {replayed.get(person)}")


def count(log: Log, partitions: int) -> Counter[Person]:
    """Open callbacks by person, from the callbacks' snapshots and the decisions about them."""
    calls: dict[tuple[str, str], _Call] = defaultdict(_Call)
    for event in _merged(log, partitions):
        data = event.data
        if isinstance(data, Callback):
            calls[data.company_id, data.callback_id].hear(event.type, data)
        elif isinstance(data, Decision) and data.callback_id is not None and event.type in TAKING:
            calls[data.company_id, data.callback_id].decide(data)
    owned = ((company_id, call.owner) for (company_id, _), call in calls.items() if call.is_open)
    return Counter((company_id, owner) for company_id, owner in owned if owner is not None)


def _merged(log: Log, partitions: int) -> list[Event]:
    """Each decision right behind the last snapshot that it rests on."""
    places: list[tuple[tuple[int, int, int, int], Event]] = []
    for entry, event in readable(log, CALLBACKS, partitions):
        places.append(((entry.partition, entry.offset, 0, 0), event))
    for entry, event in readable(log, DECISIONS, partitions):
        assert isinstance(event.data, Decision)
        seen = event.data.basis.get(CALLBACKS, -1)
        places.append(((entry.partition, seen, 1, entry.offset), event))
    return [event for _, event in sorted(places, key=lambda placed: placed[0])]


@dataclass(slots=True)
class _Call:
    """One callback, as it stands."""

    version: int = -1
    is_open: bool = False
    owner: str | None = None
    stated: str | None = None
    expires_at: Any = None
    abandoned: bool = False
    ours: list[tuple[str, str | None]] = field(default_factory=list)
    """(decision id, staff id) of our decisions, in order."""
    confirmed: int = 0
    """So many of them are not waited for any more."""

    def decide(self, decision: Decision) -> None:
        self.owner = decision.staff_id if decision.reason not in ("no_eligible_staff", "expired") else None
        self.abandoned = decision.reason == "expired"
        self.ours.append((decision.decision_id, self.owner))

    def hear(self, event_type: str, data: Callback) -> None:
        """A newer snapshot: does it state who has the callback, or only echo a decision of ours?"""
        if data.version <= self.version:
            return
        is_open = data.status in OPEN
        known, more_time = self.version >= 0, self.expires_at != data.expires_at
        begins_anew = is_open and known and (not self.is_open or (self.abandoned and more_time))
        stated = self.stated if known and (self.is_open or not is_open) else None
        self.version, self.is_open, self.expires_at = data.version, is_open, data.expires_at
        self.stated = data.assigned_to
        if begins_anew:
            self.owner, self.abandoned = None, False
        if not self._is_echo(data, stated):
            self._state(data.assigned_to, stated, unassigned=event_type == "callback.unassigned" and is_open)
        if not is_open:
            self.confirmed = len(self.ours)

    def _state(self, named: str | None, stated: str | None, *, unassigned: bool) -> None:
        if unassigned:
            self.owner = self.stated = None
        elif named is not None and named != stated:
            self.owner = named
        else:
            return
        self.confirmed = len(self.ours)

    def _is_echo(self, data: Callback, stated: str | None) -> bool:
        if data.decision_id is not None:
            place = next((n for n, (ours, _) in enumerate(self.ours) if ours == data.decision_id), None)
            if place is None:
                return False
            awaited = place >= self.confirmed
            self.confirmed = max(self.confirmed, place + 1)
            return place < len(self.ours) - 1 or (awaited and self.ours[place][1] is None)
        if data.assigned_to is None or data.assigned_to == stated:
            return False
        for place in range(self.confirmed, len(self.ours)):
            staff_id = self.ours[place][1]
            if staff_id is not None:
                if staff_id == data.assigned_to:
                    self.confirmed = place + 1
                return staff_id == data.assigned_to
        return False


def _newest(log: Log, table: str) -> dict[tuple[str, str], bytes]:
    """(company id, key) -> the row as it was stored last."""
    newest = {}
    for entry in log.get(STORED, ()):
        of, company_id, key = read_row_key(entry.key or b"")
        if of == table:
            newest[company_id, key] = entry.value
    return {key: value for key, value in newest.items() if value is not None}


def _rows(states: Iterable[State], table: str) -> Iterator[tuple[tuple[str, str], bytes]]:
    for state in states:
        for company_id in state.scopes(table):
            for key, value in state.rows(table, company_id).items():
                yield (company_id, key), value
