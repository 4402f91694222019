"""What the demo's closing table rests on."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import orjson
import pytest
from rich.console import Console

from schemas.event_types import DEAD_LETTERS, OUTCOMES, REQUESTS, TIMERS
from streams.audit import Entry, Kind, Log
from streams.demo import closing
from streams.demo.appointments import Fate, Reminder
from streams.demo.cases import REFUSED, RESTING
from streams.demo.courses import courses

DUE = datetime(2026, 11, 23, 13, tzinfo=UTC)
NOON = "2026-11-23T11:00:00Z"


def entry(topic: str, type: str, **data: Any) -> Entry:
    event = {"id": "e", "type": type, "time": NOON, "data": {"company_id": "co-7", **data}}
    return Entry(topic, 0, 0, 0, b"co-7", orjson.dumps(event), ())


def asked(notification_id: str, customer_id: str = "cu-1") -> Entry:
    return entry(
        REQUESTS,
        "notification.requested",
        notification_id=notification_id,
        event_type="appointment.created",
        entity={"type": "appointment", "id": "ap-1", "version": 1},
        recipient={"type": "customer", "id": customer_id, "name": "Anna"},
        contents={"email": {"body_text": "x", "template": {"template_id": "own-words", "version": 1}}},
    )


def told(notification_id: str, *kinds: str, reason: str = "unavailable") -> Iterator[Entry]:
    for kind in kinds:
        why = {} if kind == "sent" else {"reason": reason}
        entity = {"type": "appointment", "id": "ap-1", "version": 1}
        what = {"notification_id": notification_id, "entity": entity, "at": NOON, **why}
        yield entry(OUTCOMES, f"notification.{kind}", **what)


def reminded(appointment_id: str) -> Entry:
    return entry(TIMERS, "reminder.due", appointment_id=appointment_id, config_id="cf", due_at=DUE.isoformat())


@pytest.fixture
def log() -> Log:
    """One sent after a retry, one held back, one unconfirmed and repeated, one that waited for quiet hours, one
    given up."""
    return {
        REQUESTS: [asked("a"), asked("b"), asked("c"), asked("d", RESTING), asked("e", REFUSED)],
        "delivery.retry.60": [
            entry("delivery.retry.60", "notification.attempt_due", notification_id=each) for each in "abd"
        ],
        OUTCOMES: [
            *told("a", "retrying", "sent"),
            *told("b", "suppressed", reason="superseded"),
            *told("c", "unconfirmed", "sent", reason="lost_after_data"),
            *told("d", "sent"),
            *told("e", "failed", reason="dead_address"),
        ],
        DEAD_LETTERS: [entry(DEAD_LETTERS, "notification.dead_lettered", notification_id="e")],
    }


def test_each_has_its_place(log: Log) -> None:
    """Each notification is told of by what happened to it."""
    console = Console(file=StringIO(), width=200, highlight=False)
    closing.show(log, [], Counter({"<c>": 2, "<a>": 1, "<d>": 1}), console)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "421: 1 were tried again (1 sent)" in shown
    assert "1 more were held back by the breaker (1 superseded)" in shown
    assert "Unconfirmed: 1 (1 sent), repeated at most once with the same Message-ID" in shown
    assert "1 of them are in the inbox twice" in shown
    assert f"Quiet hours: appointment.created for {RESTING}, of 12:00, was sent at 12:00" in shown
    assert "Own words: 3 mails by own-words version 1" in shown
    [[(company_id, notification_id), course]] = closing.given_up(courses(log))
    assert (company_id, notification_id, course.reason) == ("co-7", "e", "dead_address")
    numbers = next(line.split()[1:] for line in shown.splitlines() if line.split()[:1] == ["all"] and "5" in line)
    assert numbers == ["5", "3", "3", "1", "1", "1", "1"]


def test_a_missing_reminder_is_lost() -> None:
    """A reminder that never fell due is a finding, unless its appointment was cancelled."""
    reminders = [Reminder("co-7", f"ap-{fate}", DUE, fate) for fate in Fate]
    [finding] = closing.missing({TIMERS: [reminded("ap-kept")]}, reminders)
    assert finding.kind is Kind.LOST
    assert finding.what.startswith("ap-moved of co-7")
    assert not closing.missing({TIMERS: [reminded("ap-kept"), reminded("ap-moved")]}, reminders)
