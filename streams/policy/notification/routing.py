"""Which configuration decides: the first level that says anything, from the most specific."""

from collections.abc import Callable

from schemas.reasons import Audience, Level
from streams.policy.notification.facts import Facts
from streams.policy.notification.rows import Config
from streams.policy.notification.triggers import Trigger

LEVELS = (Level.STAFF, Level.SERVICE, Level.BRANCH, Level.COMPANY)
"""In the order in which they are asked."""

Ids = tuple[str | None, ...]
"""The id on each of `LEVELS`; None: nobody, or nothing, is there."""


def route_key(event_type: str, audience: str, level: str, level_id: str) -> str:
    """Where the configurations of one level for one event type and audience stand in the directory."""
    return f"route/{event_type}/{audience}/{level}/{level_id}"


def deciding(
    trigger: Trigger, company_id: str, configs_at: Callable[[str], tuple[Config, ...]]
) -> tuple[Level, tuple[Config, ...]] | None:
    """The level that decides alone, with every configuration that stands there; None: no level says anything.

    For a colleague the staff level is their own, for a customer that of the colleague concerned.
    """
    staff_id = trigger.person if trigger.audience is Audience.STAFF else trigger.facts.staff_id
    ids = levels(trigger.facts, staff_id, company_id)
    return first_level(trigger.event_type, trigger.audience, ids, configs_at)


def levels(facts: Facts, staff_id: str | None, company_id: str) -> Ids:
    return staff_id, facts.service_id, facts.branch_id, company_id


def first_level(
    event_type: str, audience: str, ids: Ids, configs_at: Callable[[str], tuple[Config, ...]]
) -> tuple[Level, tuple[Config, ...]] | None:
    for level, level_id in zip(LEVELS, ids, strict=True):
        if level_id is None:
            continue
        configs = configs_at(route_key(event_type, audience, level, level_id))
        if configs:
            return level, configs
    return None


def is_missed(trigger: Trigger) -> bool:
    """Whether it is worth saying that nothing is configured: for the customer of an appointment, and for the
    colleague who gets a callback. Everything else that nobody configured is simply not sent."""
    if trigger.audience is Audience.CUSTOMER:
        return trigger.facts.type == "appointment"
    return trigger.event_type == "callback.assigned"
