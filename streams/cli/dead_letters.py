"""`staffetta dead-letters`: what was given up or could not be read, why, and sending it again."""

from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.reasons import ChannelName
from streams.errors import UserError
from streams.settings import load_settings

app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="What was given up or could not be read, why, and sending it again.",
)

Intake = Annotated[
    bool, typer.Option("--intake", help="Records that could not be read, instead of notifications given up.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Reason = Annotated[str | None, typer.Option(metavar="REASON", help="Only of this reason.")]
Channel = Annotated[
    ChannelName | None, typer.Option(help="Only those given up on this channel; not with --intake.")
]
Company = Annotated[str | None, typer.Option(metavar="ID", help="Only of this company; not with --intake.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only from then on: 2h, 3d, 2026-11-23, 2026-11-23T09:00+01:00.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only before that; as --since.")]


@app.command("list")
def show_list(
    intake: Intake = False,
    reason: Reason = None,
    channel: Channel = None,
    company: Company = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the newest first.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List what still needs somebody: not what was sent again and has arrived since.

    It is read from the database, which the role `record` fills. Times are UTC.

    \b
      staffetta dead-letters list --since 2h
      staffetta dead-letters list --reason rejected --company co-7
      staffetta dead-letters list --intake
    """
    from streams.cli import letters_shown
    from streams.cli.letters import filtered
    from streams.cli.record import reading

    settings = load_settings()
    chosen = filtered(settings, reason, channel, company, since, until, intake=intake)
    with reading(settings) as connection:
        found = letters_shown.found(connection, chosen, limit, intake=intake)
    letters_shown.print_list(found, chosen, as_json=as_json, intake=intake)


@app.command("show")
def show(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="The notification's; with --intake TOPIC/PARTITION/OFFSET.")
    ],
    intake: Intake = False,
    company: Annotated[
        str | None, typer.Option(metavar="ID", help="The company, where several have a letter of that id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole: to whom, why, every attempt, and the text.

    With --intake: why the record was refused, its headers and its bytes, in hex where they are no UTF-8.

    \b
      staffetta dead-letters show 5f0c6f1e-0c1b-5d3c-9a53-0d7f0a4f7b11
      staffetta dead-letters show --intake booking.callbacks/3/1204
    """
    from streams.cli import letters_shown
    from streams.cli.letters import one, one_intake
    from streams.cli.record import reading

    with reading(load_settings()) as connection:
        if intake:
            letters_shown.print_intake_letter(one_intake(connection, id), as_json=as_json)
        else:
            letters_shown.print_letter(connection, one(connection, id, company), as_json=as_json)


@app.command("redrive")
def redrive(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `list` names them.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that `list` shows with the same filters.")
    ] = False,
    intake: Intake = False,
    reason: Reason = None,
    channel: Channel = None,
    company: Company = None,
    since: Since = None,
    until: Until = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="With --intake and one ID: send these bytes instead."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="COMPANY", help="With --intake and one ID: under this key instead.")
    ] = None,
    check: Annotated[bool, typer.Option(help="With --intake: keep back what would be refused again.")] = True,
) -> None:
    """Send dead letters again.

    A notification starts anew on the first channel of its chain. It keeps its id, so that pressing twice sends it
    once, and what has become stale or too late meanwhile is suppressed. With --intake the record's bytes, or those
    of a corrected file, are written to their topic again.

    \b
      staffetta dead-letters redrive 5f0c6f1e-0c1b-5d3c-9a53-0d7f0a4f7b11
      staffetta dead-letters redrive --all --reason connection_failed --since 2h
      staffetta dead-letters redrive --intake booking.callbacks/3/1204 --file corrected.json
    """
    from streams.cli import redriving, redriving_intake
    from streams.cli.letters import filtered

    settings = load_settings()
    chosen = filtered(settings, reason, channel, company, since, until, intake=intake)
    _check_call(ids, everything, intake, (file, key), chosen)
    if intake:
        correction = redriving_intake.Correction(file.read_bytes() if file else None, key, check)
        done = redriving_intake.redrive(settings, ids, chosen, correction, yes=yes)
    else:
        done = redriving.redrive(settings, ids, chosen, yes=yes)
    if not done:
        raise typer.Exit(1)


def _check_call(
    ids: list[str] | None, everything: bool, intake: bool, given: tuple[Any, ...], chosen: Any
) -> None:
    if bool(ids) == everything:
        raise UserError("say which: either ids, or --all (with filters, if you like)", 2)
    if ids and (chosen.reason, chosen.channel, chosen.since, chosen.until) != (None,) * 4:
        raise UserError("filters go with --all, not with ids", 2)
    if any(each is not None for each in given) and not (intake and ids and len(ids) == 1):
        raise UserError("--file and --key go with --intake and one id", 2)
