"""What a worker asks of the brokers before it starts. However often it starts: they may be away at any time."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from streams.settings import Settings
from streams.topics.admin import UnreachableError, topic_admin
from streams.topics.specs import wanted_topics

T = TypeVar("T")

log = structlog.get_logger("staffetta")


def patiently(ask: Callable[[], T]) -> T:
    """What `ask` gives once a broker answers; until then say every few seconds that none does."""
    while True:
        try:
            return ask()
        except UnreachableError as error:
            log.warning(f"{error}; trying again")


def check(settings: Settings, role: str) -> None:
    """Raise UserError, naming the topic, if one is missing or has another number of partitions."""
    wanted = [spec.name for spec in wanted_topics([role], settings.delay_ladder_seconds)]
    admin = topic_admin(settings)
    patiently(lambda: admin.check(wanted))


def cluster_id(settings: Settings) -> str:
    """Which cluster this is: offsets mean nothing in another one."""
    return patiently(topic_admin(settings).cluster_id)
