"""`staffetta doctor`: everything a worker needs, looked at once, with what to do about it."""

from collections.abc import Callable

import typer

from streams.errors import UserError
from streams.settings import Settings, load_settings


def doctor() -> None:
    """Look at everything that a worker needs, and say what to do about what is wrong.

    Settings, brokers, topics and whether readers are given what is in them, database, data folder, mail server,
    and the providers of SMS, WhatsApp and push that are set up: each is asked about the account. Nothing is sent
    to anybody, and nothing repaired.
    Exit status 1 if something is wrong.
    """
    from streams.cli.checks import CHECKS, accounts  # Faust and all roles: not for every `staffetta --help`

    settings = load_settings()
    found = [_examine(name, check, settings) for name, check in (CHECKS | accounts(settings)).items()]
    if not all(found):
        raise typer.Exit(1)


def _examine(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        what, is_well = check(settings), True
    except UserError as error:
        what, is_well = str(error), False
    verdict = typer.style("ok     ", fg="green") if is_well else typer.style("problem", fg="red", bold=True)
    typer.echo(f"{verdict}  {name:<12}{what}")
    return is_well
