"""`staffetta dead-letters list` and `show`, on SQLite, and what a redrive writes."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from schemas import decode
from sinks.database import letters
from sinks.database.engine import create_engine
from sinks.database.letters import LetterKey
from sinks.database.schema import upgrade
from streams.cli import dead_letters
from streams.cli.moments import duration, moment
from streams.cli.redriving import _said, next_number, outgoing
from streams.cli.redriving_intake import Correction, refusal
from streams.cli.redriving_intake import outgoing as outgoing_intake
from streams.errors import UserError
from tests.support.databases import write
from tests.support.story import Log, at, branch, outcome, recorded, request


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    url = f"sqlite:///{tmp_path}/record.db"
    monkeypatch.setenv("STAFFETTA_DATABASE_URL", url)
    engine = create_engine(url)
    upgrade(engine, lambda step: None)
    return engine


def given_up(log: Log, id: str, minutes: int = 0, **fields: Any) -> None:
    """A request, its failure, and the letter."""
    told = {"reason": "rejected", "error": "550 no such user"} | fields
    log.add("notification.requests", "notification.requested", request(id), minutes=minutes)
    failed = outcome(id, reason=told["reason"], at=at(minutes))
    log.add("delivery.outcomes", "notification.failed", failed, minutes=minutes)
    attempt = {"channel": "email", "attempt": 1, "at": at(minutes), **{k: told[k] for k in ("reason", "error")}}
    letter = {"attempts": [attempt], **request(id), **told}
    log.add("delivery.dead-letters", "notification.dead_lettered", letter, minutes=minutes)


def run(*words: str, status: int = 0) -> str:
    done = CliRunner().invoke(dead_letters.app, words, catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.stdout


def ids(*words: str) -> list[str]:
    return [letter.get("notification_id") or letter["id"] for letter in json.loads(run("list", "--json", *words))]


def fill(engine: sa.Engine, log: Log) -> None:
    write(engine, recorded(log.records).rows)


def test_list_filters(engine: sa.Engine) -> None:
    """The newest come first; reason, channel, company and time narrow it."""
    log = Log()
    given_up(log, "n-1", 1)
    given_up(log, "n-2", 2, reason="mailbox_full")
    given_up(log, "n-3", 3)
    fill(engine, log)
    assert ids() == ["n-3", "n-2", "n-1"]
    assert ids("--reason", "mailbox_full") == ["n-2"]
    assert ids("--channel", "email", "--company", "co-1") == ["n-3", "n-2", "n-1"]
    assert ids("--channel", "sms") == ids("--company", "co-2") == []
    assert ids("--since", "2026-11-23T12:02:00", "--until", "2026-11-23T13:03:00+01:00") == ["n-2"]
    assert ids("--limit", "1") == ["n-3"]


def test_list_for_people(engine: sa.Engine) -> None:
    """One line a letter, which holds what is needed to decide about it; and a word if there is nothing."""
    assert run("list") == "There are no dead letters.\n"
    log = Log()
    given_up(log, "n-1", 1)
    fill(engine, log)
    assert run("list", "--reason", "timeout") == "There are no dead letters with these filters.\n"
    assert run("redrive", "--all", "--channel", "sms") == "There is nothing to send again with these filters.\n"
    empty = run("redrive", "--all", "--intake", "--since", "2h")
    assert empty == "There is nothing to send again with these filters.\n"
    [_, line] = [re.sub(" +", " ", line).strip() for line in run("list").splitlines()]
    assert line == "2026-11-23 12:01:00 n-1 co-1 callback.assigned st-1 email rejected 0 given up"


@pytest.mark.parametrize("what", ["sent", "delivered"])
def test_what_arrived_is_hidden(engine: sa.Engine, what: str) -> None:
    """A letter whose notification was sent or delivered after all is not listed; `show` still has it."""
    log = Log()
    given_up(log, "n-1")
    given_up(log, "n-2")
    log.add("delivery.outcomes", f"notification.{what}", outcome("n-1"))
    fill(engine, log)
    assert ids() == ["n-2"]
    assert "Dead letter n-1" in run("show", "n-1")


def test_one_that_was_sent_again_says_so(engine: sa.Engine) -> None:
    """It is listed until it has arrived, with the time, and `--all` leaves it alone; a new letter starts anew."""
    log = Log()
    given_up(log, "n-1")
    fill(engine, log)
    with engine.begin() as connection:
        letters.mark(connection, {LetterKey("n-1", "co-1"): 1}, at(5))
        assert letters.to_redrive(connection, letters.Filter()) == []
    assert "sent again 2026-11-23 12:05:00" in run("list")
    log = Log()
    log.add("delivery.dead-letters", "notification.dead_lettered", request("n-0", reason="rejected"))
    given_up(log, "n-1", 9, redrive=1)
    fill(engine, log)
    assert run("list", "--since", "2026-11-23T12:09:00").rstrip().endswith("1  given up")
    with engine.begin() as connection:
        assert letters.to_redrive(connection, letters.Filter(since=at(9))) == [("n-1", "co-1")]


def test_show(engine: sa.Engine) -> None:
    """Recipient, reason, error, every attempt, what was told, subject and text; with --json everything."""
    log = Log()
    given_up(log, "n-1", 4)
    fill(engine, log)
    lines = [re.sub(" +", " ", line).strip() for line in run("show", "n-1").splitlines()]
    for line in (
        "Dead letter n-1 of company co-1",
        "callback.assigned for staff st-1, about callback cb-1 version 1, caused by d-1",
        "given up at 2026-11-23 12:04:00 on email: rejected",
        "550 no such user",
        "2026-11-23 12:04:00 email 1 rejected 550 no such user",
        "2026-11-23 12:04:00 notification.failed email 1 rejected",
        "Subject: Neuer Rückruf",
    ):
        assert line in lines, "\n".join(lines)
    whole = json.loads(run("show", "n-1", "--json"))
    assert whole["data"]["recipient"]["email"] == "anna@example.org"
    assert [told["type"] for told in whole["outcomes"]] == ["notification.failed"]


def test_show_skipped_channels(engine: sa.Engine) -> None:
    """Channels that could not be used are named with the reason."""
    log = Log()
    skipped = [{"channel": "sms", "reason": "no_address"}]
    given_up(log, "n-1", channel="sms", fallback_channels=["email"], skipped=skipped)
    fill(engine, log)
    assert "  priority high, channels sms (skipped: no_address), then email, by the" in run("show", "n-1")


@pytest.mark.parametrize("number", [1, 2])
def test_one_that_was_sent_again_is_not_sent_twice(engine: sa.Engine, number: int) -> None:
    """Whether that redrive is on its way or has come to an end, pressing again says what will not happen."""
    log = Log()
    given_up(log, "n-1", redrive=number - 1)
    fill(engine, log)
    with engine.begin() as connection:
        letters.mark(connection, {LetterKey("n-1", "co-1"): 1}, at(5))
        [letter] = letters.letters(connection, "n-1")
    assert _said(letter, next_number(letter), "delivery.email.high") == (
        f"n-1  sent again as redrive {number} on delivery.email.high; it was before, at 2026-11-23 12:05:00, "
        "and what was sent then is not sent twice"
    )


def test_unknown_and_ambiguous_ids(engine: sa.Engine) -> None:
    """An id that nobody has, or that several companies have, is one line."""
    log = Log()
    given_up(log, "n-1")
    other = request("n-1", company_id="co-2", reason="rejected")
    log.add("delivery.dead-letters", "notification.dead_lettered", other)
    fill(engine, log)
    with pytest.raises(UserError, match="no dead letter n-9 in the database"):
        run("show", "n-9")
    with pytest.raises(UserError, match="co-1, co-2: say which one with --company"):
        run("show", "n-1")
    assert "of company co-2" in run("show", "n-1", "--company", "co-2")


def test_intake_list_and_show(engine: sa.Engine) -> None:
    """What could not be read: where it lay, why, by whom, with headers and bytes; escapes of a terminal are shown,
    not obeyed, and what is no text is shown in hex."""
    log = Log()
    log.refuse("booking.callbacks", "Größe \x1b[31mrot".encode(), headers=[("content-type", b"text/plain")])
    log.refuse("booking.appointments", b"\xff\x00", key=None, offset=9, minutes=3)
    fill(engine, log)
    assert ids("--intake") == ["booking.appointments/0/9", "booking.callbacks/0/7"]
    assert ids("--intake", "--since", "2026-11-23T12:02:00") == ["booking.appointments/0/9"]
    text = run("show", "--intake", "booking.callbacks/0/7")
    assert "refused at 2026-11-23 12:00:00 by assign: invalid_json" in text
    assert "under the key co-1" in text
    assert "content-type: text/plain" in text
    assert text.endswith("Größe \\x1b[31mrot\n")
    assert run("show", "--intake", "booking.appointments/0/9").endswith("Bytes, in hex\nff 00\n")
    whole = json.loads(run("show", "--intake", "booking.appointments/0/9", "--json"))
    assert (whole["key_base64"], whole["value_base64"]) == (None, "/wA=")
    with pytest.raises(UserError, match="ids are TOPIC/PARTITION/OFFSET"):
        run("show", "--intake", "n-1")


def test_a_repeated_intake_letter_is_one(engine: sa.Engine) -> None:
    """A record that was dead-lettered twice is listed once, and once it was sent again, no more."""
    log = Log()
    for minutes in (0, 1):
        log.refuse("booking.callbacks", b"no", minutes=minutes)
    fill(engine, log)
    assert ids("--intake") == ["booking.callbacks/0/7"]
    with engine.begin() as connection:
        letters.mark_intake(connection, ["booking.callbacks/0/7"], at(2))
    assert ids("--intake") == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["redrive"], "say which"),
        (["redrive", "n-1", "--all"], "say which"),
        (["redrive", "n-1", "--reason", "rejected"], "filters go with --all"),
        (["redrive", "n-1", "--key", "co-1"], "with --intake and one id"),
        (["list", "--intake", "--company", "co-1"], "are not known of what could not be read"),
        (["list", "--reason", "rejectd"], "--reason rejectd: there is no such reason; there are .*rejected"),
        (["list", "--intake", "--reason", "rejected"], "there are empty_value, inconsistent, invalid_data"),
        (["redrive", "--all", "--reason", "invalid_data"], "there is no such reason"),
    ],
)
def test_wrong_calls(engine: sa.Engine, words: list[str], problem: str) -> None:
    """A call that does not say what is meant does nothing and has exit status 2."""
    with pytest.raises(UserError, match=problem) as refused:
        run(*words)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_a_time_that_is_none(option: str) -> None:
    """It is named with its option."""
    done = CliRunner().invoke(dead_letters.app, ["list", option, "yesterday"])
    assert done.exit_code == 2
    assert f"Invalid value for {option}: 'yesterday' is neither a duration nor a time" in done.output


def test_all_asks_first(engine: sa.Engine) -> None:
    """Without a terminal nobody can be asked: nothing is sent, and the way out is named."""
    log = Log()
    given_up(log, "n-1")
    given_up(log, "n-2")
    fill(engine, log)
    with pytest.raises(
        UserError, match="2 dead letters would be sent again, and nobody is there to ask: say --yes"
    ):
        run("redrive", "--all")


def test_a_redrive_is_the_request_anew(engine: sa.Engine) -> None:
    """The request as it was, on the first usable channel, due at once, without attempts, one redrive further."""
    log = Log()
    chain = {
        "channel": "sms",
        "fallback_channels": ["email"],
        "skipped": [{"channel": "sms", "reason": "no_address"}],
    }
    given_up(log, "n-1", redrive=2, not_after=at(900), **chain)
    fill(engine, log)
    with engine.connect() as connection:
        [letter] = letters.letters(connection, "n-1")
    number = next_number(letter)
    out = outgoing(letter, number, at(60))
    assert out is not None
    assert (out.topic, out.key, out.partition) == ("delivery.email.high", b"co-1", -1)
    event = decode(out.topic, out)
    due: Any = event.data
    assert (due.redrive, due.attempt, due.attempts, due.due_at) == (3, 1, (), at(60))
    carried = due.model_dump(mode="json", exclude={"redrive", "attempt", "attempts", "due_at"}, exclude_none=True)
    letter_fields = {
        k: v for k, v in letter["data"].items() if k not in {"reason", "error", "redrive", "attempts"}
    }
    assert carried == letter_fields
    again = outgoing(letter, number, at(61))
    assert again is not None
    assert decode(again.topic, again).id == event.id


def test_a_letter_without_a_channel_cannot_be_sent_again(engine: sa.Engine) -> None:
    """Where no channel of the chain can be used, there is nothing to write."""
    log = Log()
    given_up(log, "n-1", skipped=[{"channel": "email", "reason": "no_address"}])
    fill(engine, log)
    with engine.connect() as connection:
        [letter] = letters.letters(connection, "n-1")
    assert outgoing(letter, 1, at(60)) is None


def test_after_a_suppressed_redrive_there_is_another(engine: sa.Engine) -> None:
    """A redrive that was suppressed used up its number: the next one counts on."""
    log = Log()
    given_up(log, "n-1")
    log.add("delivery.outcomes", "notification.suppressed", outcome("n-1", reason="not_allowed"))
    fill(engine, log)
    with engine.begin() as connection:
        letters.mark(connection, {LetterKey("n-1", "co-1"): 1}, at(5))
        [letter] = letters.letters(connection, "n-1")
    assert next_number(letter) == 2


def intake_letter(engine: sa.Engine, value: bytes, **fields: Any) -> Any:
    log = Log()
    log.refuse("booking.directory", value, **fields)
    fill(engine, log)
    with engine.connect() as connection:
        return letters.intake_letter(connection, "booking.directory/1/7")


def event(**changed: Any) -> bytes:
    envelope = {"specversion": "1.0", "id": "1", "source": "/x", "type": "branch.upserted", "data": branch()}
    return json.dumps({**envelope, **changed}).encode()


def test_an_intake_letter_is_sent_as_it_was(engine: sa.Engine) -> None:
    """Topic, key, value and headers are the record's; the partition follows from its key."""
    headers = [("content-type", b"application/cloudevents+json"), ("trace", b"\xff")]
    letter = intake_letter(engine, event(), headers=headers, partition=1)
    out = outgoing_intake(letter, Correction())
    assert (out.topic, out.key, out.value) == ("booking.directory", b"co-1", event())
    assert (list(out.headers), out.partition) == (headers, -1)
    assert refusal(out) is None


