"""What a worker needs, each part with what is there or with what to do about it."""

import asyncio
import tempfile
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import DBAPIError

from schemas.reasons import ChannelName
from sinks.channels import open_channels
from sinks.database.away import summary
from sinks.database.engine import create_engine
from sinks.database.schema import SchemaState, schema_state
from streams.app import ROLES
from streams.errors import UserError
from streams.settings import Settings, messages, missing
from streams.supervisor.roles import RoleName
from streams.topics import Plan, topic_admin, wanted_topics

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
    return f"{len(wanted)}, as they should be, {settings.partitions} partitions each"


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
    where = engine.url.render_as_string(hide_password=True)
    try:
        state = schema_state(engine)
    except DBAPIError as error:
        raise UserError(
            f"{where} does not answer ({summary(error)}): start it or set STAFFETTA_DATABASE_URL"
        ) from error
    finally:
        engine.dispose()
    if state is SchemaState.NEWER:
        raise UserError(f"{where} was made by a later version of staffetta: run that version")
    if state is not SchemaState.CURRENT:
        raise UserError(f"the schema of {where} is {state}: run `staffetta db upgrade`")
    return f"{where} has the current schema"


def _data_folder(settings: Settings) -> str:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to ({error.strerror}): make room or set STAFFETTA_DATA_DIR"
        ) from error
    return f"{folder} can be written to"


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
