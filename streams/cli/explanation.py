"""One decision and its callback, gathered from the database and laid out for a person or a program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from sinks.database import questions, stories
from sinks.database.questions import Fields, Step, Subject
from streams.cli import layout
from streams.cli.layout import line


@dataclass(frozen=True, slots=True)
class Explanation:
    """`callback` and `decision` are rows of those tables, None where there is none. `names` of staff by id."""

    company_id: str
    callback_id: str | None
    callback: Fields | None
    decision: Fields | None
    history: list[Step]
    notifications: list[Fields]
    """Those about the callback, as they stand."""
    names: Mapping[str, str]
    zone: tzinfo
    """The branch's, in which people think of it."""


def gather(connection: Connection, subject: Subject) -> Explanation:
    company_id, callback_id, decision = subject
    callback, history, notifications = None, [], []
    if callback_id is not None:
        callback = questions.callback(connection, company_id, callback_id)
        history = questions.history(connection, company_id, callback_id)
        notifications = stories.about(connection, company_id, callback_id)
    about: Fields = decision or callback or {}
    branch_id: str = about.get("branch_id") or ""
    branches = questions.directory(connection, company_id, "branch", [branch_id])
    candidates = decision["candidates"] if decision else []
    people = {person for step in history if (person := step.staff_id)} | {each["staff_id"] for each in candidates}
    people |= {each["recipient_id"] for each in notifications if each["audience"] == "staff"} - {None}
    staff = questions.directory(connection, company_id, "staff", people)
    return Explanation(
        company_id,
        callback_id,
        callback,
        decision,
        history,
        notifications,
        {id: each["name"] for id, each in staff.items()},
        ZoneInfo(branches[branch_id]["timezone"]) if branch_id in branches else UTC,
    )


def to_json(explained: Explanation) -> str:
    """All of it, times in UTC."""
    whole = {
        "company_id": explained.company_id,
        "callback_id": explained.callback_id,
        "callback": explained.callback,
        "decision": explained.decision,
        "staff_names": explained.names,
        "history": [step._asdict() for step in explained.history],
        "notifications": explained.notifications,
    }
    return layout.to_json(whole)


def show(explained: Explanation) -> None:
    """For a terminal with boxes and colours, else plain lines that are never wrapped."""
    console = layout.console()
    for part in _parts(explained, console.is_terminal):
        console.print(part)


def _parts(explained: Explanation, boxes: bool) -> Iterator[Text | Table]:
    yield line(_heading(explained), style="bold")
    decision = explained.decision
    if decision is None:
        yield line("Nothing was decided about it yet.")
    else:
        yield from _decision(decision, explained, boxes)
    if explained.history:
        yield line("\nWhat happened", style="bold")
        yield _history(explained, boxes)
    if explained.notifications:
        yield line("\nWho was told (`staffetta explain ID` tells how)", style="bold")
        yield _notifications(explained, boxes)
    yield line(f"\nTimes are those of {explained.zone}.", style="dim")


def _heading(explained: Explanation) -> str:
    if explained.callback_id is None:
        return f"A decision about several callbacks of company {explained.company_id}"
    heading = f"Callback {explained.callback_id} of company {explained.company_id}"
    callback = explained.callback
    if callback is None or callback["version"] is None:
        return f"{heading}: the booking system's event is not known here"
    owner = callback["assigned_to"] or callback["last_staff_id"]
    parts = [
        f"branch {callback['branch_id']}",
        f"priority {callback['priority']}",
        callback["status"],
        f"with {_person(owner, explained)}" if owner else "with nobody",
    ]
    return f"{heading}: {', '.join(parts)}"


def _decision(decision: Fields, explained: Explanation, boxes: bool) -> Iterator[Text | Table]:
    yield line(f"\nDecision {decision['decision_id']}", style="bold")
    yield line(
        f"  {decision['type']} at {_time(decision['decided_at'], explained)}: {_verdict(decision, explained)}"
    )
    command = f", by the command {decision['command_id']}" if decision["command_id"] else ""
    yield line(f"  caused by {decision['caused_by']}{command}")
    if decision["note"]:
        yield line(f"  note: {decision['note']}")
    if decision["candidates"]:
        yield _candidates(decision, explained, boxes)
    if decision["candidates_omitted"]:
        omitted = ", ".join(f"{count} {reason}" for reason, count in decision["candidates_omitted"].items())
        yield line(f"  and others: {omitted}")
    basis = ", ".join(f"{topic} {offset}" for topic, offset in sorted(decision["basis"].items()))
    yield line(f"  rested on partition {decision['partition']} up to {basis}")


def _verdict(decision: Fields, explained: Explanation) -> str:
    if decision["total"] is not None:
        return f"{decision['assigned']} of {decision['total']} assigned, {decision['failed']} not"
    if decision["staff_id"] is None:
        return f"nobody, {decision['reason']}"
    name = decision["staff_name"] or explained.names.get(decision["staff_id"], "")
    words = f"{decision['staff_id']} {name}".strip() + f", chosen by {decision['chosen_by']}"
    if decision["strategy"] and decision["strategy"] != decision["chosen_by"]:
        words += f" (strategy {decision['strategy']})"
    if decision["previous_staff_id"]:
        words += f", instead of {_person(decision['previous_staff_id'], explained)}, {decision['reason']}"
    return words


def _candidates(decision: Fields, explained: Explanation, boxes: bool) -> Table:
    numbers = frozenset({"load", "turn"})
    table = layout.table(boxes, "", "staff", "name", "load", "turn", "last assigned", "why not", numbers=numbers)
    for candidate in decision["candidates"]:
        chosen = candidate["staff_id"] == decision["staff_id"]
        last = candidate.get("last_assigned_at")
        table.add_row(
            *map(
                line,
                (
                    "->" if chosen else "",
                    candidate["staff_id"],
                    explained.names.get(candidate["staff_id"], ""),
                    str(candidate["load"]),
                    str(candidate["turn"]),
                    _time(datetime.fromisoformat(last), explained) if last else "never",
                    candidate.get("excluded_by") or "",
                ),
            ),
            style="bold green" if chosen else "" if candidate["eligible"] else "dim",
        )
    return table


def _history(explained: Explanation, boxes: bool) -> Table:
    table = layout.table(boxes, "when", "what", "who", "details")
    for step in explained.history:
        person = _person(step.staff_id, explained) if step.staff_id else ""
        table.add_row(*map(line, (_time(step.at, explained), step.what, person, step.detail)))
    return table


def _notifications(explained: Explanation, boxes: bool) -> Table:
    table = layout.table(boxes, "id", "what", "whom", "how it stands")
    for each in explained.notifications:
        whom, how = each["recipient_id"], (each["status"], each["channel"], each["reason"])
        named = _person(whom, explained) if whom else each["audience"] or ""
        cells = each["notification_id"], each["event_type"] or "", named, ", ".join(filter(None, how))
        table.add_row(*map(line, cells))
    return table


def _person(id: str, explained: Explanation) -> str:
    return f"{id} {explained.names.get(id, '')}".strip()


def _time(moment: datetime, explained: Explanation) -> str:
    return f"{moment.astimezone(explained.zone):%Y-%m-%d %H:%M:%S}"
