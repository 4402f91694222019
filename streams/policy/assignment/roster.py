"""The people of one branch, standing at one moment of time.

Everybody's presence is held as a window. Two lists in the order of the windows' ends and beginnings say who has to
be looked at when the moment moves, forwards or (timestamps do that) backwards; so a move costs as many steps as
people have come or gone in between, and nothing where nobody has.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from streams.policy.assignment.availability import Timetable, Window
from streams.policy.assignment.moments import FOREVER, LONG_AGO
from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.pool import Pool

LOOK_BACK = 256
"""So many changes, and four for each person, are kept for the pools that have not looked at them yet."""


class Roster:
    """`order` has the ids of all members, sorted; `takers` those who are active and accept callbacks."""

    __slots__ = (
        "_at",
        "_begin_of",
        "_begins",
        "_ends",
        "_pools",
        "_seen",
        "_standings",
        "_starts",
        "_timetables",
        "_touched",
        "_zone",
        "inactive",
        "members",
        "order",
        "takers",
        "windows",
    )

    def __init__(
        self, zone: ZoneInfo, at: int, people: Iterable[Person], standings: Mapping[str, Standing]
    ) -> None:
        self._zone = zone
        self._at = at
        self._standings = standings
        self.members: dict[str, Person] = {}
        self.order: list[str] = []
        self.takers: dict[str, Person] = {}
        self.windows: dict[str, Window] = {}
        self.inactive = 0
        self._timetables: dict[str, Timetable] = {}
        self._ends: list[tuple[int, str]] = []
        self._starts: list[tuple[int, str]] = []
        self._begins: list[tuple[int, str]] | None = None
        self._begin_of: dict[str, int] = {}
        self._pools: dict[str | None, Pool] = {}
        self._touched: list[str] = []
        self._seen: dict[str | None, int] = {}
        """By service: how many of those touched its pool has looked at."""
        for person in people:
            self.put(person)

    def put(self, person: Person) -> None:
        """Take in somebody, or what has changed about them."""
        staff_id = person.staff_id
        self.remove(staff_id)
        self.members[staff_id] = person
        insort(self.order, staff_id)
        if not person.active:
            self.inactive += 1
        elif person.accepts:
            self.takers[staff_id] = person
            self._timetables[staff_id] = Timetable(self._zone, person.week, person.absences)
            self._enter(staff_id)

    def remove(self, staff_id: str) -> None:
        person = self.members.pop(staff_id, None)
        if person is None:
            return
        del self.order[bisect_left(self.order, staff_id)]
        if not person.active:
            self.inactive -= 1
        elif person.accepts:
            self._leave(staff_id)
            del self.takers[staff_id], self._timetables[staff_id]
        self.touch(staff_id)

    def touch(self, staff_id: str) -> None:
        """Something about somebody has changed. The pools look when they are asked."""
        self._touched.append(staff_id)
        if len(self._touched) > LOOK_BACK + 4 * len(self.order):
            self._forget_touched()

    def move(self, at: int) -> None:
        """Stand at `at`."""
        self._at = at
        while self._ends and self._ends[0][0] <= at:
            self._renew(self._ends[0][1])
        while self._starts and self._starts[-1][0] > at:
            self._renew(self._starts[-1][1])

    def pool(self, service_id: str | None) -> Pool:
        """Those who offer the service, up to date for the present moment."""
        pool, end = self._pools.get(service_id), len(self._touched)
        if pool is None:
            pool = self._pools[service_id] = Pool(service_id, self.takers, self.windows, self._standings)
        elif (seen := self._seen[service_id]) < end:
            pool.refresh(set(self._touched[seen:]))
        self._seen[service_id] = end
        return pool

    def next_begin(self) -> int:
        """The next moment at which somebody's shift begins or absence ends, or FOREVER."""
        if self._begins is None:
            self._begins = []
            for staff_id in self.takers:
                self._expect(self._begins, staff_id)
        return self._begins[0][0] if self._begins else FOREVER

    def _forget_touched(self) -> None:
        """Start anew. Pools that nobody has asked since the last time go; they are cheap to make again."""
        for service_id, seen in list(self._seen.items()):
            if seen == 0:
                del self._pools[service_id], self._seen[service_id]
            else:
                self.pool(service_id)
                self._seen[service_id] = 0
        self._touched.clear()

    def _renew(self, staff_id: str) -> None:
        self._leave(staff_id)
        self._enter(staff_id)

    def _enter(self, staff_id: str) -> None:
        window = self.windows[staff_id] = self._timetables[staff_id].window(self._at)
        if window.until < FOREVER:
            insort(self._ends, (window.until, staff_id))
        if window.since > LONG_AGO:
            insort(self._starts, (window.since, staff_id))
        if self._begins is not None:
            self._expect(self._begins, staff_id)
        self.touch(staff_id)

    def _leave(self, staff_id: str) -> None:
        window = self.windows.pop(staff_id)
        if window.until < FOREVER:
            del self._ends[bisect_left(self._ends, (window.until, staff_id))]
        if window.since > LONG_AGO:
            del self._starts[bisect_left(self._starts, (window.since, staff_id))]
        begin = self._begin_of.pop(staff_id, FOREVER)
        if self._begins is not None and begin < FOREVER:
            del self._begins[bisect_left(self._begins, (begin, staff_id))]

    def _expect(self, begins: list[tuple[int, str]], staff_id: str) -> None:
        begin = self._timetables[staff_id].next_begin(self._at)
        if begin < FOREVER:
            self._begin_of[staff_id] = begin
            insort(begins, (begin, staff_id))
