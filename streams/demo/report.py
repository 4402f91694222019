"""What came of the day: figures for people, and whether the guarantees held."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.event_types import DECISIONS, INTAKE_DEAD_LETTERS, OUTCOMES, REQUESTS
from streams.audit import Entry, Finding, Kind, Log, examine
from streams.audit.decisions import ASSIGNING
from streams.demo import closing, incidents
from streams.demo.appointments import Reminder
from streams.demo.courses import Course, Key, courses

_BARS = "▁▂▃▄▅▆▇█"


@dataclass
class Report:
    log: Log
    partitions: int
    speed: float
    inbox: Counter[str]
    messages: Sequence[Mapping[str, Any]]
    """What went to phones, as the simulator's `GET /messages` has it."""
    reminders: Sequence[Reminder]

    @cached_property
    def courses(self) -> dict[Key, Course]:
        return courses(self.log)

    @cached_property
    def findings(self) -> list[Finding]:
        found = examine(self.log, self.partitions, self.inbox, self.messages)
        return [*found, *closing.missing(self.log, self.reminders)]

    def found(self, kind: Kind) -> list[str]:
        return [finding.what for finding in self.findings if finding.kind is kind]

    @property
    def decided(self) -> list[dict[str, Any]]:
        return [entry.event for entry in self.log.get(DECISIONS, ())]

    def seconds_to_acceptance(self) -> list[float]:
        """From the record that caused a notification to its first acceptance by a provider, in real seconds."""
        stamps = {(e.topic, e.partition, e.offset): e.timestamp for entries in self.log.values() for e in entries}
        caused = {}
        for entry in self.log.get(REQUESTS, ()):
            data = entry.event["data"]
            cause = data["cause"]
            caused[data["notification_id"]] = stamps.get((cause["topic"], entry.partition, cause["offset"]))
        found = []
        for entry in self.log.get(OUTCOMES, ()):
            event = entry.event
            if event["type"] != "notification.sent":
                continue
            started = caused.pop(event["data"]["notification_id"], None)
            if started is not None:
                found.append((entry.timestamp - started) / 1000 / self.speed)
        return sorted(found)


def show(report: Report, console: Console) -> None:
    _show_assignment(report, console)
    _show_fairness(report, console)
    _show_notifications(report, console)
    _show_dead_letters(report, console)
    _show_guarantees(report, console)


def _show_assignment(report: Report, console: Console) -> None:
    asked = {_callback(entry) for entry in report.log["booking.callbacks"] if _callback(entry)}
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for event in report.decided:
        if event["type"] in ASSIGNING:
            first.setdefault((event["data"]["company_id"], event["data"]["callback_id"]), event["data"])
    pressed = sum(1 for data in first.values() if data.get("command_id"))
    by_itself = len(first) - pressed
    share = len(first) / len(asked) * 100
    console.print(
        f"\n[bold]{len(asked)} callbacks[/]: {share:.0f} % assigned without manual work "
        f"({by_itself} by themselves, {pressed} by a bulk command)"
    )
    kinds = Counter(event["type"].removeprefix("callback.") for event in report.decided)
    console.print("Decisions: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))


def _callback(entry: Entry) -> tuple[str, str] | None:
    try:
        data = entry.event["data"]
        return data["company_id"], data["callback_id"]
    except (ValueError, KeyError, TypeError):
        return None


def _show_fairness(report: Report, console: Console) -> None:
    given: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for event in report.decided:
        data = event["data"]
        if event["type"] in ASSIGNING:
            given[data["company_id"], data["branch_id"]][data["staff_id"]] += 1
    names = _branch_names(report)
    table = Table("branch", "strategy", "callbacks of each person", "fewest-most", title="Fairness")
    for place, counts in sorted(given.items()):
        values = sorted(counts.values(), reverse=True)
        bars = "".join(_BARS[round(value / max(values) * (len(_BARS) - 1))] for value in values)
        name, strategy = names.get(place, (place[1], ""))
        table.add_row(name, strategy, bars, f"{values[-1]}-{values[0]}")
    console.print(table)


def _branch_names(report: Report) -> dict[tuple[str, str], tuple[str, str]]:
    names = {}
    for entry in report.log["booking.directory"]:
        event = entry.event
        if event["type"] == "branch.upserted":
            data = event["data"]
            names[data["company_id"], data["branch_id"]] = data["name"], data["strategy"]
    return names


def _show_notifications(report: Report, console: Console) -> None:
    closing.show(list(report.courses.values()), report.log, report.reminders, console)
    for line in incidents.lines(report.courses, report.inbox):
        console.print(line)
    seconds = report.seconds_to_acceptance()
    if len(seconds) > 1:
        cuts = quantiles(seconds, n=100)
        console.print(
            f"From event to acceptance: median {cuts[49] * 1000:.0f} ms, p99 {cuts[98]:.1f} s "
            "(real time; the slowest waited for a provider, or a worker that had been killed or paused)"
        )
    to_phones = Counter(message["protocol"] for message in report.messages)
    console.print(
        f"{report.inbox.total()} mails in the inbox, {len(report.inbox)} different ones; at the providers "
        + ", ".join(f"{to_phones[protocol]} by {protocol}" for protocol in sorted(to_phones))
    )


def _show_dead_letters(report: Report, console: Console) -> None:
    table = Table("topic", "reason", "count", title="Dead letters")
    dead = Counter(
        (data["topic"], data["reason"])
        for data in (entry.event["data"] for entry in report.log.get(INTAKE_DEAD_LETTERS, ()))
    )
    given_up = Counter(entry.event["data"]["reason"] for entry in report.log.get("delivery.dead-letters", ()))
    for (topic, reason), count in dead.items():
        table.add_row(topic, reason, str(count))
    for reason, count in given_up.items():
        table.add_row("delivery.dead-letters", reason, str(count))
    console.print(table)


def _show_guarantees(report: Report, console: Console) -> None:
    for kind in Kind:
        for line in report.found(kind)[:10]:
            console.print(f"  [red]{kind}[/]: {line}", highlight=False)
    colour = "red" if report.findings else "green"
    counts = ", ".join(f"{kind} {len(report.found(kind))}" for kind in Kind)
    console.print(
        f"\n[bold {colour}]{counts}[/] "
        "(decisions replayed from the log; doubled: accepted again without having been unconfirmed)"
    )
