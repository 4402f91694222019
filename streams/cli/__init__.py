"""`staffetta`: the command line. Every command is a module of this package, registered here."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from streams.cli import (
    db,
    dead_letters,
    demo,
    doctor,
    explain,
    kafka,
    preview,
    produce,
    republish,
    simulator,
    topics,
    worker,
)
from streams.errors import UserError

app = typer.Typer(
    name="staffetta",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,  # boxes and colours are for terminals
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"staffetta {version('staffetta')}")
        raise typer.Exit


@app.callback()
def staffetta(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turns a booking system's change events into assigned callbacks and told people, exactly once.

    A first look, without anything installed:

    \b
      staffetta kafka            a broker to try it on (leave it running)
      echo "STAFFETTA_RECIPIENT_HASH_KEY=$(openssl rand -hex 32)" >> .env
      staffetta topics apply     create the topics
      staffetta db upgrade       create the database's tables
      staffetta worker           run all roles (leave it running)
      staffetta produce FILE     send events in (produce --help shows one)
      staffetta explain ID       see who got a callback, and why; how somebody was told, or why not

    Settings are environment variables with the prefix STAFFETTA_, or lines of .env in the working directory.
    Exit status: 0 done, 1 failed, 2 wrong call or setting.
    """


_TRY = "Try it"
_OPERATE = "Set up and operate"
_USE = "Events in, answers out"

app.command(rich_help_panel=_TRY)(demo.demo)
app.command(rich_help_panel=_TRY)(kafka.kafka)
app.command(rich_help_panel=_TRY)(simulator.simulator)
app.add_typer(topics.app, rich_help_panel=_OPERATE)
app.add_typer(db.app, rich_help_panel=_OPERATE)
app.command(rich_help_panel=_OPERATE)(worker.worker)
app.command(rich_help_panel=_OPERATE)(doctor.doctor)
app.add_typer(republish.app, rich_help_panel=_OPERATE)
app.command(rich_help_panel=_USE)(produce.produce)
app.command(rich_help_panel=_USE)(explain.explain)
app.command(rich_help_panel=_USE)(preview.preview)
app.add_typer(dead_letters.app, rich_help_panel=_USE)


def main() -> None:
    """The console script. What a person can mend is one line on stderr; only our own faults have a traceback."""
    try:
        app()
    except UserError as error:
        print(f"staffetta: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
