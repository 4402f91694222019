"""A company's branches and people: what the directory says, what they have been given, and who stands where."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from streams.policy.assignment import rows
from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.retention import Memory
from streams.policy.assignment.roster import Roster
from streams.policy.assignment.rows import BranchRow, CompanyRow, StaffRow
from streams.policy.assignment.strategies import DEFAULT_STRATEGY
from streams.state import State


class Staffing:
    """`people` and `branches`: those that are known and not deleted. `zone`: the company's. `standings`: of all
    who ever had something, known or not."""

    def __init__(self, company_id: str, state: State, memory: Memory) -> None:
        self.people: dict[str, Person] = {}
        self.branches: dict[str, BranchRow] = {}
        self.zone = "UTC"
        self.standings: dict[str, Standing] = {}
        self._company_id = company_id
        self._state = state
        self._memory = memory
        self._turns = 0
        self._changed: dict[str, Standing] = {}
        self._of_branch: dict[str, set[str]] = {}
        self._rosters: dict[str, Roster] = {}
        self._read_directory()
        self._read_loads()

    # --- where ---

    def strategy(self, branch_id: str) -> str:
        branch = self.branches.get(branch_id)
        return branch.strategy if branch is not None else DEFAULT_STRATEGY

    def roster(self, branch_id: str, at: int) -> Roster:
        """The people of a branch as they stand at `at`."""
        roster = self._rosters.get(branch_id)
        if roster is None:
            people = [self.people[staff_id] for staff_id in self._of_branch.get(branch_id, ())]
            roster = Roster(ZoneInfo(self._branch_zone(branch_id)), at, people, self.standings)
            self._rosters[branch_id] = roster
        else:
            roster.move(at)
        return roster

    # --- who has what ---

    def take_turn(self, staff_id: str, at: int) -> None:
        """Somebody is assigned a callback by the record of that time."""
        self._turns += 1
        standing = self._standing(staff_id)
        standing.take_turn(self._turns, at)
        self._touch(staff_id, standing)

    def carry(self, staff_id: str, change: int) -> None:
        """Somebody's load changes."""
        standing = self._standing(staff_id)
        standing.load += change
        self._touch(staff_id, standing)

    def flush(self) -> None:
        """Store the standings that have changed."""
        if self._changed:
            for staff_id, standing in self._changed.items():
                self._put(rows.LOADS, staff_id, standing.row())
            self._changed.clear()

    # --- what the directory says ---

    def company_row(self) -> CompanyRow | None:
        value = self._state.get(rows.DIRECTORY, self._company_id, "company")
        return None if value is None else rows.decode_company(value)

    def branch_row(self, branch_id: str) -> BranchRow | None:
        """Also of a branch that was deleted."""
        value = self._state.get(rows.DIRECTORY, self._company_id, f"branch/{branch_id}")
        return None if value is None else rows.decode_branch(value)

    def person_row(self, staff_id: str) -> StaffRow | None:
        """Also of somebody who was deleted."""
        value = self._state.get(rows.DIRECTORY, self._company_id, f"staff/{staff_id}")
        return None if value is None else rows.decode_staff(value)

    def set_company(self, row: CompanyRow) -> None:
        self._put(rows.DIRECTORY, "company", row)
        self._take_company(row)
        for branch_id in self._rosters.keys() - self.branches.keys():
            del self._rosters[branch_id]

    def set_branch(self, branch_id: str, row: BranchRow) -> None:
        zone = self._branch_zone(branch_id)
        self._put(rows.DIRECTORY, f"branch/{branch_id}", row)
        self._take_branch(branch_id, row)
        if self._branch_zone(branch_id) != zone:
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
        if person is not None:
            for roster in self._rosters_of(person):
                roster.put(person)

    # --- inside ---

    def _branch_zone(self, branch_id: str) -> str:
        branch = self.branches.get(branch_id)
        return branch.zone if branch is not None else self.zone

    def _rosters_of(self, person: Person) -> Iterator[Roster]:
        return (self._rosters[branch_id] for branch_id in person.branches if branch_id in self._rosters)

    def _standing(self, staff_id: str) -> Standing:
        standing = self.standings.get(staff_id)
        if standing is None:
            standing = self.standings[staff_id] = Standing()
        return standing

    def _touch(self, staff_id: str, standing: Standing) -> None:
        self._changed[staff_id] = standing
        person = self.people.get(staff_id)
        if person is not None:
            for roster in self._rosters_of(person):
                roster.touch(staff_id)

    def _put(self, table: str, key: str, row: rows.Row) -> None:
        self._state.put(table, self._company_id, key, rows.encode(row))

    def _take_company(self, row: CompanyRow) -> None:
        self.zone = "UTC" if row.deleted else row.zone
        if row.deleted:
            self._memory.keep_entity("company", row.at)

    def _take_branch(self, branch_id: str, row: BranchRow) -> None:
        if row.deleted:
            self.branches.pop(branch_id, None)
            self._memory.keep_entity(f"branch/{branch_id}", row.at)
        else:
            self.branches[branch_id] = row

    def _take_person(self, staff_id: str, row: StaffRow) -> None:
        if row.deleted:
            self._memory.keep_entity(f"staff/{staff_id}", row.at)
            return
        person = self.people[staff_id] = Person.of(staff_id, row)
        for branch_id in person.branches:
            self._of_branch.setdefault(branch_id, set()).add(staff_id)

    def _read_directory(self) -> None:
        for key, value in self._state.rows(rows.DIRECTORY, self._company_id).items():
            kind, _, entity_id = key.partition("/")
            if kind == "staff":
                self._take_person(entity_id, rows.decode_staff(value))
            elif kind == "branch":
                self._take_branch(entity_id, rows.decode_branch(value))
            else:
                self._take_company(rows.decode_company(value))

    def _read_loads(self) -> None:
        for staff_id, value in self._state.rows(rows.LOADS, self._company_id).items():
            row = rows.decode_load(value)
            self.standings[staff_id] = Standing(row.load, row.turn, row.at)
            self._turns = max(self._turns, row.turn)
