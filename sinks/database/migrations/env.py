"""Run by Alembic for `sinks.database.schema.upgrade`, on the connection that it has locked."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script

from sinks.database.schema import VERSION_TABLE
from sinks.database.tables import metadata


def _applied(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    script = step.up_revision
    assert isinstance(script, Script)
    context.config.attributes["progress"](f"{script.revision}: {script.doc}")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    on_version_apply=_applied,
)
context.run_migrations()
