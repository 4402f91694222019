"""`staffetta db`: the tables of the record."""

import typer

from streams.settings import load_settings

app = typer.Typer(name="db", no_args_is_help=True, help="Create the database's tables, or bring them up to date.")


@app.callback()
def db() -> None:
    """Keep the subcommand's name although there is only one."""


@app.command("upgrade")
def upgrade() -> None:
    """Create the database's tables, or bring them to what this version needs.

    The database is that of STAFFETTA_DATABASE_URL (default: SQLite in STAFFETTA_DATA_DIR). It can be run again at
    any time, and by several at once: one works and the others wait.
    """
    from sinks.database import schema
    from sinks.database.engine import create_engine

    engine = create_engine(load_settings().database_url)
    steps: list[str] = []

    def progress(step: str) -> None:
        steps.append(step)
        typer.echo(f"+ {step}")

    typer.echo(f"Database: {schema.name_of(engine)}")
    with schema.plainly(engine):
        schema.upgrade(engine, progress)
    typer.echo("Done." if steps else "The tables are as they should be.")
