"""A person as `assign` sees them: what the directory says, and what they have been given."""

from datetime import datetime
from sys import intern

import msgspec

from streams.policy.assignment.availability import Span
from streams.policy.assignment.moments import instant
from streams.policy.assignment.rows import LoadRow, StaffRow


class Person(msgspec.Struct, frozen=True):
    """Of the directory, and not deleted."""

    staff_id: str
    name: str
    branches: frozenset[str]
    services: frozenset[str]
    active: bool
    accepts: bool
    capacity: int | None
    week: list[list[Span]] | None
    absences: list[Span]

    @classmethod
    def of(cls, staff_id: str, row: StaffRow) -> "Person":
        return cls(
            staff_id,
            row.name,
            frozenset(map(intern, row.branches)),
            frozenset(map(intern, row.services)),
            row.active,
            row.accepts,
            row.capacity,
            row.week,
            row.absences,
        )

    def offers(self, service_id: str | None) -> bool:
        return service_id is None or service_id in self.services


class Standing:
    """What somebody has, and when they had their last turn; also of people whom the directory does not know."""

    __slots__ = ("at", "last_assigned_at", "load", "turn")

    def __init__(self, load: int = 0, turn: int = 0, at: int | None = None) -> None:
        self.load = load
        self.turn = turn
        self.at = at
        self.last_assigned_at: datetime | None = None if at is None else instant(at)

    def take_turn(self, turn: int, at: int) -> None:
        self.turn, self.at, self.last_assigned_at = turn, at, instant(at)

    def row(self) -> LoadRow:
        return LoadRow(self.load, self.turn, self.at)
