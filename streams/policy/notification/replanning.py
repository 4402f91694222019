"""Reminders move with the appointment, its configuration and its branch's zone.

What is planned anew and is past already, by the record that brings it about, is settled at once: nobody is
reminded of it. What was planned before and still is stays as it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from schemas import configuration as config
from schemas.directory import Branch
from schemas.reasons import Level
from streams.policy.notification import rows
from streams.policy.notification.facts import Facts
from streams.policy.notification.memory import Memory
from streams.policy.notification.moments import Timing, timing
from streams.policy.notification.planning import BOOKED, REMINDER, Plan, Planner, mark, marks, to_come
from streams.policy.notification.routing import route_key
from streams.policy.notification.rows import DIRECTORY, ENTITIES, Mark

REMEMBERED = timedelta(days=1)
"""How long after its moment a reminder that is planned no longer is remembered. Should it be planned again, it is
past."""

Concerned = Callable[[Facts], bool]
PREFIX = "appointment/"


def of_appointment(
    appointment_id: str, before: Facts | None, after: Facts | None, at: float, memory: Memory
) -> None:
    """An appointment has changed, its row already; `at` is the record's time in seconds."""
    planner = Planner(memory)
    was, now = planner.plan(before), planner.plan(after)
    if now != was or marks(appointment_id, memory):
        _move(appointment_id, was, now, at, memory)


@contextmanager
def of_directory(data: BaseModel, at: float, memory: Memory) -> Iterator[None]:
    """Around an event of the directory that takes effect. Only for those by which reminders move are the company's
    appointments looked at."""
    concerned = _concerned(data, memory)
    if concerned is None:
        yield
        return
    before = [(each, facts) for each, facts in booked(memory) if concerned(facts)]
    planner = Planner(memory)
    was = [planner.plan(facts) for _, facts in before]
    yield
    planner = Planner(memory)
    for (appointment_id, facts), old in zip(before, was, strict=True):
        new = planner.plan(facts)
        if new != old:
            _move(appointment_id, old, new, at, memory)


def booked(memory: Memory) -> Iterator[tuple[str, Facts]]:
    """(id, facts) of the company's appointments that take place, or took."""
    for key in memory.under(ENTITIES, PREFIX):
        row = memory.read(rows.Appointment, ENTITIES, key)
        if row is not None and row.facts is not None and row.facts.status == BOOKED:
            yield key.removeprefix(PREFIX), row.facts


def _move(appointment_id: str, was: Plan, now: Plan, at: float, memory: Memory) -> None:
    planned = {(config_id, each.due) for config_id, each in now.items()}
    known = {(config_id, each.due) for config_id, each in was.items()}
    settled = marks(appointment_id, memory)
    noted = {(each.config_id, each.due) for each in settled}
    past = [each for each in planned - known - noted if each[1].timestamp() <= at]
    oldest = datetime.fromtimestamp(at, UTC) - REMEMBERED
    new = [Mark(*each, is_told=True) for each in sorted(past)]
    mark(appointment_id, memory, new, lambda each: each.due >= oldest or (each.config_id, each.due) in planned)
    for due, _ in to_come(now, (*settled, *new))[:1]:
        memory.wake(due.timestamp(), appointment_id)


class _Standing(NamedTuple):
    """What of a configuration its reminders follow from."""

    route: str
    timing: Timing


def _concerned(data: BaseModel, memory: Memory) -> Concerned | None:
    """Which appointments an event of the directory can give other reminders; None: none."""
    if isinstance(data, Branch):
        row = memory.read(rows.Branch, DIRECTORY, f"branch/{data.branch_id}")
        if row is not None and (data.version <= row.version or data.timezone == row.zone):
            return None
        return _of_branch(data.branch_id) if has_reminders(memory) else None
    if isinstance(data, config.NotificationConfig | config.NotificationConfigDeleted):
        return _of_configuration(data, memory)
    return None


def _of_branch(branch_id: str) -> Concerned:
    return lambda facts: facts.branch_id == branch_id


def _of_configuration(
    data: config.NotificationConfig | config.NotificationConfigDeleted, memory: Memory
) -> Concerned | None:
    place = memory.read(rows.ConfigPlace, DIRECTORY, f"config/{data.config_id}")
    if place is not None and data.version <= place.version:
        return None
    before = _standing(place.route, data.config_id, memory) if place is not None else None
    after = None
    if isinstance(data, config.NotificationConfig) and data.event_type == REMINDER:
        route = route_key(data.event_type, data.told, data.level, data.level_id)
        after = _Standing(route, timing(data))
    if before == after:
        return None
    places = [each.route.split("/")[3:] for each in (before, after) if each is not None]
    return lambda facts: any(_is_at(facts, *each) for each in places)


def _standing(route: str, config_id: str, memory: Memory) -> _Standing | None:
    row = memory.read(rows.Route, DIRECTORY, route) if route.startswith(f"route/{REMINDER}/") else None
    for each in row.configs if row is not None else ():
        if each.id == config_id:
            return _Standing(route, each.reminder or Timing())
    return None


def _is_at(facts: Facts, level: str, level_id: str) -> bool:
    ids = {Level.STAFF: facts.staff_id, Level.SERVICE: facts.service_id, Level.BRANCH: facts.branch_id}
    return ids.get(Level(level), level_id) == level_id


def has_reminders(memory: Memory) -> bool:
    """Whether any level of the company has a reminder configured."""
    return bool(memory.under(DIRECTORY, f"route/{REMINDER}/"))
