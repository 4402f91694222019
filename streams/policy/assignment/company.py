"""A company as its rows say it is, with the indexes that make a decision cheap.

Built from the rows when it is first asked for, and kept beside them: every change goes through here into both, so
it can be dropped at any time.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sortedcontainers import SortedList

from streams.policy.assignment import rows
from streams.policy.assignment.hints import Hints
from streams.policy.assignment.pending import Pending, Place, place_of
from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.retention import Memory
from streams.policy.assignment.roster import Roster
from streams.policy.assignment.rows import BranchRow, CallbackRow, CompanyRow, StaffRow, TimerRow
from streams.policy.assignment.strategies import DEFAULT_STRATEGY
from streams.state import State

CALLBACK_ALARM, BRANCH_ALARM = 0, 1


class Company:
    def __init__(self, company_id: str, state: State, hints: Hints) -> None:
        self.id = company_id
        self.key = company_id.encode()
        self.people: dict[str, Person] = {}
        self.branches: dict[str, BranchRow] = {}
        """Those that are known and not deleted."""
        self.zone = "UTC"
        self.standings: dict[str, Standing] = {}
        self.held: dict[str, dict[str, None]] = {}
        """Staff id -> ids of the open callbacks that they have."""
        self.alarms = SortedList()
        """(when, kind, id) of what the timer has to write."""
        self._state = state
        self._hints = hints
        self._turns = 0
        self._changed: dict[str, Standing] = {}
        self._of_branch: dict[str, set[str]] = {}
        self._rosters: dict[str, Roster] = {}
        self.memory = Memory(company_id, state)
        self._read_directory()
        self._read_loads()
        self.pending = Pending(self._read_callbacks())

    @classmethod
    def of(cls, company_id: str, state: State, hints: Hints) -> "Company":
        """The one beside the rows, built if there is none."""
        company: Company | None = state.derived.get(company_id)
        if company is None:
            company = state.derived[company_id] = cls(company_id, state, hints)
        return company

    # --- the directory ---

    def branch_zone(self, branch_id: str) -> str:
        branch = self.branches.get(branch_id)
        return branch.zone if branch is not None else self.zone

    def strategy(self, branch_id: str) -> str:
        branch = self.branches.get(branch_id)
        return branch.strategy if branch is not None else DEFAULT_STRATEGY

    def company_row(self) -> CompanyRow | None:
        value = self._state.get(rows.DIRECTORY, self.id, "company")
        return None if value is None else rows.decode_company(value)

    def branch_row(self, branch_id: str) -> BranchRow | None:
        """Also of a branch that was deleted."""
        value = self._state.get(rows.DIRECTORY, self.id, f"branch/{branch_id}")
        return None if value is None else rows.decode_branch(value)

    def person_row(self, staff_id: str) -> StaffRow | None:
        """Also of somebody who was deleted."""
        value = self._state.get(rows.DIRECTORY, self.id, f"staff/{staff_id}")
        return None if value is None else rows.decode_staff(value)

    def set_company(self, row: CompanyRow) -> None:
        self._put(rows.DIRECTORY, "company", row)
        self._take_company(row)
        for branch_id in self._rosters.keys() - self.branches.keys():
            del self._rosters[branch_id]

    def set_branch(self, branch_id: str, row: BranchRow) -> None:
        zone = self.branch_zone(branch_id)
        self._put(rows.DIRECTORY, f"branch/{branch_id}", row)
        self._take_branch(branch_id, row)
        if self.branch_zone(branch_id) != zone:
            self._rosters.pop(branch_id, None)

    def set_person(self, staff_id: str, row: StaffRow) -> None:
        self._put(rows.DIRECTORY, f"staff/{staff_id}", row)
        before = self.people.pop(staff_id, None)
        for branch_id in before.branches if before is not None else ():
            self._of_branch[branch_id].discard(staff_id)
            if branch_id in self._rosters:
                self._rosters[branch_id].remove(staff_id)
        self._take_person(staff_id, row)
        person = self.people.get(staff_id)
        for branch_id in person.branches if person is not None else ():
            if branch_id in self._rosters and person is not None:
                self._rosters[branch_id].put(person)

    def roster(self, branch_id: str, at: int) -> Roster:
        """The people of a branch as they stand at `at`."""
        roster = self._rosters.get(branch_id)
        if roster is None:
            people = [self.people[staff_id] for staff_id in self._of_branch.get(branch_id, ())]
            roster = Roster(ZoneInfo(self.branch_zone(branch_id)), at, people, self.standings)
            self._rosters[branch_id] = roster
        else:
            roster.move(at)
        return roster

    # --- callbacks ---

    def callback(self, callback_id: str) -> CallbackRow | None:
        value = self._state.get(rows.CALLBACKS, self.id, callback_id)
        return None if value is None else rows.decode_callback(value)

    def save(self, callback_id: str, before: CallbackRow | None, row: CallbackRow) -> str | None:
        """Store a callback that was `before`. Returns whose load fell by that, if anybody's."""
        self._put(rows.CALLBACKS, callback_id, row)
        self._stand(callback_id, before, row)
        self._watch(callback_id, before, row)
        if row.closed:
            self.memory.keep_callback(callback_id, row)
        carrier_before = before.carrier if before is not None else None
        if carrier_before == row.carrier:
            return None
        if carrier_before is not None:
            del self.held[carrier_before][callback_id]
            self._count(carrier_before, -1)
        if row.carrier is not None:
            self.held.setdefault(row.carrier, {})[callback_id] = None
            self._count(row.carrier, 1)
        return carrier_before

    def take_turn(self, staff_id: str, at: int) -> None:
        """Somebody is assigned a callback by the record of that time."""
        self._turns += 1
        standing = self._standing(staff_id)
        standing.take_turn(self._turns, at)
        self._touch(staff_id, standing)

    def flush(self) -> None:
        """Store the standings that have changed."""
        if self._changed:
            for staff_id, standing in self._changed.items():
                self._put(rows.LOADS, staff_id, standing.row())
            self._changed.clear()

    # --- timers ---

    @property
    def next_alarm(self) -> int | None:
        alarm: int | None = self.alarms[0][0] if self.alarms else None
        return alarm

    def timer(self, branch_id: str) -> TimerRow | None:
        value = self._state.get(rows.TIMERS, self.id, branch_id)
        return None if value is None else rows.decode_timer(value)

    def set_timer(self, branch_id: str, before: TimerRow, row: TimerRow) -> None:
        self._put(rows.TIMERS, branch_id, row)
        if before.due is not None:
            self.alarms.remove((before.due, BRANCH_ALARM, branch_id))
        if row.due is not None:
            self.alarms.add((row.due, BRANCH_ALARM, branch_id))
            self._hints.wake(self.id, row.due)

    # --- inside ---

    def _put(self, table: str, key: str, row: rows.Row) -> None:
        self._state.put(table, self.id, key, rows.encode(row))

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

    def _standing(self, staff_id: str) -> Standing:
        standing = self.standings.get(staff_id)
        if standing is None:
            standing = self.standings[staff_id] = Standing()
        return standing

    def _count(self, staff_id: str, change: int) -> None:
        standing = self._standing(staff_id)
        standing.load += change
        self._touch(staff_id, standing)

    def _touch(self, staff_id: str, standing: Standing) -> None:
        self._changed[staff_id] = standing
        person = self.people.get(staff_id)
        for branch_id in person.branches if person is not None else ():
            if branch_id in self._rosters:
                self._rosters[branch_id].touch(staff_id)

    def _take_company(self, row: CompanyRow) -> None:
        self.zone = "UTC" if row.deleted else row.zone
        if row.deleted:
            self.memory.keep_entity("company", row.at)

    def _take_branch(self, branch_id: str, row: BranchRow) -> None:
        if row.deleted:
            self.branches.pop(branch_id, None)
            self.memory.keep_entity(f"branch/{branch_id}", row.at)
        else:
            self.branches[branch_id] = row

    def _take_person(self, staff_id: str, row: StaffRow) -> None:
        if row.deleted:
            self.memory.keep_entity(f"staff/{staff_id}", row.at)
            return
        person = self.people[staff_id] = Person.of(staff_id, row)
        for branch_id in person.branches:
            self._of_branch.setdefault(branch_id, set()).add(staff_id)

    def _read_directory(self) -> None:
        for key, value in self._state.rows(rows.DIRECTORY, self.id).items():
            kind, _, entity_id = key.partition("/")
            if kind == "staff":
                self._take_person(entity_id, rows.decode_staff(value))
            elif kind == "branch":
                self._take_branch(entity_id, rows.decode_branch(value))
            else:
                self._take_company(rows.decode_company(value))

    def _read_loads(self) -> None:
        for staff_id, value in self._state.rows(rows.LOADS, self.id).items():
            row = rows.decode_load(value)
            self.standings[staff_id] = Standing(row.load, row.turn, row.at)
            self._turns = max(self._turns, row.turn)

    def _read_callbacks(self) -> Iterator[Place]:
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