def test_what_has_no_key_goes_where_it_was(engine: sa.Engine) -> None:
    """A type that is not keyed lies where its writer put it, and there it goes again."""
    letter = intake_letter(engine, event(type="assignment.applied"), partition=1, key=None)
    assert outgoing_intake(letter, Correction()).partition == 1


def test_a_correction_replaces_value_and_key(engine: sa.Engine) -> None:
    """What would be refused again is told; a corrected file and key make it good."""
    letter = intake_letter(engine, b"{", partition=1, key=b"co-9")
    assert str(refusal(outgoing_intake(letter, Correction()))).startswith("not_a_cloudevent")
    assert str(refusal(outgoing_intake(letter, Correction(event())))).startswith("key_mismatch")
    out = outgoing_intake(letter, Correction(event(), "co-1"))
    assert refusal(out) is None
    assert (out.key, out.value) == (b"co-1", event())


def test_a_template_that_would_be_refused_again_is_told(engine: sa.Engine) -> None:
    """A template is judged as its reader does."""
    template = {"company_id": "co-1", "version": 1, "template_id": "t", "channel": "sms", "locale": "de"}
    asked = event(type="template.upserted", data={**template, "body_text": "{{ nobody }}"})
    out = outgoing_intake(intake_letter(engine, asked, partition=1), Correction())
    assert str(refusal(out)).startswith("unknown_placeholder (body_text: ")


def test_times_as_people_type_them() -> None:
    """Durations have one unit; times are ISO 8601, in UTC unless they say otherwise."""
    assert duration("90d") == timedelta(days=90)
    assert duration("12h") == timedelta(hours=12)
    assert moment("2h", at(0)) == at(-120)
    assert moment("2026-11-23", at(0)) == at(-720)
    assert moment("2026-11-23T13:00:00+01:00", at(7)) == at(0)
    assert moment("999999d", at(0)).year == 1
    for wrong in ("90", "d", "1.5h", "-2h", "yesterday"):
        with pytest.raises(typer.BadParameter):
            moment(wrong, at(0))
