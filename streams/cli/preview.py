"""`staffetta preview`: what will be written to somebody."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.reasons import Audience, ChannelName, NotificationType
from streams.errors import UserError


def preview(
    event_type: Annotated[NotificationType, typer.Argument(help="What somebody is told about.")],
    channel: Annotated[ChannelName, typer.Option(help="The way it goes.")] = ChannelName.EMAIL,
    locale: Annotated[str, typer.Option(help="The reader's language.")] = "de",
    audience: Annotated[
        Audience | None, typer.Option(help="Who reads it; a callback that changes hands is for staff.")
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="An own text: JSON with the fields of a template, or just the text."
        ),
    ] = None,
    extra: Annotated[list[str] | None, typer.Option(metavar="NAME=TEXT", help="A value of extra.NAME.")] = None,
    html: Annotated[bool, typer.Option("--html", help="The HTML of the mail, for a browser.")] = False,
) -> None:
    """Show a message as it will be sent, about an invented appointment or callback.

    A template that would be refused is refused here, with the reason; exit status 1.

    \b
      staffetta preview appointment.reminder
      staffetta preview appointment.created --channel sms --locale en
      staffetta preview appointment.created --html > mail.html
      staffetta preview appointment.created --template ours.json --extra room=3
    """
    from streams.cli.previewing import Wanted, written
    from streams.policy.notification.recipients import reads

    wanted = Wanted(event_type, channel, locale, audience, _extra(extra or []))
    content = written(wanted, _fields(template) if template is not None else None)
    if not locale.lower().startswith(shown := reads(locale)):
        typer.echo(f"There are no texts in {locale!r}; this is in {shown!r}.", err=True)
    if html:
        if content.get("body_html") is None:
            raise UserError("this message has no HTML", 2)
        typer.echo(content["body_html"], nl=False)
        return
    _show(channel, content)


def _extra(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if pair.find("=") < 1:
            raise UserError(f"--extra {pair}: must be NAME=TEXT, such as --extra room=3", 2)
    return {name: text for name, _, text in (pair.partition("=") for pair in pairs)}


def _fields(file: Path) -> dict[str, Any]:
    """A template's fields; a file that holds no JSON object is its text."""
    try:
        content = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    if file.suffix == ".json" or content.lstrip().startswith('{"'):
        try:
            fields = json.loads(content)
        except json.JSONDecodeError as error:
            raise UserError(f"{file} is no JSON: {error}") from error
        if not isinstance(fields, dict):
            raise UserError(f"{file} must hold one JSON object with the fields of a template")
        return fields
    return {"body_text": content}


def _show(channel: ChannelName, content: dict[str, Any]) -> None:
    from streams.policy.notification import segments

    if content.get("subject"):
        label = "Title" if channel is ChannelName.PUSH else "Subject"
        typer.echo(f"{label}: {content['subject']}\n")
    if content.get("provider_template"):
        asked = content["provider_template"]
        typer.echo(f"Asks for the template {asked['name']} ({asked['language']}) with:")
        for number, text in enumerate(asked["parameters"], 1):
            typer.echo(f"  {{{{{number}}}}} {text}")
        typer.echo("\nThe text that follows is not sent then:\n")
    body: str = content["body_text"]
    typer.echo(body.rstrip("\n"))
    if channel is ChannelName.SMS:
        count = segments.count(body)
        encoding = segments.format_of(body).encoding
        typer.echo(f"\n{count} segment{'s' if count > 1 else ''}, {encoding}, {len(body)} characters")
