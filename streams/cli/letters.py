"""What the commands about dead letters have in common: the filter, one letter, and asking first."""

import sys
from datetime import datetime

import typer
from sqlalchemy import Connection

from schemas.reasons import ChannelName, DeliveryReason, RefusedReason, Suppression
from sinks.database import letters
from sinks.database.letters import Filter, Letter
from streams.cli.moments import moment
from streams.cli.record import the_only
from streams.clock import utc
from streams.errors import UserError
from streams.settings import Settings


def now(settings: Settings) -> datetime:
    """By the clock that stamps the events."""
    return utc(settings.clock().now())


def filtered(
    settings: Settings,
    reason: str | None,
    channel: ChannelName | None,
    company: str | None,
    since: str | None,
    until: str | None,
    *,
    intake: bool,
) -> Filter:
    if intake and (channel or company):
        raise UserError("--channel and --company are not known of what could not be read", 2)
    known = {*RefusedReason} if intake else {*Suppression, *DeliveryReason}
    if reason is not None and reason not in known:
        raise UserError(f"--reason {reason}: there is no such reason; there are {', '.join(sorted(known))}", 2)
    at = now(settings)
    return Filter(
        reason,
        channel,
        company,
        None if since is None else moment(since, at, "--since"),
        None if until is None else moment(until, at, "--until"),
    )


def nothing(said: str, chosen: Filter) -> str:
    """That there is nothing, which is no all-clear where it was looked for with filters."""
    return f"{said}." if chosen == Filter() else f"{said} with these filters."


def one(connection: Connection, id: str, company: str | None) -> Letter:
    """The letter of that id. Raises UserError where there is none, or where several companies have one."""
    found = {letter["company_id"]: letter for letter in letters.letters(connection, id, company)}
    return the_only(found, "dead letter", id, company)


def one_intake(connection: Connection, id: str) -> Letter:
    found = letters.intake_letter(connection, id)
    if found is None:
        raise UserError(f"no intake dead letter {id} in the database; ids are TOPIC/PARTITION/OFFSET")
    return found


def agreed(count: int, what: str, *, yes: bool) -> bool:
    """Whether the user wants it, of so many of `what` (in the singular); if not, that is said. Raises UserError
    where nobody can be asked."""
    if yes:
        return True
    counted = f"{count} {what}" if count == 1 else f"{count} {what}s"
    if not sys.stdin.isatty():
        raise UserError(f"{counted} would be sent again, and nobody is there to ask: say --yes", 2)
    is_wanted = _answer(f"Send {counted} again? [y/N]: ") in ("y", "yes")
    if not is_wanted:
        typer.echo("Nothing was sent.")
    return is_wanted


def _answer(question: str) -> str:
    """Asked on stderr, since stdout may be on its way into a file. Ctrl-C and Ctrl-D are an answer too: none."""
    typer.echo(question, nl=False, err=True)
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        line = ""
    if not line:
        typer.echo(err=True)
    return line.strip().lower()
