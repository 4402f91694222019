"""`staffetta explain NOTIFICATION_ID`, on SQLite."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer import Typer
from typer.testing import CliRunner

from sinks.database.engine import create_engine
from sinks.database.letters import LetterKey, mark
from sinks.database.schema import upgrade
from streams.cli.explain import explain
from streams.errors import UserError
from tests.support.databases import write
from tests.support.story import Log, at, callback, outcome, recorded, request, story

app = Typer()
app.command()(explain)

ERIKA = {
    "type": "customer",
    "id": "cu-9",
    "name": "Erika Muster",
    "email": "erika@kundin.example",
    "phone": "+491701234567",
}
HERS = ("erika", "Erika", "+49170", "Guten Tag")
TEXT = {"body_text": "Guten Tag", "template": {"template_id": "builtin:x", "version": 0}}
CHAIN = ("push", "email", "sms", "whatsapp")
ABOUT = {"entity": {"type": "appointment", "id": "ap-1", "version": 2}, "caused_by": "ev-1"}


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    url = f"sqlite:///{tmp_path}/record.db"
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", url)
    engine = create_engine(url)
    upgrade(engine, lambda step: None)
    return engine


def run(*words: str) -> str:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def lines(*words: str) -> list[str]:
    """With one blank between the cells of a row."""
    return [re.sub(" +", " ", line).strip() for line in run(*words).splitlines()]


def asked(**fields: Any) -> dict[str, Any]:
    """To tell a customer of an appointment: by e-mail, then SMS, then WhatsApp; push she has not."""
    told = {
        "event_type": "appointment.created",
        "audience": "customer",
        "recipient": ERIKA,
        "channel": CHAIN[0],
        "fallback_channels": list(CHAIN[1:]),
        "skipped": [{"channel": "push", "reason": "no_address"}],
        "contents": {"email": TEXT, "sms": {**TEXT, "template": {"template_id": "tp-1", "version": 4}}},
        "config": {"config_id": "cf-1", "level": "branch", "version": 3},
        "cause": {"topic": "booking.appointments", "offset": 0},
    }
    return request(**{**told, **ABOUT, **fields})


class Course:
    """A notification's log, outcome by outcome, a minute each."""

    def __init__(self, **fields: Any) -> None:
        self.log = Log()
        self.log.add("notification.requests", "notification.requested", asked(**fields))
        self.minute = 0

    def tell(self, status: str, channel: str | None, attempt: int = 1, **fields: Any) -> "Course":
        self.minute += 1
        told = {"channel": channel, "attempt": attempt, "at": at(self.minute), **ABOUT, **fields}
        data = {name: value for name, value in outcome(**told).items() if value is not None}
        self.log.add("delivery.outcomes", f"notification.{status}", data, minutes=self.minute)
        return self

    def dies(self, **fields: Any) -> "Course":
        attempts = [{"channel": "sms", "attempt": 1, "reason": "rejected", "at": at(self.minute)}]
        letter = asked(**{"reason": "rejected", "error": "30007", "attempts": attempts, **fields})
        self.log.add("delivery.dead-letters", "notification.dead_lettered", letter, minutes=self.minute)
        return self

    def write(self, engine: Engine) -> None:
        write(engine, recorded(self.log.records).rows)


def by_mail_then_sms() -> Course:
    return (
        Course()
        .tell("retrying", "email", reason="unavailable", error="451 later", next_attempt_at=at(2))
        .tell("fell_back", "email", 2, reason="dead_address", error="550 5.1.1 no such user")
        .tell("sent", "sms", provider="twilio", provider_message_id="SM01")
        .tell("delivered", "sms")
    )


def test_the_whole_story(record: Engine) -> None:
    """How it stands; then cause, configuration, whom, the chain with what was skipped and why; then each channel's
    attempts with reason, error and the next one, and the receipt."""
    by_mail_then_sms().write(record)
    assert lines("n-1") == [
        "Notification n-1 of company co-1",
        "Delivered, by sms, at 2026-11-23 12:04:00, after email (dead_address).",
        "",
        "appointment.created, about appointment ap-1 version 2",
        "caused by the event ev-1",
        "for customer cu-9, priority high, in de, asked for at 2026-11-23 12:00:00",
        "by the branch's configuration cf-1 version 3",
        "channels: push (skipped: no_address), then email, then sms, then whatsapp",
        "text for email: builtin:x version 0",
        "text for sms: tp-1 version 4",
        "",
        "By email",
        "when what reason next attempt details",
        "2026-11-23 12:01:00 attempt 1 retrying unavailable 2026-11-23 12:02:00 451 later",
        "2026-11-23 12:02:00 attempt 2 fell_back dead_address 550 5.1.1 no such user",
        "",
        "By sms",
        "when what reason next attempt details",
        "2026-11-23 12:03:00 attempt 1 sent twilio SM01",
        "2026-11-23 12:04:00 receipt delivered",
        "",
        "Times are UTC.",
    ]


