"""What a company, its booking system and other systems can get wrong, all at once: each is said, none is sent, and
nobody waits for it."""

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.event_types import INTAKE_DEAD_LETTERS, OUTCOMES, REQUESTS, TIMERS
from tests.e2e.messages import configuration, in_two_days, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, Message, customer, iso
from tests.support.story import request

CREATED, REMINDER = "appointment.created", "appointment.reminder"
MEGABYTE = "x" * 1_000_000
BROKERS_LIMIT = 1_048_588
RECORD_BYTES = 160
"""More than a record needs for its key, header and place."""
NEVER = "quiet_hours.end: a time of day is HH:MM, from 00:00 to 23:59"
CHAIN = "data: the chain of channels comes back to email (email → sms → email): each may be in it once"
LINK = "links.cancel: a link begins with https:// and has no blanks, quotes or angle brackets"


@dataclass(frozen=True)
class Wrong:
    """`message`, and what an operator reads about it."""

    message: Message
    reason: str
    detail: str


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def template(salon: Booking, **fields: str) -> Message:
    words = {"template_id": "ours", "channel": "email", "locale": "de", "subject": "Termin"}
    return salon.directory("template.upserted", "ours", **words, **fields)


def wrong_directory(salon: Booking) -> Iterator[Wrong]:
    """What would replace something that is in force."""
    unknown, invalid, long = "unknown_placeholder", "invalid_data", "too_long"
    yield Wrong(
        template(salon, body_text="Hallo {{ customer_nmae }}"),
        unknown,
        "body_text: there is no placeholder 'customer_nmae'",
    )
    yield Wrong(
        template(salon, body_text=MEGABYTE), long, "body_text: String should have at most 10000 characters"
    )
    yield Wrong(
        template(salon, body_text="x", body_html=MEGABYTE),
        long,
        "body_html: HTML should have at most 262144 bytes",
    )
    yield Wrong(configuration(salon, CREATED, fallback_channels=["sms", "email"]), invalid, CHAIN)
    yield Wrong(
        configuration(salon, CREATED, retry_schedule_seconds=[0]),
        invalid,
        "retry_schedule_seconds.0: Input should be greater than or equal to 1",
    )
    yield Wrong(
        configuration(salon, CREATED, retry_schedule_seconds=[1] * 10_000),
        invalid,
        "retry_schedule_seconds: has 10000 entries, at most 50 are allowed",
    )
    yield Wrong(
        configuration(salon, REMINDER, minutes_before=10 * 525_960),
        invalid,
        "minutes_before: Input should be less than or equal to 527040",
    )
    yield Wrong(salon.company(quiet_hours={"start": "00:00", "end": "24:00"}), invalid, NEVER)
    yield Wrong(salon.branch(quiet_hours={"start": "22:00", "end": "tomorrow"}), invalid, NEVER)
    yield Wrong(
        salon.directory(
            "customer_preferences.upserted",
            "cu-1",
            customer_id="cu-1",
            quiet_hours={"start": "00:00", "end": "24:00"},
        ),
        invalid,
        NEVER,
    )


def wrong_appointments(salon: Booking) -> Iterator[Wrong]:
    script = {"cancel": "javascript:alert(document.cookie)"}
    yield Wrong(appointment(salon, "link", links=script), "invalid_data", LINK)
    yield Wrong(
        appointment(salon, "novel", notes=MEGABYTE),
        "too_long",
        "notes: String should have at most 10000 characters",
    )


def wrong_requests(salon: Booking) -> Iterator[Wrong]:
    yield Wrong(
        asked(salon, "long", contents={"email": content(body_text=MEGABYTE)}),
        "too_long",
        "contents.email.body_text: String should have at most 10000 characters",
    )
    yield Wrong(
        asked(salon, "often", retry_schedule_seconds=[1] * 10_000),
        "invalid_data",
        "retry_schedule_seconds: has 10000 entries, at most 50 are allowed",
    )


def appointment(salon: Booking, name: str, **fields: Any) -> Message:
    """One of a customer of its own, at `<name>@kunde.example`."""
    who = customer(customer_id=f"cu-{name}", **{"email": address(name), **fields.pop("who", {})})
    return salon.appointment(f"ap-{name}", customer=who, **{"starts_at": in_two_days(), **fields})


def asked(salon: Booking, name: str, **fields: Any) -> Message:
    """What another system writes to `notification.requests`."""
    who = {"type": "staff", "id": "st-1", "name": "Anna", "email": address(name)}
    data = request(f"n-{name}", **{"recipient": who, **fields})
    event = {
        "specversion": "1.0",
        "id": f"ev-{name}",
        "source": "/newsletter",
        "type": "notification.requested",
        "partitionkey": salon.company_id,
        "data": data,
    }
    return Message(REQUESTS, event)


def content(**fields: Any) -> dict[str, Any]:
    return {"body_text": "Hallo", "template": {"template_id": "theirs", "version": 1}, **fields}


