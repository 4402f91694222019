"""A company as its rows say it is, with the indexes that make a decision cheap.

Built from the rows when it is first asked for, and kept beside them: every change goes through here into both, so
it can be dropped at any time.
"""

from collections.abc import Iterator

from sortedcontainers import SortedList

from streams.policy.assignment import rows
from streams.policy.assignment.hints import Hints
from streams.policy.assignment.pending import Pending, Place, place_of
from streams.policy.assignment.retention import Memory
from streams.policy.assignment.rows import CallbackRow, TimerRow
from streams.policy.assignment.staffing import Staffing
from streams.state import State

CALLBACK_ALARM, BRANCH_ALARM = 0, 1


class Company:
    def __init__(self, company_id: str, state: State, hints: Hints) -> None:
        self.id = company_id
        self.key = company_id.encode()
        self.memory = Memory(company_id, state)
        self.staffing = Staffing(company_id, state, self.memory)
        self.held: dict[str, dict[str, None]] = {}
        """Staff id -> ids of the open callbacks that they have."""
        self.alarms = SortedList()
        """(when, kind, id) of what the timer has to write."""
        self._state = state
        self._hints = hints
        self.pending = Pending(self._read_callbacks())

    @classmethod
    def of(cls, company_id: str, state: State, hints: Hints) -> "Company":
        """The one beside the rows, built if there is none."""
        company: Company | None = state.derived.get(company_id)
        if company is None:
            company = state.derived[company_id] = cls(company_id, state, hints)
        return company

    # --- callbacks ---

    def callback(self, callback_id: str) -> CallbackRow | None:
        value = self._state.get(rows.CALLBACKS, self.id, callback_id)
        return None if value is None else rows.decode_callback(value)

    def save(self, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> str | None:
        """Store a callback that was `before`. Returns whose load fell by that, if anybody's."""
        self._state.put(rows.CALLBACKS, self.id, callback_id, rows.encode(row))
        self._stand(callback_id, before, row)
        self._watch(callback_id, before, row)
        if row.closed:
            self.memory.keep_callback(callback_id, row)
        carrier_before = before.carrier if before is not None else None
        if carrier_before == row.carrier:
            return None
        if carrier_before is not None:
            del self.held[carrier_before][callback_id]
            self.staffing.carry(carrier_before, -1)
        if row.carrier is not None:
            self.held.setdefault(row.carrier, {})[callback_id] = None
            self.staffing.carry(row.carrier, 1)
        return carrier_before

    # --- timers ---

    @property
    def next_alarm(self) -> int | None:
        alarm: int | None = self.alarms[0][0] if self.alarms else None
        return alarm

    def timer(self, branch_id: str) -> TimerRow | None:
        value = self._state.get(rows.TIMERS, self.id, branch_id)
        return None if value is None else rows.decode_timer(value)

    def set_timer(self, branch_id: str, before: TimerRow, row: TimerRow) -> None:
        self._state.put(rows.TIMERS, self.id, branch_id, rows.encode(row))
        if before.due is not None:
            self.alarms.remove((before.due, BRANCH_ALARM, branch_id))
        if row.due is not None:
            self.alarms.add((row.due, BRANCH_ALARM, branch_id))
            self._hints.wake(self.id, row.due)

    # --- inside ---

    def _stand(self, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> None:
        """Its place among the pending."""
        old = place_of(callback_id, before) if before is not None else None
        new = place_of(callback_id, row)
        if old == new:
            return
        if old is not None:
            self.pending.remove(old)
        if new is not None:
            self.pending.add(new)

    def _watch(self, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> None:
        """Its alarm."""
        old, new = before.alarm if before is not None else None, row.alarm
        if old == new:
            return
        if old is not None:
            self.alarms.remove((old, CALLBACK_ALARM, callback_id))
        if new is not None:
            self.alarms.add((new, CALLBACK_ALARM, callback_id))
            self._hints.wake(self.id, new)

    def _read_callbacks(self) -> Iterator[Place]:
        """The places of those that nobody has; the rest is taken in on the way."""
        alarms = []
        for callback_id, value in self._state.rows(rows.CALLBACKS, self.id).items():
            row = rows.decode_callback(value)
            if row.closed:
                self.memory.keep_callback(callback_id, row)
            elif row.owner is not None:
                self.held.setdefault(row.owner, {})[callback_id] = None
            elif (place := place_of(callback_id, row)) is not None:
                yield place
                if row.alarm is not None:
                    alarms.append((row.alarm, CALLBACK_ALARM, callback_id))
        for branch_id, value in self._state.rows(rows.TIMERS, self.id).items():
            due = rows.decode_timer(value).due
            if due is not None:
                alarms.append((due, BRANCH_ALARM, branch_id))
        self.alarms.update(alarms)
