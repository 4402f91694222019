"""When a person is there: working hours on the wall clock of a branch, less absences.

The answer comes as a window, the stretch of time around the moment asked about in which it stays the same, so that
an index can hold it and need not ask again until the window ends.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.reasons import Exclusion
from streams.policy.assignment.moments import DAY, FOREVER, LONG_AGO

Span = tuple[int, int]
"""Half-open, milliseconds."""

_SECOND = timedelta(seconds=1)
_TWO_WEEKS_AND_MORE = 15 * DAY
"""So far ahead a shift begins, if any does: one a week may fall into the hour that daylight saving skips."""


class Window(NamedTuple):
    """`excluded_by` holds for every moment of `since <= t < until`, though not only there."""

    excluded_by: Exclusion | None
    since: int
    until: int


class Timetable:
    """A person's presence at a branch in `zone`.

    `week`: from Monday, each day's working times in milliseconds of the wall clock, in order and apart; None:
    always.
    `absences`: in order and apart.
    """

    __slots__ = ("_edges", "_week", "_zone")

    def __init__(self, zone: ZoneInfo, week: Sequence[Sequence[Span]] | None, absences: Sequence[Span]) -> None:
        self._zone = zone
        self._week = week
        self._edges = [edge for absence in absences for edge in absence]

    def window(self, at: int) -> Window:
        """How it stands at `at`. Outside working hours comes before absent."""
        since, until = LONG_AGO, FOREVER
        if self._week is not None:
            works, since, until = self._stretch(self._week, at)
            if not works:
                return Window(Exclusion.OUTSIDE_HOURS, since, until)
        edges = self._edges
        if not edges:
            return Window(None, since, until)
        place = bisect_right(edges, at)
        if place > 0:
            since = max(since, edges[place - 1])
        if place < len(edges):
            until = min(until, edges[place])
        return Window(Exclusion.ABSENT if place % 2 else None, since, until)

    def next_begin(self, after: int) -> int:
        """The first moment later than `after` at which a shift begins or an absence ends and they are there;
        FOREVER if there is none. For somebody who is always there it may be the end of an absence too many."""
        if self._week is not None and not any(self._week):
            return FOREVER
        window = self.window(after)
        was_there = window.excluded_by is None
        moment, horizon = window.until, after + _TWO_WEEKS_AND_MORE
        while moment < FOREVER:
            place = bisect_right(self._edges, moment)
            if place % 2:  # nothing can begin before the absence ends
                was_there, moment = False, self._edges[place]
                horizon = moment + _TWO_WEEKS_AND_MORE
            elif moment > horizon:
                break
            window = self.window(moment)
            is_there = window.excluded_by is None
            if is_there and not was_there:
                return moment
            was_there, moment = is_there, window.until
        place = bisect_right(self._edges, after) | 1
        return self._edges[place] if place < len(self._edges) else FOREVER

    def _stretch(self, week: Sequence[Sequence[Span]], at: int) -> tuple[bool, int, int]:
        """Whether they work at `at`, and the stretch of that day in which this and the zone's offset stay as they
        are: within it the wall clock runs like any other."""
        offset = _offset(self._zone, at)
        days, time = divmod(at + offset, DAY)
        works, begin, end = False, 0, DAY
        for start, stop in week[(days + 3) % 7]:  # 1970-01-01 was a Thursday
            if time < start:
                end = start
                break
            if time < stop:
                works, begin, end = True, start, stop
                break
            begin = stop
        since, until = at - (time - begin), at + (end - time)
        if _offset(self._zone, since) != offset:
            since = _first_with(self._zone, offset, since, at)
        if _offset(self._zone, until - 1) != offset:
            until = _first_with(self._zone, _offset(self._zone, until - 1), at, until - 1)
        return works, since, until


def _offset(zone: ZoneInfo, at: int) -> int:
    """What is added to UTC at `at`, in milliseconds. Offsets change on whole seconds."""
    offset = datetime.fromtimestamp(at // 1000, zone).utcoffset()
    assert offset is not None
    return offset // _SECOND * 1000


def _first_with(zone: ZoneInfo, offset: int, before: int, at: int) -> int:
    """The moment at which `offset` came into force: after `before`, which does not have it, and not after `at`,
    which has it. A stretch of a day holds one change at most."""
    low, high = before // 1000, at // 1000
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle * 1000) == offset:
            high = middle
        else:
            low = middle
    return high * 1000
