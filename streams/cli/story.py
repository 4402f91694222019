"""One notification from its cause to how it stands now, laid out for a person or a program."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.table import Table
from rich.text import Text

from sinks.database.questions import Fields
from sinks.database.stories import Story, receipts
from streams.cli import layout
from streams.cli.layout import line, utc_time
from streams.cli.letters_shown import chain, state
from streams.cli.standing import standing


def to_json(story: Story) -> str:
    """All of it, times in UTC."""
    row = story.notification
    whole = {
        "company_id": row["company_id"],
        "notification_id": row["notification_id"],
        "standing": standing(story),
        "erased": story.is_erased,
        "notification": row,
        "cause": story.cause and story.cause._asdict(),
        "outcomes": story.outcomes,
        "dead_letter": story.letter,
    }
    return layout.to_json(whole)


def show(story: Story) -> None:
    """For a terminal with boxes and colours, else plain lines that are never wrapped."""
    console = layout.console()
    for part in _parts(story, console.is_terminal):
        console.print(part)


def _parts(story: Story, boxes: bool) -> Iterator[Text | Table]:
    row = story.notification
    yield line(f"Notification {row['notification_id']} of company {row['company_id']}", style="bold")
    yield line(standing(story))
    if story.is_erased:
        yield line("Its customer has been erased: the id and what servers said are gone.")
    yield line("")
    yield from map(line, _origin(story))
    for number, told in enumerate(story.rounds):
        if number:
            yield line(f"\nSent again ({number})", style="bold")
        yield from _round(told, boxes)
    if story.letter is not None:
        yield from _letter(story.letter)
    yield line("\nTimes are UTC.", style="dim")


def _origin(story: Story) -> Iterator[str]:
    row = story.notification
    what = row["event_type"] or "what it tells is not recorded yet"
    yield f"  {what}, about {row['entity_type']} {row['entity_id']} version {row['entity_version']}"
    yield f"  caused by {_cause(story)}"
    if row["recipient_id"] is not None:
        asked = utc_time(row["requested_at"])
        yield f"  for {_whom(row)}, priority {row['priority']}, in {row['locale']}, asked for at {asked}"
    elif row["audience"] is not None:
        yield f"  for the {row['audience']}"
    if row["config_id"] is not None:
        yield f"  by the {row['config_level']}'s configuration {row['config_id']} version {row['config_version']}"
    if row["channels"] is not None:
        yield f"  channels: {chain(row['channels'], row['skipped'])}"
    for channel, template in (row["templates"] or {}).items():
        yield f"  text for {channel}: {template['template_id']} version {template['version']}"


def _cause(story: Story) -> str:
    id, cause = story.notification["caused_by"], story.cause
    if cause is None:
        return f"the event {id}"
    kind = "decision" if cause.is_decision else "event"
    return f"the {kind} {id}: {cause.type} at {utc_time(cause.at)}"


def _whom(row: Fields) -> str:
    whom = f"{row['audience']} {row['recipient_id']}"
    if row["audience"] == "staff" and row["customer_id"] is not None:
        return f"{whom}, of customer {row['customer_id']}"
    return whom


def _round(told: list[Fields], boxes: bool) -> Iterator[Text | Table]:
    """Channel by channel, attempt by attempt."""
    later = receipts(told)
    for channel, outcomes in groupby(told, key=lambda outcome: outcome["channel"]):
        yield line(f"\nBy {channel}" if channel else "\nWithout a channel", style="bold")
        yield _outcomes(outcomes, later, boxes)


def _outcomes(outcomes: Iterable[Fields], later: set[str], boxes: bool) -> Table:
    table = layout.table(boxes, "when", "", "what", "reason", "next attempt", "details")
    for outcome in outcomes:
        of_attempt = f"attempt {outcome['attempt']}" if outcome["attempt"] else ""
        due = outcome["next_attempt_at"]
        cells = (
            utc_time(outcome["happened_at"]),
            "receipt" if outcome["event_id"] in later else of_attempt,
            _what(outcome),
            outcome["reason"] or "",
            utc_time(due) if due is not None else "",
            outcome["error"] or _provider(outcome),
        )
        table.add_row(*map(line, cells))
    return table


def _what(outcome: Fields) -> str:
    kind: str = outcome["type"].removeprefix("notification.")
    return "read" if outcome["reason"] == "read" else kind


def _provider(outcome: Fields) -> str:
    return " ".join(filter(None, (outcome["provider"], outcome["provider_message_id"])))


def _letter(letter: Fields) -> Iterator[Text]:
    yield line("\nDead letter", style="bold")
    again = f"redrive {letter['redrive']}, " if letter["redrive"] else ""
    yield line(
        f"  {again}given up at {utc_time(letter['given_up_at'])} on {letter['channel']}: {letter['reason']}"
    )
    if letter["error"]:
        yield line(f"  {letter['error']}")
    how = state(letter)
    if how != "given up":
        yield line(f"  {how}")
    id, company = letter["notification_id"], letter["company_id"]
    yield line(f"  staffetta dead-letters show {id} --company {company}", style="dim")
