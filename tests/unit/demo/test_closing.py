"""What the demo's closing tables rest on."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import orjson
import pytest
from rich.console import Console

from schemas.event_types import DEAD_LETTERS, OUTCOMES, REQUESTS, TIMERS
from schemas.reasons import ChannelName
from streams.audit import Entry, Kind, Log
from streams.demo import closing, incidents
from streams.demo.appointments import Fate, Reminder
from streams.demo.cases import LANDLINE, RESTING, SLOW, STOPPED
from streams.demo.courses import courses, given_up

DUE = datetime(2026, 11, 23, 13, tzinfo=UTC)
NOON = "2026-11-23T11:00:00Z"


def entry(topic: str, type: str, **data: Any) -> Entry:
    event = {"id": "e", "type": type, "time": NOON, "data": {"company_id": "co-7", **data}}
    return Entry(topic, 0, 0, 0, b"co-7", orjson.dumps(event), ())


def asked(notification_id: str, customer_id: str = "cu-1", event_type: str = "appointment.created") -> Entry:
    words = {"body_text": "x", "template": {"template_id": "own-words", "version": 1}}
    return entry(
        REQUESTS,
        "notification.requested",
        notification_id=notification_id,
        event_type=event_type,
        entity={"type": "appointment", "id": "ap-1", "version": 1},
        recipient={"type": "customer", "id": customer_id, "name": "Anna"},
        contents={"email": words, "sms": words},
    )


def told(notification_id: str, *steps: str, reason: str = "unavailable") -> Iterator[Entry]:
    """Each step: `sent email`; without a channel: `suppressed `."""
    for kind, channel in (step.split(" ") for step in steps):
        why = {} if kind in ("sent", "delivered") else {"reason": reason}
        entity = {"type": "appointment", "id": "ap-1", "version": 1}
        what = {
            "notification_id": notification_id,
            "entity": entity,
            "channel": channel or None,
            "at": NOON,
            **why,
        }
        yield entry(OUTCOMES, f"notification.{kind}", **what)


def waited(notification_id: str, channel: str) -> Entry:
    what = {"notification_id": notification_id, "attempt_channel": channel}
    return entry("delivery.retry.60", "notification.attempt_due", **what)


def reminded(appointment_id: str) -> Entry:
    return entry(TIMERS, "reminder.due", appointment_id=appointment_id, config_id="cf", due_at=DUE.isoformat())


@pytest.fixture
def log() -> Log:
    """One notification for each thing that can befall it."""
    people = {"d": RESTING, "e": LANDLINE, "h": SLOW, "i": STOPPED, "j": STOPPED}
    return {
        REQUESTS: [asked(each, people.get(each, "cu-1")) for each in "abcdefghij"],
        "delivery.retry.60": [
            waited("a", "email"),
            waited("b", "email"),
            waited("d", "email"),
            waited("g", "sms"),
        ],
        OUTCOMES: [
            *told("a", "retrying email", "sent email"),
            *told("b", "suppressed email", reason="superseded"),
            *told("c", "unconfirmed email", "sent email", reason="lost_after_data"),
            *told("d", "sent email"),
            *told("e", "failed sms", reason="dead_address"),
            *told("f", "sent sms", "fell_back sms", "sent email"),
            *told("g", "retrying sms", "sent sms", "delivered sms", reason="rate_limited"),
            *told("h", "unconfirmed sms", "delivered sms", reason="timeout"),
            *told("i", "sent sms", "delivered sms"),
            *told("j", "fell_back sms", "sent email", reason="unsubscribed"),
            *told("k", "suppressed ", reason="no_visible_change"),
        ],
        DEAD_LETTERS: [entry(DEAD_LETTERS, "notification.dead_lettered", notification_id="e")],
    }


def shown(show: Callable[[Console], None], width: int = 200) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    show(console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_channels(log: Log) -> None:
    """Each channel's line counts what it was tried for, and the last line each notification once."""
    said = shown(lambda console: closing.show(list(courses(log).values()), log, [], console))
    rows = [line.split() for line in said.partition("Not sent")[0].splitlines()]
    numbers = {row[0]: row[1:] for row in rows if row and row[0] in (*ChannelName, "none", "all")}
    assert numbers == {
        "email": ["6", "5", "·", "·", "3", "1", "1", "·", "1", "·"],
        "sms": ["6", "4", "3", "·", "1", "1", "1", "2", "·", "1"],
        "whatsapp": ["·"] * 10,
        "push": ["·"] * 10,
        "none": ["1", *7 * "·", "1", "·"],
        "all": ["11", "8", "3", "·", "4", "2", "2", "2", "2", "1"],
    }


