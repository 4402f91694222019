"""What a worker asks of the topics before it starts."""

from collections.abc import Iterable

import structlog

from streams.settings import Settings
from streams.topics.admin import UnreachableError, topic_admin
from streams.topics.specs import CONTRACT_TOPICS, changelog

log = structlog.get_logger("staffetta")


def wait_for_brokers(settings: Settings) -> None:
    """Return once a broker answers; until then say every few seconds that none does."""
    admin = topic_admin(settings)
    while True:
        try:
            admin.partition_counts(timeout_seconds=3)
        except UnreachableError as error:
            log.warning(f"{error}; trying again")
        else:
            return


def check(settings: Settings, role: str, tables: Iterable[str]) -> None:
    """Raise UserError, naming the topic, if one is missing or has another number of partitions."""
    names = [spec.name for spec in CONTRACT_TOPICS]
    topic_admin(settings).check([*names, *(changelog(role, table).name for table in tables)])
