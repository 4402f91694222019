"""`staffetta republish`: what the record knows, told to the roles once more."""

from typing import Annotated

import typer

from streams.errors import UserError
from streams.settings import load_settings

app = typer.Typer(name="republish", no_args_is_help=True, help="Tell the roles again what the record knows.")


@app.callback()
def republish() -> None:
    """Keep the subcommand's name although there is only one."""


@app.command("directory")
def directory(
    company: Annotated[str | None, typer.Option(metavar="ID", help="Only this company's.")] = None,
) -> None:
    """Write the latest snapshot of every entity to booking.directory again, deletions included.

    For a role that is new, or was off for longer than the topic keeps its events (90 days). Companies come before
    branches, branches before what rests on them. Versions stay as they are: who knows them changes nothing.

    \b
      staffetta republish directory
      staffetta republish directory --company co-7
    """
    from schemas.event_types import DIRECTORY
    from sinks.database import directory
    from sinks.producer import EventProducer
    from streams.cli.progress import progress
    from streams.cli.record import reading
    from streams.topics import topic_admin

    settings = load_settings()
    with reading(settings) as connection:
        total = directory.count(connection, company)
        if not total:
            raise UserError(f"the database has no directory{f' of the company {company}' if company else ''}")
        topic_admin(settings).check([DIRECTORY])
        producer = EventProducer(settings.kafka_client_config(), settings.topic_prefix, settings.clock())
        with progress("Writing", total) as advance:
            for snapshot in directory.snapshots(connection, company):
                producer.send(snapshot)
                advance(1)
            producer.settle()
    typer.echo(f"{producer.acknowledged} entities written to {settings.topic_prefix}{DIRECTORY}")
