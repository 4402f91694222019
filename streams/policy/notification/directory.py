"""The directory, as far as messages need it: names, zones, addresses, languages and configurations.

An older or equal version changes nothing. What is deleted keeps its version for a while, so that an older event
cannot bring it back; an entity that was never heard of leaves its version too.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from schemas import configuration as config
from schemas import directory as entities
from schemas.reasons import IntakeResult
from streams.policy.notification import replanning, rows, templates, waiting
from streams.policy.notification.erasure import erased
from streams.policy.notification.memory import Memory
from streams.policy.notification.moments import timing
from streams.policy.notification.planning import REMINDER
from streams.policy.notification.routing import route_key
from streams.policy.notification.rows import DIRECTORY, KEPT
from streams.policy.notification.triggers import STALE, Cause, Heard

Reading = Callable[[Any], tuple[str, rows.Versioned]]
APPLIED: Heard = (IntakeResult.APPLIED, ())

UPSERTS: dict[type[BaseModel], Reading] = {
    entities.Company: lambda told: (
        "company",
        rows.Company(
            0,
            told.version,
            told.name,
            told.locale,
            told.sender_name or "",
            told.reply_to or "",
            _hours(told.quiet_hours),
            told.timezone,
        ),
    ),
    entities.Branch: lambda told: (
        f"branch/{told.branch_id}",
        rows.Branch(
            0,
            told.version,
            told.name,
            told.timezone,
            told.address or "",
            told.phone or "",
            told.sender_name or "",
            told.reply_to or "",
            _hours(told.quiet_hours),
        ),
    ),
    entities.Service: lambda told: (
        f"service/{told.service_id}",
        rows.Service(0, told.version, told.name, told.confidential),
    ),
    entities.Staff: lambda told: (
        f"staff/{told.staff_id}",
        rows.Staff(0, told.version, told.name, told.email, told.phone),
    ),
    config.CustomerPreferences: lambda told: (
        f"customer/{told.customer_id}",
        rows.Reader(
            0,
            told.version,
            told.locale,
            told.channels,
            tuple((each.channel, each.event_type) for each in told.unsubscribed),
            _hours(told.quiet_hours),
            told.timezone,
        ),
    ),
}
"""Entity -> its key and row."""

DELETIONS: dict[type[BaseModel], Reading] = {
    entities.CompanyDeleted: lambda told: ("company", rows.Company(0, told.version)),
    entities.BranchDeleted: lambda told: (f"branch/{told.branch_id}", rows.Branch(0, told.version)),
    entities.ServiceDeleted: lambda told: (f"service/{told.service_id}", rows.Service(0, told.version)),
    entities.StaffDeleted: lambda told: (f"staff/{told.staff_id}", rows.Staff(0, told.version)),
    config.CustomerPreferencesDeleted: lambda told: (f"customer/{told.customer_id}", rows.Reader(0, told.version)),
}
"""Deletion -> the key of what it deletes, and what stays if that was never heard of."""

AWAITED = frozenset({rows.Branch, rows.Staff})
"""What messages wait for."""


def _hours(hours: entities.QuietHours | None) -> rows.Hours | None:
    return None if hours is None else (hours.start, hours.end)


def heard(event_type: str, data: BaseModel, cause: Cause, at: float, memory: Memory) -> Heard:
    """Any event of `booking.directory`. A branch or colleague that messages waited for lets them go, and
    reminders move with what they follow from.

    Raises Refused, with nothing changed, for a template that must not be used, or not by its configuration.
    """
    with replanning.of_directory(data, at, memory):
        return _heard(data, at, memory)


def _heard(data: BaseModel, at: float, memory: Memory) -> Heard:
    if isinstance(data, config.CustomerErased):
        return erased(data, at, memory)
    if isinstance(data, config.NotificationConfig | config.NotificationConfigDeleted):
        return _configured(data, at, memory)
    if isinstance(data, config.Template | config.TemplateDeleted):
        return templates.heard(data, at, memory)
    if type(data) in UPSERTS:
        return _upserted(data, at, memory)
    if type(data) in DELETIONS:
        return _deleted(data, at, memory)
    return IntakeResult.IGNORED, ()


def _upserted(data: BaseModel, at: float, memory: Memory) -> Heard:
    key, row = UPSERTS[type(data)](data)
    before = memory.read(type(row), DIRECTORY, key)
    if before is not None and row.version <= before.version:
        return STALE
    if isinstance(before, rows.Reader):
        row = replace(row, erased_at=before.erased_at)
    memory.write(DIRECTORY, key, row)
    return IntakeResult.APPLIED, waiting.released(key, at, memory) if type(row) in AWAITED else ()


def _deleted(data: BaseModel, at: float, memory: Memory) -> Heard:
    """Names and zones stay for a while: the last appointments of a branch are still being cancelled."""
    key, row = DELETIONS[type(data)](data)
    before = memory.read(type(row), DIRECTORY, key)
    if before is not None:
        if row.version <= before.version:
            return STALE
        row = replace(before, version=row.version)
    if isinstance(row, rows.Staff):
        row = replace(row, email=None, phone=None)
    if isinstance(row, rows.Reader):
        row = rows.Reader(0, row.version, erased_at=row.erased_at)
    memory.write(DIRECTORY, key, replace(row, forget_at=int(at) + KEPT))
    return APPLIED


def _configured(
    data: config.NotificationConfig | config.NotificationConfigDeleted, at: float, memory: Memory
) -> Heard:
    """A configuration moves to the route that it now belongs to; deleted, it belongs to none."""
    key = f"config/{data.config_id}"
    before = memory.read(rows.ConfigPlace, DIRECTORY, key)
    if before is not None and data.version <= before.version:
        return STALE
    if isinstance(data, config.NotificationConfig):
        templates.must_suit(data, memory)
    if before is not None:
        _take_out(before.route, data.config_id, memory)
        templates.leave(before.template_id, data.config_id, memory)
    if isinstance(data, config.NotificationConfigDeleted):
        memory.write(DIRECTORY, key, rows.ConfigPlace(int(at) + KEPT, data.version))
        return APPLIED
    route = route_key(data.event_type, data.told, data.level, data.level_id)
    _put_in(route, data, memory)
    template_id = data.template_id or ""
    templates.use(template_id, data.config_id, data.event_type, memory)
    memory.write(DIRECTORY, key, rows.ConfigPlace(0, data.version, route, template_id))
    return APPLIED


def _put_in(route: str, data: config.NotificationConfig, memory: Memory) -> None:
    here = memory.read(rows.Route, DIRECTORY, route) or rows.Route(0)
    channels = tuple(dict.fromkeys((data.channel, *data.fallback_channels)))
    added = rows.Config(
        data.config_id,
        data.version,
        data.is_enabled,
        channels,
        data.retry_schedule_seconds,
        data.template_id or "",
        timing(data) if data.event_type is REMINDER else None,
    )
    memory.write(DIRECTORY, route, rows.Route(0, tuple(sorted((*here.configs, added), key=lambda each: each.id))))


def _take_out(route: str, config_id: str, memory: Memory) -> None:
    here = memory.read(rows.Route, DIRECTORY, route) if route else None
    if here is None:
        return
    left = tuple(each for each in here.configs if each.id != config_id)
    if left:
        memory.write(DIRECTORY, route, rows.Route(0, left))
    else:
        memory.delete(DIRECTORY, route)
