"""The closing table: what became of each notification and each reminder, and of those that met a fault."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from schemas.event_types import TIMERS
from streams.audit import Finding, Kind, Log
from streams.demo.appointments import Fate, Reminder
from streams.demo.cases import REFUSED, REFUSED_ADDRESS, RESTING
from streams.demo.courses import Course, Key, courses
from streams.demo.names import BERLIN
from streams.demo.telling import REMINDER

_NUMBERS = ("all", "sent", "waited", "retried", "unconfirmed", "suppressed", "failed")


def show(log: Log, reminders: Sequence[Reminder], inbox: Counter[str], console: Console) -> None:
    found = courses(log)
    _show_types(found, console)
    _show_reasons(found, console)
    _show_reminders(found, log, reminders, console)
    _show_faults(found, inbox, console)


def _table(title: str, *columns: str, numbers: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=0, title=title)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right")
    return table


def _show_types(found: Mapping[Key, Course], console: Console) -> None:
    table = _table("Notifications", "event type", numbers=_NUMBERS)
    by_type: dict[str, list[Course]] = {}
    for course in found.values():
        by_type.setdefault(course.event_type, []).append(course)
    for event_type, those in sorted(by_type.items()):
        table.add_row(event_type, *_counts(those))
    table.add_section()
    table.add_row("all", *_counts(list(found.values())))
    console.print(table)


def _counts(those: Sequence[Course]) -> list[str]:
    ends = Counter(course.end for course in those)
    waited = sum(course.has_waited for course in those)
    again, doubtful = (sum(course.was(kind) for course in those) for kind in ("retrying", "unconfirmed"))
    numbers = len(those), ends["sent"], waited, again, doubtful, ends["suppressed"], ends["failed"]
    return [str(number) for number in numbers]


def _show_reasons(found: Mapping[Key, Course], console: Console) -> None:
    table = _table("Not sent, or not at once", "outcome", "reason", numbers=("count",))
    outcomes = Counter(
        (outcome["kind"], outcome.get("reason", ""))
        for course in found.values()
        for outcome in course.outcomes
        if outcome["kind"] != "sent"
    )
    for (kind, reason), count in sorted(outcomes.items()):
        table.add_row(kind, reason, str(count))
    console.print(table)


def _show_reminders(
    found: Mapping[Key, Course], log: Log, reminders: Sequence[Reminder], console: Console
) -> None:
    numbers = ("of them", "reminders fell due", "mails sent")
    table = _table("Reminders of the day", "appointments", numbers=numbers)
    due, sent = fallen_due(log), {course.entity for course in found.values() if _has_reminded(course)}
    for fate in Fate:
        those = [each for each in reminders if each.fate is fate]
        table.add_row(
            fate,
            str(len(those)),
            str(sum(due[each.company_id, each.appointment_id, each.due] for each in those)),
            str(sum((each.company_id, each.appointment_id) in sent for each in those)),
        )
    console.print(table)


def _has_reminded(course: Course) -> bool:
    return course.event_type == REMINDER and course.end == "sent"


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


def _show_faults(found: Mapping[Key, Course], inbox: Counter[str], console: Console) -> None:
    """One line for each thing that went wrong, or was wished for."""
    again = [course for course in found.values() if course.was("retrying")]
    held = [course for course in found.values() if course.has_waited and not course.was("retrying")]
    held = [course for course in held if course.recipient != RESTING]
    doubtful = [course for course in found.values() if course.was("unconfirmed")]
    twice = sum(count > 1 for count in inbox.values())
    console.print(f"421: {len(again)} were tried again ({_ends(again)})")
    console.print(f"     {len(held)} more were held back by the breaker ({_ends(held)})")
    console.print(
        f"Unconfirmed: {len(doubtful)} ({_ends(doubtful)}), repeated at most once with the same Message-ID;"
    )
    console.print(f"     {twice} of them are in the inbox twice")
    for course in found.values():
        if course.recipient == RESTING and course.end == "sent":
            asked, sent = _clock(course.asked_at), _clock(course.outcomes[-1]["at"])
            console.print(f"Quiet hours: {course.event_type} for {RESTING}, of {asked}, was sent at {sent}")
    used = [course.template for course in found.values() if course.end == "sent"]
    own = Counter(template for template in used if template.startswith("own-"))
    for template, count in sorted(own.items()):
        console.print(f"Own words: {count} mails by {template}")
    for (company_id, _), course in given_up(found):
        whose = f", whose address is {REFUSED_ADDRESS}" if course.recipient == REFUSED else ""
        console.print(
            f"Given up: {course.event_type} for {course.recipient} of {company_id}{whose}: {course.reason}"
        )


def given_up(found: Mapping[Key, Course]) -> list[tuple[Key, Course]]:
    """The dead letters, first the one whose address was refused on purpose."""
    letters = [(key, course) for key, course in found.items() if course.is_dead_letter]
    return sorted(letters, key=lambda letter: letter[1].recipient != REFUSED)


def _ends(those: Sequence[Course]) -> str:
    """`33 sent, 8 superseded`"""
    ends = Counter(course.reason or course.end for course in those)
    return ", ".join(f"{count} {end}" for end, count in ends.most_common()) or "none"


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ZoneInfo(BERLIN)):%H:%M}"
