"""The closing tables: what became of the notifications, by channel, and of the reminders."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from schemas.event_types import TIMERS
from schemas.reasons import ChannelName
from streams.audit import Finding, Kind, Log
from streams.demo.appointments import Fate, Reminder
from streams.demo.courses import ARRIVED, Course
from streams.demo.telling import REMINDER

_KINDS = {
    "retried": "retrying",
    "un-\nconfirmed": "unconfirmed",
    "fell\nback": "fell_back",
    "sup-\npressed": "suppressed",
    "failed": "failed",
}
"""Columns, and what they count; so narrow that the table fits into 80 characters."""


def show(found: Sequence[Course], log: Log, reminders: Sequence[Reminder], console: Console) -> None:
    _show_channels(found, console)
    _show_reasons(found, console)
    _show_reminders(found, log, reminders, console)


def _table(title: str, *columns: str, numbers: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, title=title)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def _show_channels(found: Sequence[Course], console: Console) -> None:
    """What fell back stands in the line of each channel that it came to, and once in the last; what was suppressed
    before any was chosen, in that of none."""
    rows = {
        channel or "none": _counts([course for course in found if course.of(channel)], channel)
        for channel in (*ChannelName, "")
    }
    rows["all"] = _counts(found, None)
    table = _table("Notifications by channel and outcome", "channel", numbers=list(rows["all"]))
    for name, numbers in rows.items():
        if name == "all":
            table.add_section()
        table.add_row(name, *(str(number or "·") for number in numbers.values()))
    console.print(table)


def _counts(those: Sequence[Course], channel: str | None) -> dict[str, int]:
    """How many of them were at some time told of so; one that was tried ten times is one."""
    told = [course.of(channel) for course in those]
    kinds = Counter(kind for outcomes in told for kind in {outcome["kind"] for outcome in outcomes})
    return {
        "all": len(those),
        "sent": sum(any(outcome["kind"] in ARRIVED for outcome in outcomes) for outcomes in told),
        "delivered": kinds["delivered"],
        "read": sum(any(outcome.get("reason") == "read" for outcome in outcomes) for outcomes in told),
        "waited": sum(bool(course.waited) if channel is None else channel in course.waited for course in those),
        **{column: kinds[kind] for column, kind in _KINDS.items()},
    }


def _show_reasons(found: Iterable[Course], console: Console) -> None:
    table = _table("Not sent, or not at once", "outcome", "channel", "reason", numbers=("count",))
    outcomes = Counter(
        (outcome["kind"], outcome.get("channel") or "none", outcome.get("reason", ""))
        for course in found
        for outcome in course.outcomes
        if outcome["kind"] not in ARRIVED
    )
    for (kind, channel, reason), count in sorted(outcomes.items()):
        table.add_row(kind.replace("_", " "), channel, reason, str(count))
    console.print(table)


def _show_reminders(found: Iterable[Course], log: Log, reminders: Sequence[Reminder], console: Console) -> None:
    numbers = ("of them", "fell due", "told", *(f"by {channel}" for channel in ChannelName))
    table = _table("Reminders of the day", "appointments", numbers=numbers)
    due = fallen_due(log)
    by = {course.entity: course.told_by for course in found if course.event_type == REMINDER and course.is_told}
    for fate in Fate:
        those = [each for each in reminders if each.fate is fate]
        ways = Counter(by.get((each.company_id, each.appointment_id)) for each in those)
        table.add_row(
            fate,
            str(len(those)),
            str(sum(due[each.company_id, each.appointment_id, each.due] for each in those)),
            str(len(those) - ways[None]),
            *(str(ways[channel] or "·") for channel in ChannelName),
        )
    console.print(table)


def fallen_due(log: Log) -> Counter[tuple[str, str, datetime]]:
    """(company, appointment, moment) -> how often the timer has written it."""
    written = (entry.event for entry in log.get(TIMERS, ()))
    those = (event["data"] for event in written if event["type"] == "reminder.due")
    return Counter(
        (data["company_id"], data["appointment_id"], datetime.fromisoformat(data["due_at"])) for data in those
    )


def missing(log: Log, reminders: Sequence[Reminder]) -> list[Finding]:
    """Reminders that never fell due though the appointment takes place."""
    due = fallen_due(log)
    return [
        Finding(Kind.LOST, f"{each.appointment_id} of {each.company_id} was not to be reminded of at {each.due}")
        for each in reminders
        if each.fate is not Fate.CANCELLED and not due[each.company_id, each.appointment_id, each.due]
    ]
