"""Dead letters laid out for a person or a program."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from schemas.intake import from_base64, to_base64
from sinks.database import letters
from sinks.database.erasing import ERASED
from sinks.database.letters import Filter, Letter, LetterKey
from streams.cli import layout
from streams.cli.layout import line, utc_time
from streams.cli.letters import nothing


class Found(NamedTuple):
    """`total`: how many there are, also of those that are not among the `letters`."""

    letters: list[Letter]
    total: int


def found(connection: Connection, chosen: Filter, limit: int, *, intake: bool) -> Found:
    query = letters.wanted_intake(chosen) if intake else letters.wanted(chosen)
    listed = letters.listed(connection, query, limit)
    return Found(listed, len(listed) if len(listed) < limit else letters.count(connection, query))


def print_list(listed: Found, chosen: Filter, *, as_json: bool, intake: bool) -> None:
    if as_json:
        typer.echo(layout.to_json(listed.letters))
        return
    console = layout.console()
    if not listed.letters:
        typer.echo(nothing("There are no dead letters", chosen))
        return
    rows = _intake_rows if intake else _rows
    console.print(rows(listed.letters, console.is_terminal))
    if listed.total > len(listed.letters):
        typer.echo(f"and {listed.total - len(listed.letters)} older ones: see --limit", err=True)


def print_letter(connection: Connection, letter: Letter, *, as_json: bool) -> None:
    told = letters.outcomes_of(connection, LetterKey(letter["notification_id"], letter["company_id"]))
    if as_json:
        typer.echo(layout.to_json({**letter, "outcomes": told}))
        return
    console = layout.console()
    for part in _letter(letter, told, console.is_terminal):
        console.print(part)


def print_intake_letter(letter: Letter, *, as_json: bool) -> None:
    if as_json:
        raw = {f"{name}_base64": to_base64(letter[name]) for name in ("key", "value")}
        typer.echo(layout.to_json({**_without(letter, "key", "value"), **raw}))
        return
    console = layout.console()
    for part in _intake_letter(letter):
        console.print(part, soft_wrap=True)


def state(letter: Letter) -> str:
    """How it stands with a letter: given up, or what became of it when it was sent again."""
    if letter["recipient_id"] == ERASED:
        return ERASED
    if letter["redriven"] is None or letter["redriven"] <= letter["redrive"]:
        return "given up"
    since = f"sent again {utc_time(letter['redriven_at'])}"
    if letter["status"] in {None, "failed"}:
        return since
    return ", ".join(filter(None, (since, letter["status"], letter["status_reason"])))


def _rows(found: Iterable[Letter], boxes: bool) -> Table:
    table = layout.table(
        boxes, "given up", "id", "company", "what", "to", "channel", "reason", "redrive", "state",
        numbers=frozenset({"redrive"}),
    )  # fmt: skip
    for letter in found:
        table.add_row(
            *map(
                line,
                (
                    utc_time(letter["given_up_at"]),
                    letter["notification_id"],
                    letter["company_id"],
                    letter["event_type"],
                    letter["recipient_id"],
                    letter["channel"],
                    letter["reason"],
                    str(letter["redrive"]),
                    state(letter),
                ),
            )
        )
    return table


def _intake_rows(found: Iterable[Letter], boxes: bool) -> Table:
    table = layout.table(boxes, "refused", "id", "by", "reason", "detail")
    for letter in found:
        detail = letter["detail"].partition("\n")[0][:200]
        cells = utc_time(letter["refused_at"]), letter["id"], letter["role"], letter["reason"], detail
        table.add_row(*map(line, cells))
    return table


def _letter(letter: Letter, told: list[Letter], boxes: bool) -> Iterator[Text | Table]:
    yield _bold(f"Dead letter {letter['notification_id']} of company {letter['company_id']}")
    data = letter["data"]
    if letter["recipient_id"] == ERASED:
        yield line(f"  {letter['event_type']} about a customer who has been erased: it cannot be sent again")
    else:
        entity, config = data["entity"], data["config"]
        channels = data["channel"], *data["fallback_channels"]
        yield line(
            f"  {letter['event_type']} for {data['audience']} {letter['recipient_id']}, "
            f"about {entity['type']} {entity['id']} version {entity['version']}, caused by {data['caused_by']}"
        )
        yield line(
            f"  priority {data['priority']}, channels {chain(channels, data.get('skipped'))}, "
            f"by the configuration {config['config_id']} version {config['version']} ({config['level']})"
        )
    yield line(f"  given up at {utc_time(letter['given_up_at'])} on {letter['channel']}: {letter['reason']}")
    if letter["error"]:
        yield line(f"  {letter['error']}")
    yield line(f"  redrive {letter['redrive']}, {state(letter)}")
    if data.get("attempts"):
        yield _bold("\nAttempts")
        yield _attempts(data["attempts"], boxes)
    if told:
        yield _bold("\nWhat was told of it")
        yield _told(told, boxes)
    for channel, content in data.get("contents", {}).items():
        yield from _content(channel, content)
    yield line("\nTimes are UTC.", style="dim")


def chain(channels: Iterable[str], skipped: Iterable[Mapping[str, Any]] | None) -> str:
    """In the order in which they are tried, and why some are not."""
    reasons = {each["channel"]: each["reason"] for each in skipped or ()}
    return ", then ".join(f"{each} (skipped: {reasons[each]})" if each in reasons else each for each in channels)


def _attempts(attempts: Iterable[Mapping[str, Any]], boxes: bool) -> Table:
    table = layout.table(boxes, "when", "channel", "attempt", "reason", "error", numbers=frozenset({"attempt"}))
    for each in attempts:
        when = each["at"][:19].replace("T", " ")
        cells = when, each["channel"], str(each["attempt"]), each["reason"], each.get("error") or ""
        table.add_row(*map(line, cells))
    return table


def _told(told: Iterable[Letter], boxes: bool) -> Table:
    table = layout.table(
        boxes, "when", "what", "channel", "attempt", "reason", "error", numbers=frozenset({"attempt"})
    )
    for each in told:
        cells = (
            *(utc_time(each["happened_at"]), each["type"], each["channel"] or "", str(each["attempt"])),
            *(each["reason"] or "", each["error"] or ""),
        )
        table.add_row(*map(line, cells))
    return table


def _content(channel: str, content: Mapping[str, Any]) -> Iterator[Text]:
    template = content["template"]
    yield _bold(f"\nText for {channel} ({template['template_id']} version {template['version']})")
    if content.get("subject"):
        yield line(f"Subject: {content['subject']}")
    yield line(content["body_text"])


def _intake_letter(letter: Letter) -> Iterator[Text]:
    yield _bold(f"Intake dead letter {letter['id']}")
    yield line(f"  refused at {utc_time(letter['refused_at'])} by {letter['role']}: {letter['reason']}")
    yield line(f"  {letter['detail']}")
    yield line(f"  written at {utc_time(letter['timestamp'])} under the key {_bytes(letter['key'])}")
    if letter["redriven_at"] is not None:
        yield line(f"  sent again at {utc_time(letter['redriven_at'])}")
    yield _bold("\nHeaders")
    for name, content in letter["headers"]:
        yield line(f"{name}: {_bytes(from_base64(content))}")
    yield _bold("\nBytes" if letter["value"] is None or _is_text(letter["value"]) else "\nBytes, in hex")
    yield line(_bytes(letter["value"]))


def _bytes(content: bytes | None) -> str:
    """As text where it is UTF-8, else in hex, 32 bytes a line."""
    if content is None:
        return "(none)"
    if _is_text(content):
        return content.decode()
    return "\n".join(content[start : start + 32].hex(" ") for start in range(0, len(content), 32))


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without(letter: Letter, *names: str) -> dict[str, Any]:
    return {name: value for name, value in letter.items() if name not in names}


def _bold(text: str) -> Text:
    return line(text, style="bold")
