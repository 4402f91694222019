"""`staffetta db`: the tables of the record."""

from collections import Counter
from datetime import timedelta
from typing import Annotated

import typer

from streams.errors import UserError
from streams.settings import load_settings

app = typer.Typer(name="db", no_args_is_help=True, help="The database's tables: made, brought up to date, pruned.")
YOUNG = timedelta(days=1)


@app.command("upgrade")
def upgrade() -> None:
    """Create the database's tables, or bring them to what this version needs.

    The database is that of STAFFETTA_DATABASE_URL (default: SQLite in STAFFETTA_DATA_DIR). It can be run again at
    any time, and by several at once: one works and the others wait.
    """
    from sinks.database import schema
    from sinks.database.engine import create_engine
    from streams.cli.data_folder import prepare

    settings = load_settings()
    if "database_url" not in settings.model_fields_set:  # then it lies there
        prepare(settings.data_dir)
    engine = create_engine(settings.database_url)
    steps: list[str] = []

    def progress(step: str) -> None:
        steps.append(step)
        typer.echo(f"+ {step}")

    typer.echo(f"Database: {schema.name_of(engine)}")
    with schema.plainly(engine):
        schema.upgrade(engine, progress)
    typer.echo("Done." if steps else "The tables are as they should be.")


@app.command("prune")
def prune(
    older_than: Annotated[
        str, typer.Option(metavar="DURATION", help="90d, 12h: what ended longer ago than that is deleted.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Also with less than a day.")] = False,
) -> None:
    """Delete what ended long ago: notifications with their outcomes and dead letters, closed callbacks with their
    history and decisions, and records that could not be read.

    What is still open stays, however old: callbacks that nobody closed, notifications without an end. So does the
    directory. Workers go on meanwhile; it can be broken off and run again.

    \b
      staffetta db prune --older-than 90d
    """
    from sinks.database import pruning
    from streams.cli.letters import now
    from streams.cli.moments import before, duration
    from streams.cli.progress import progress
    from streams.cli.record import opened

    span = duration(older_than, "--older-than")
    if span < YOUNG and not yes:
        raise UserError(f"{older_than} is less than a day: say --yes if that is meant", 2)
    settings = load_settings()
    moment = before(now(settings), span)
    deleted: Counter[str] = Counter()
    with opened(settings) as engine, progress("Deleting", None) as advance:
        for step in pruning.prune(engine, moment):
            deleted.update(step)
            advance(sum(step.values()))
    typer.echo(f"{deleted.total()} rows deleted, of what ended before {moment:%Y-%m-%d %H:%M:%S} UTC")
    for table, count in sorted(deleted.items()):
        typer.echo(f"  {table}  {count}")
