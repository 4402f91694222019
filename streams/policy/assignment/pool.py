"""Those of a branch who offer a service, in the order in which a strategy would take them.

A change of one person costs a step of the logarithm, when the pool is next asked; a decision looks at the head of
the list, however many people stand behind it.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.reasons import Exclusion
from streams.policy.assignment.availability import Window
from streams.policy.assignment.people import Person, Standing
from streams.policy.assignment.strategies import STRATEGIES

Place = Exclusion | tuple[int, int]
"""Why somebody is out, or the (load, turn) with which they are in."""


class Pool:
    """`places` has everybody who is active, accepts callbacks and offers the service; `excluded` counts, by
    reason, those of them who are not eligible."""

    __slots__ = ("_ranked", "_service_id", "_standings", "_takers", "_windows", "excluded", "places")

    def __init__(
        self,
        service_id: str | None,
        takers: Mapping[str, Person],
        windows: Mapping[str, Window],
        standings: Mapping[str, Standing],
    ) -> None:
        self._service_id = service_id
        self._takers = takers
        self._windows = windows
        self._standings = standings
        self._ranked: dict[str, list[tuple[Any, ...]]] = {}
        self.places: dict[str, Place] = {}
        self.excluded: dict[Exclusion, int] = {}
        self.refresh(takers)

    @property
    def eligible(self) -> int:
        return len(self.places) - sum(self.excluded.values())

    def refresh(self, staff_ids: Iterable[str]) -> None:
        """Look again at these people: something about them has changed."""
        for staff_id in staff_ids:
            self._put(staff_id, self._place(staff_id))

    def is_eligible(self, staff_id: str) -> bool:
        return isinstance(self.places.get(staff_id), tuple)

    def best(self, strategy: str, number: int, without: str | None) -> list[str]:
        """At most `number` eligible people other than `without`, the one to be taken first."""
        ranked = self._ranked.get(strategy)
        if ranked is None:
            rank, places = STRATEGIES[strategy], self.places.items()
            ranked = sorted(rank(*place, staff_id) for staff_id, place in places if isinstance(place, tuple))
            self._ranked[strategy] = ranked
        found = [rank[-1] for rank in ranked[: number + 1] if rank[-1] != without]
        return found[:number]

    def _place(self, staff_id: str) -> Place | None:
        person = self._takers.get(staff_id)
        if person is None or not person.offers(self._service_id):
            return None
        excluded_by = self._windows[staff_id].excluded_by
        if excluded_by is not None:
            return excluded_by
        standing = self._standings.get(staff_id)
        load, turn = (standing.load, standing.turn) if standing is not None else (0, 0)
        if person.capacity is not None and load >= person.capacity:
            return Exclusion.AT_CAPACITY
        return load, turn

    def _put(self, staff_id: str, place: Place | None) -> None:
        before = self.places.pop(staff_id, None)
        if isinstance(before, tuple):
            for strategy, ranked in self._ranked.items():
                del ranked[bisect_left(ranked, STRATEGIES[strategy](*before, staff_id))]
        elif before is not None:
            self.excluded[before] -= 1
        if place is None:
            return
        self.places[staff_id] = place
        if isinstance(place, tuple):
            for strategy, ranked in self._ranked.items():
                insort(ranked, STRATEGIES[strategy](*place, staff_id))
        else:
            self.excluded[place] = self.excluded.get(place, 0) + 1