def test_fits(log: Log) -> None:
    """The tables of a day with thousands of notifications fit into a terminal of 80 characters."""
    many = 200 * list(courses(log).values())
    reminders = [Reminder("co-7", f"ap-{fate}", DUE, fate) for fate in Fate]
    said = shown(lambda console: closing.show(many, log, reminders, console), width=80)
    assert "…" not in said
    assert {"delivered", "2200", "whatsapp"} <= set(said.split())
    assert " appointments of them fell due told by email by sms by whatsapp by push" in said


def test_reasons(log: Log) -> None:
    """What was not sent at once stands there with its channel and reason."""
    said = shown(lambda console: closing.show(list(courses(log).values()), log, [], console))
    rows = {tuple(line.split()) for line in said.splitlines()}
    assert ("fell", "back", "sms", "unsubscribed", "1") in rows
    assert ("retrying", "sms", "rate_limited", "1") in rows


def test_incidents(log: Log) -> None:
    """Each thing that went wrong is told of by what became of those whom it concerned."""
    assert list(incidents.lines(courses(log), Counter({"<c>": 2, "<a>": 1, "<d>": 1}))) == [
        "421: 1 mails were tried again (1 sent by email)",
        "     1 more were held back by the breaker (1 superseded)",
        "429: 1 SMS were tried again (1 delivered by sms)",
        "     0 more were held back by the breaker (none)",
        "Phones that were off: 1 messages (1 sent by email)",
        "Numbers without WhatsApp: 0 messages (none)",
        "Apps and browsers that are gone: 0 messages (none)",
        "Unconfirmed: 1 mails (1 sent by email), repeated at most once with the same Message-ID;",
        "     1 of them are in the inbox twice",
        "     1 to phones (1 delivered by sms); an SMS is never repeated, its receipt clears it",
        "Slow answer: appointment.created for Lena Langsam by SMS: unconfirmed at 12:00, delivered at 12:00, "
        "by the receipt",
        "STOP: Stefan Stopp was told appointment.created by sms, then appointment.created by email",
        "Quiet hours: appointment.created for Nils Nachtschicht, of 12:00, was sent at 12:00",
        "Own words: 5 by email, own-words version 1",
        "Own words: 3 by sms, own-words version 1",
        "Given up: appointment.created for Rolf Festnetz of co-7: dead_address",
    ]
    [[(company_id, notification_id), course]] = given_up(courses(log))
    assert (company_id, notification_id, course.reason) == ("co-7", "e", "dead_address")


def test_many_given_up(log: Log) -> None:
    """Of many dead letters the first few are named, and the others counted."""
    ids = [f"z{number}" for number in range(9)]
    log[REQUESTS] = [*log[REQUESTS], *map(asked, ids)]
    log[OUTCOMES] = [*log[OUTCOMES], *(each for id in ids for each in told(id, "failed sms"))]
    log[DEAD_LETTERS] = [
        *log[DEAD_LETTERS],
        *(entry(DEAD_LETTERS, "notification.dead_lettered", notification_id=id) for id in ids),
    ]
    *_, first, _, _, _, rest = incidents.lines(courses(log), Counter())
    assert first.startswith("Given up: appointment.created for Rolf Festnetz")
    assert rest == "     and 6 more, reached by nothing else either"


def test_delivered_after_all(log: Log) -> None:
    """What was given up as unconfirmed, and then delivered as its receipt says, is no dead letter any more."""
    log[OUTCOMES] = [*log[OUTCOMES], *told("e", "delivered sms")]
    assert not given_up(courses(log))


def test_a_missing_reminder_is_lost() -> None:
    """A reminder that never fell due is a finding, unless its appointment was cancelled."""
    reminders = [Reminder("co-7", f"ap-{fate}", DUE, fate) for fate in Fate]
    [finding] = closing.missing({TIMERS: [reminded("ap-kept")]}, reminders)
    assert finding.kind is Kind.LOST
    assert finding.what.startswith("ap-moved of co-7")
    assert not closing.missing({TIMERS: [reminded("ap-kept"), reminded("ap-moved")]}, reminders)