def as_large_as_can_be(salon: Booking) -> Message:
    """A request that fills a record to the brim: with what is added on its way it is larger than what the brokers
    take by themselves."""

    def sized(html: str) -> Message:
        contents = {name: content(body_html=html) for name in ("email", "sms", "whatsapp", "push")}
        return asked(salon, "large", contents=contents)

    room = BROKERS_LIMIT - RECORD_BYTES - len(sized("").value)
    return sized("x" * (room // 4))


def injected(salon: Booking) -> Message:
    """Header lines wherever there is a text."""
    line = "\r\nBcc: everybody@evil.example\r\n\r\n<script>"
    who = {"type": "staff", "id": "st-1", "name": f"Anna{line}", "email": address("injected")}
    said = content(subject=f"Hallo{line}")
    return asked(
        salon,
        "injected",
        recipient=who,
        contents={"email": said},
        sender_name=f"Salon{line}",
        reply_to=f"salon@salon.example{line}",
    )


def address(name: str) -> str:
    return f"{name}@kunde.example"


def listed(road: System, *options: str) -> str:
    done = road.staffetta("dead-letters", "list", "--intake", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def letters(road: System) -> list[tuple[str, str]]:
    return [(each["reason"], each["detail"]) for each in json.loads(listed(road, "--json", "--limit", "100"))]


def test_all_that_can_be_wrong(road: System) -> None:
    """Templates, configurations, quiet hours, links, texts and requests that are wrong are dead letters that say
    what is wrong, and what they would have replaced stays in force; an address with a line break is none; names
    are never read as code. Who comes after all of them is written to as ever, and nobody else is."""
    road.ready()
    salon = Booking("co-1")
    never_quiet = {"customer_id": "cu-restless", "quiet_hours": {"start": "00:00", "end": "00:00"}}
    road.send(
        *opening(salon, told=()),
        template(salon, body_text="Hallo {{ customer_name }}", body_html="<p>Hallo {{ customer_name }}</p>"),
        configuration(salon, CREATED, template_id="ours"),
        configuration(salon, REMINDER),
        salon.directory("customer_preferences.upserted", "cu-restless", **never_quiet),
    )
    wrong = [*wrong_directory(salon), *wrong_appointments(salon), *wrong_requests(salon)]
    road.send(*(each.message for each in wrong))
    in_ten_years = iso(datetime.now(UTC) + timedelta(days=3652))
    road.send(
        appointment(salon, "broken", who={"email": f"{address('broken')}\r\nBcc: everybody@evil.example"}),
        appointment(salon, "braces", who={"name": "{{ customer_nmae }}"}),
        appointment(salon, "script", who={"name": "<script>alert(1)</script>"}),
        appointment(salon, "far", starts_at=in_ten_years),
        appointment(salon, "restless"),
        injected(salon),
        as_large_as_can_be(salon),
        appointment(salon, "last"),
    )
    log = road.check()

    said = [(each.reason, each.detail) for each in wrong]
    assert sorted(letters(road)) == sorted(said)
    assert len(log[INTAKE_DEAD_LETTERS]) == len(wrong)
    shown = listed(road, "--limit", "100")
    assert all(f"{reason}" in shown and detail in shown for reason, detail in said)

    outcomes = [entry.event for entry in log[OUTCOMES]]
    unsent = [
        (each["data"]["entity"]["id"], each["type"], each["data"]["reason"])
        for each in outcomes
        if "reason" in each["data"]
    ]
    assert unsent == [("ap-broken", "notification.failed", "no_address")]
    assert not log.get(TIMERS), "a reminder in ten years is not due"

    written = ("braces", "script", "far", "restless", "injected", "large", "last")
    assert sorted(mail.recipient for mail in road.box.mails) == sorted(map(address, written))
    assert body(road, "braces") == ("Hallo {{ customer_nmae }}", "<p>Hallo {{ customer_nmae }}</p>")
    name = "<script>alert(1)</script>"
    assert body(road, "script") == (f"Hallo {name}", f"<p>Hallo {html.escape(name)}</p>")
    assert body(road, "last") == ("Hallo Erika Muster", "<p>Hallo Erika Muster</p>")
    assert not any(b"javascript" in mail.content for mail in road.box.mails)
    [mail] = road.box.to(address("injected"))
    assert "Bcc" not in mail.parsed
    assert mail.parsed["Subject"] == "Hallo Bcc: everybody@evil.example <script>"
    assert [each.addr_spec for each in mail.parsed["To"].addresses] == [address("injected")]
    assert "Reply-To" not in mail.parsed


def body(road: System, name: str) -> tuple[str, str]:
    """The text and the HTML of somebody's only mail."""
    [mail] = road.box.to(address(name))
    plain, rich, _calendar = mail.parsed.iter_parts()
    return plain.get_content().strip(), rich.get_content().strip()