DUE = {"next_attempt_at": at(60)}
STANDINGS: dict[str, Course] = {
    "Asked for at 2026-11-23 12:00:00; nothing is told of an attempt yet.": Course(),
    "On its way: email failed for now (unavailable), attempt 2 is due at 2026-11-23 13:00:00.": Course().tell(
        "retrying", "email", reason="unavailable", **DUE
    ),
    "On its way, after email (rejected) and sms (dead_address): whatsapp comes next.": Course()
    .tell("fell_back", "email", reason="rejected")
    .tell("fell_back", "sms", reason="dead_address"),
    "In doubt: attempt 1 by email may have arrived (timeout); unless a receipt tells more, it is due at"
    " 2026-11-23 13:00:00 once more.": Course().tell("unconfirmed", "email", reason="timeout", **DUE),
    "In doubt: attempt 1 by sms may have arrived (timeout); unless a receipt tells more, it is not repeated by"
    " itself.": Course().tell("unconfirmed", "sms", reason="timeout"),
    "Handed over by email at 2026-11-23 12:01:00: smtp has accepted it, and nothing is told of it since.": (
        Course().tell("sent", "email", provider="smtp")
    ),
    "Read, by whatsapp, at 2026-11-23 12:03:00.": Course()
    .tell("sent", "whatsapp")
    .tell("delivered", "whatsapp")
    .tell("delivered", "whatsapp", reason="read"),
    "Given up at 2026-11-23 12:02:00, by sms (unconfirmed), after email (rejected).": Course()
    .tell("fell_back", "email", reason="rejected")
    .tell("failed", "sms", reason="unconfirmed"),
    "Said to have failed at 2026-11-23 12:03:00 (rejected), after it was delivered.": Course()
    .tell("sent", "sms")
    .tell("delivered", "sms")
    .tell("failed", "sms", reason="rejected"),
    "Not sent, on purpose, as was decided at 2026-11-23 12:01:00: superseded.": Course().tell(
        "suppressed", "email", reason="superseded"
    ),
}


@pytest.mark.parametrize("sentence", STANDINGS)
def test_how_it_stands(record: Engine, sentence: str) -> None:
    """Whatever came last, the second line says how it stands, and what is to be expected."""
    STANDINGS[sentence].write(record)
    assert lines("n-1")[1] == sentence


def test_a_receipt_that_says_no(record: Engine) -> None:
    """What failed on the way to the phone is told as a receipt, and the next channel as an attempt of its own."""
    Course().tell("sent", "sms").tell("fell_back", "sms", reason="dead_address", error="30005").tell(
        "sent", "whatsapp"
    ).write(record)
    told = lines("n-1")
    assert "2026-11-23 12:02:00 receipt fell_back dead_address 30005" in told
    assert "2026-11-23 12:03:00 attempt 1 sent" in told


def test_given_up_and_sent_again(record: Engine) -> None:
    """A dead letter is shown with its reason; a redrive as a chapter of its own, and that it was begun at all."""
    course = Course().tell("fell_back", "email", reason="rejected").tell("failed", "sms", reason="rejected").dies()
    course.write(record)
    told = lines("n-1")
    assert "given up at 2026-11-23 12:02:00 on sms: rejected" in told
    assert "staffetta dead-letters show n-1 --company co-1" in told
    with record.begin() as connection:
        mark(connection, {LetterKey("n-1", "co-1"): 1}, at(30))
    assert lines("n-1")[1].endswith("; sent again at 2026-11-23 12:30:00, and nothing is told of that yet.")
    course.tell("fell_back", "email", reason="rejected").tell("sent", "sms", provider="twilio").write(record)
    told = lines("n-1")
    assert told[1].startswith("Handed over by sms at 2026-11-23 12:04:00, after email (rejected): twilio")
    again = told.index("Sent again (1)")
    assert told.index("By sms") < again < len(told) - told[::-1].index("By sms") - 1
    assert "sent again 2026-11-23 12:30:00, sent" in told


def test_late_news_of_what_was_given_up(record: Engine) -> None:
    """That it has arrived after all is a receipt, and no redrive."""
    Course().tell("unconfirmed", "sms", reason="timeout").tell("failed", "sms", reason="unconfirmed").tell(
        "delivered", "sms"
    ).write(record)
    told = lines("n-1")
    assert "2026-11-23 12:03:00 receipt delivered" in told
    assert not [line for line in told if line.startswith("Sent again")]


