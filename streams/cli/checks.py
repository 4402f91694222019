"""What a worker needs, each part with what is there or with what to do about it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from confluent_kafka import KafkaException

from schemas.reasons import ChannelName
from sinks.channels import open_channels
from sinks.database.engine import create_engine
from sinks.database.schema import name_of, require_schema
from streams.app import ROLES
from streams.cli.data_folder import prepare
from streams.errors import UserError
from streams.settings import Settings, messages, missing
from streams.supervisor.roles import RoleName
from streams.topics import Plan, contract_topics, topic_admin, wanted_topics
from streams.topics.hidden import Hidden, hidden

Check = Callable[[Settings], str]


def _settings(settings: Settings) -> str:
    lacking = missing(settings, tuple(RoleName))
    if lacking is not None:
        raise UserError(messages.required(*lacking, Settings))
    return "complete"


def _brokers(settings: Settings) -> str:
    topic_admin(settings).partition_counts()
    return f"answering at {','.join(settings.brokers)}"


def _topics(settings: Settings) -> str:
    wanted = wanted_topics(ROLES, settings.delay_ladder_seconds)
    plan = topic_admin(settings).plan(wanted)
    if plan:
        raise UserError(_difference(plan, settings))
    try:
        found = hidden(settings, [spec.name for spec in contract_topics(settings.delay_ladder_seconds)])
    except (KafkaException, TimeoutError) as error:
        raise UserError(f"whether their records can be read is not known: {error}") from error
    if found:
        raise UserError(_open(found))
    return f"{len(wanted)}, as they should be, {settings.partitions} partitions each"


def _open(found: Sequence[Hidden]) -> str:
    first = min(found, key=lambda each: each.since)
    others = f", and of {len(found) - 1} more partitions," if len(found) > 1 else ""
    return (
        f"nobody is given what was written to {first.place} since {first.since:%Y-%m-%d %H:%M:%S} UTC{others} "
        'because a transaction was never ended: see "A broker has crashed" in docs/operations.md'
    )


def _difference(plan: Plan, settings: Settings) -> str:
    if plan.wrong_count:
        wrong = plan.wrong_count[0]
        return (
            f"{settings.topic_prefix}{wrong.name} has {wrong.has} partitions, but STAFFETTA_PARTITIONS is "
            f"{settings.partitions}: correct the setting, or use another STAFFETTA_TOPIC_PREFIX"
        )
    return (
        f"{len(plan.missing)} missing, {len(plan.wrong_config)} settings differ: run `staffetta topics apply` "
        "(`staffetta topics plan` shows what it will do)"
    )


def _database(settings: Settings) -> str:
    engine = create_engine(settings.database_url)
    try:
        require_schema(engine, wait=False)
    finally:
        engine.dispose()
    return f"{name_of(engine)} has the current schema"


def _data_folder(settings: Settings) -> str:
    prepare(settings.data_dir, bytes(4096))
    return f"{settings.data_dir} can be written to"


CHECKS: dict[str, Check] = {
    "settings": _settings,
    "brokers": _brokers,
    "topics": _topics,
    "database": _database,
    "data folder": _data_folder,
}
"""Each returns what it found, or raises UserError with what is wrong and what to do."""


def accounts(settings: Settings) -> dict[str, Check]:
    """The same for every account of the channels that are set up, by the provider's name in outcomes."""
    return {
        provider: partial(_account, name, provider)
        for name, channel in open_channels(settings).items()
        for provider in channel.examinations()
    }


def _account(name: ChannelName, provider: str, settings: Settings) -> str:
    async def ask() -> str:
        channel = open_channels(settings)[name]  # in the loop that uses it
        try:
            return await channel.examinations()[provider]()
        finally:
            await channel.close()

    return asyncio.run(ask())