def test_nobody_was_told(record: Engine) -> None:
    """What was suppressed before it was asked for has its reason, its cause and the configuration that decided."""
    log = Log()
    log.add("booking.callbacks", "callback.requested", callback(), id="e-1")
    disabled = outcome(
        channel=None,
        attempt=0,
        recipient_hash=None,
        reason="disabled",
        caused_by="e-1",
        event_type="callback.received",
        audience="customer",
        config={"config_id": "cf-2", "level": "service", "version": 5},
    )
    data = {name: value for name, value in disabled.items() if value is not None}
    log.add("delivery.outcomes", "notification.suppressed", data, minutes=3)
    write(record, recorded(log.records).rows)
    told = lines("n-1")
    for line in (
        "Not sent, on purpose, as was decided at 2026-11-23 12:03:00: disabled.",
        "callback.received, about callback cb-1 version 1",
        "caused by the event e-1: callback.requested at 2026-11-23 12:00:00",
        "for the customer",
        "by the service's configuration cf-2 version 5",
    ):
        assert line in told


def test_from_a_callback_to_its_notifications(record: Engine) -> None:
    """A callback's explanation names the notifications that it led to; theirs name the decision behind them."""
    write(record, recorded(story().records).rows)
    assert "n-2 callback.assigned st-1 Anna failed, email, rejected" in lines("cb-1")
    assert "caused by the decision d-1: callback.auto_assigned at 2026-11-23 12:01:00" in lines("n-2")


def test_as_json(record: Engine) -> None:
    """`--json` has all of it for programs, without an address or a text."""
    by_mail_then_sms().tell("failed", "sms", reason="rejected").dies().write(record)
    shown = run("n-1", "--json")
    told = json.loads(shown)
    assert told["standing"].startswith("Said to have failed at 2026-11-23 12:05:00")
    assert told["notification"]["skipped"] == [{"channel": "push", "reason": "no_address"}]
    assert [each["type"] for each in told["outcomes"]][-2:] == ["notification.delivered", "notification.failed"]
    assert told["outcomes"][0]["next_attempt_at"] == "2026-11-23T12:02:00Z"
    assert told["dead_letter"]["reason"] == "rejected"
    assert not [word for word in HERS if word in shown + run("n-1")]


def test_erased(record: Engine) -> None:
    """Of a customer who was erased the course stays, without the id and what servers said; and it says so."""
    course = by_mail_then_sms()
    erasure = {"company_id": "co-1", "customer_id": "cu-9"}
    course.log.add("booking.directory", "customer.erased", erasure, minutes=30)
    course.write(record)
    told = lines("n-1")
    assert "Its customer has been erased: the id and what servers said are gone." in told
    assert "for customer erased, priority high, in de, asked for at 2026-11-23 12:00:00" in told
    assert "2026-11-23 12:02:00 attempt 2 fell_back dead_address" in told
    assert json.loads(run("n-1", "--json"))["erased"] is True


def test_an_id_of_several_companies(record: Engine) -> None:
    """Where several companies have a notification of that id, the user is asked for the company."""
    course = Course()
    course.log.add("notification.requests", "notification.requested", asked(company_id="co-2"))
    course.write(record)
    with pytest.raises(UserError, match="co-1, co-2: say which one with --company"):
        run("n-1")
    assert "Notification n-1 of company co-2" in run("n-1", "--company", "co-2")
    with pytest.raises(UserError, match="no decision, callback or notification n-1 in the company co-3"):
        run("n-1", "--company", "co-3")


def test_what_servers_say_is_shown_as_it_is(record: Engine) -> None:
    """A server's words are neither markup nor anything that a terminal obeys."""
    Course().tell("fell_back", "email", reason="rejected", error="[red]no\x1b[2J").write(record)
    assert "[red]no\\x1b[2J" in run("n-1")


def test_what_others_ask_for_is_shown_as_it_is(record: Engine) -> None:
    """Nor are the words of a system that asked for it, wherever they stand."""
    sent = {"provider": "sm\x1b[2Jtp", "provider_message_id": "<\x1b[2J>"}
    Course(locale="de\x1b[2J").tell("sent", "email", **sent).write(record)
    told = run("n-1")
    assert "\x1b" not in told
    for words in ("in de\\x1b[2J", "sm\\x1b[2Jtp has accepted it", "sm\\x1b[2Jtp <\\x1b[2J>"):
        assert words in told


def test_help_teaches() -> None:
    """`--help` says what can be asked, where the answer comes from, and what is never shown."""
    told = " ".join(run("--help").split())
    for words in ("NOTIFICATION_ID", "No address and no text is shown", "staffetta explain cb-17 --company co-7"):
        assert words in told


def test_times_of_another_zone(record: Engine) -> None:
    """Times are UTC, whatever zone the record was written in."""
    Course().tell("retrying", "email", reason="timeout", next_attempt_at="2026-11-23T15:00:00+02:00").write(record)
    assert lines("n-1")[1].endswith("attempt 2 is due at 2026-11-23 13:00:00.")
