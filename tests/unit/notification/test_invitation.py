"""Who a mail is from, and the calendar entry that goes with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from msgspec.structs import replace

from schemas.notifications import NotificationRequest
from streams.policy.notification.facts import Person
from streams.policy.notification.invitation import invitation
from streams.policy.notification.placeholders import Names, values
from streams.policy.notification.recipients import Recipient
from streams.policy.notification.senders import Sender
from streams.policy.notification.texts.wording import Occasion
from tests.unit.notification.test_texts import FULL
from tests.unit.notification.world import (
    START,
    VISIT,
    World,
    appointment,
    branch,
    callback,
    company,
    config,
    customer,
    decision,
    opened,
    requests,
    service,
)


def sent(world: World, what: str = "created", **fields: Any) -> NotificationRequest:
    """The customer's."""
    told = requests(world.send(f"appointment.{what}", appointment(**fields)))
    return next(each for each in told if each.audience == "customer")


def calendar(request: NotificationRequest) -> Calendar:
    text = request.contents["email"].calendar
    assert text is not None
    return Calendar.from_ical(text)


def entry(request: NotificationRequest) -> Any:
    [found] = calendar(request).walk("VEVENT")
    return found


def test_entry() -> None:
    """A customer's mail about an appointment carries it for the calendar: when, what, where, with whom."""
    request = sent(opened(), links={"manage": "https://book.example/m"})
    assert calendar(request)["METHOD"] == "REQUEST"
    found = entry(request)
    assert found.decoded("dtstart") == VISIT
    assert found["dtstart"].to_ical() == b"20261122T133000Z"
    assert found.decoded("duration") == timedelta(minutes=45)
    assert found["summary"] == "Haarschnitt, Haar & Co"
    assert found["location"] == "Salon Mitte, Hauptstraße 1, 10115 Berlin"
    assert found["url"] == "https://book.example/m"
    assert (found["organizer"], found["organizer"].params["CN"]) == ("mailto:post@staffetta.example", "Haar & Co")
    assert (found["attendee"], found["attendee"].params["CN"]) == ("mailto:erika@example.org", "Erika Muster")
    assert found["attendee"].params["RSVP"] == "FALSE"
    assert found.decoded("dtstamp") == START
    assert "\r\n" in (request.contents["email"].calendar or "")


def test_changes_find_their_entry() -> None:
    """All events of an appointment speak of one entry, with a growing sequence; a cancellation takes it out."""
    world = opened()
    told = [
        sent(world, version=3),
        sent(world, "rescheduled", version=4, starts_at=VISIT + timedelta(hours=1)),
        sent(world, "cancelled", version=7, starts_at=VISIT + timedelta(hours=1), status="cancelled"),
    ]
    assert [calendar(each)["METHOD"] for each in told] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [str(entry(each)["status"]) for each in told] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [entry(each)["sequence"] for each in told] == [3, 4, 7]
    assert len({str(entry(each)["uid"]) for each in told}) == 1
    assert entry(told[1]).decoded("dtstart") == VISIT + timedelta(hours=1)


@pytest.mark.parametrize("what", ["created", "updated"])
def test_cancelled_by_content(what: str) -> None:
    """What is cancelled by its status is a cancellation here too."""
    assert calendar(sent(opened(), what, status="cancelled"))["METHOD"] == "CANCEL"


def test_bare_deletion() -> None:
    """A deletion takes the entry out, even if it carries nothing but the ids."""
    world = opened()
    sent(world)
    [request] = requests(world.send("appointment.deleted", {"appointment_id": "ap-1", "version": 2}))
    assert calendar(request)["METHOD"] == "CANCEL"
    assert entry(request)["sequence"] == 2


def test_ids_are_unique_across_companies() -> None:
    """No two appointments share an entry, whichever company's they are."""
    uids = set()
    for company_id, appointment_id in (("a.b", "c"), ("a", "b.c"), ("a", "c")):
        facts = replace(FULL, id=appointment_id)
        text = made(facts.customer or Person("", "", None, None, None), company_id=company_id, facts=facts)
        uids.add(str(Calendar.from_ical(text).walk("VEVENT")[0]["uid"]))
    assert len(uids) == 3


def made(person: Person, company_id: str = "co", facts: Any = FULL, **names: str) -> str:
    given = {
        "company": "Haar",
        "branch": "B",
        "branch_address": "",
        "branch_phone": "",
        "staff": "",
        "service": "S",
    }
    filled = Names(branch_zone="Europe/Berlin", **given | names)
    facts = replace(facts, customer=person)
    text = invitation(
        Occasion("appointment.created", "customer"),
        facts,
        company_id,
        datetime(2026, 11, 20, 8, 0, 0, 123, tzinfo=UTC),
        Recipient(person.id, person.name, "erika@example.org", "de"),
        Sender(names.get("company", "Haar"), None, "post@staffetta.example"),
        values(facts, filled, "de"),
    )
    assert text is not None
    return text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_name(name: str) -> None:
    """No name breaks the entry or begins a line of its own."""
    text = made(Person("cu", name, None, None, None), company=name, service=name, branch_address=name)
    [found] = Calendar.from_ical(text).walk("VEVENT")
    assert set(found) == set(Calendar.from_ical(made(Person("cu", "", None, None, None))).walk("VEVENT")[0]) | {
        "URL"
    }
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_far_versions_and_times() -> None:
    """A version beyond iCalendar's integers is the greatest of them; the last moment there is has an entry too."""
    last = datetime(9998, 12, 31, tzinfo=UTC)
    found = entry(sent(opened(), version=2**62, starts_at=last, duration_minutes=527_040))
    assert found["sequence"] == 2**31 - 1
    assert found.decoded("dtstart") == last


@pytest.mark.parametrize(("locale", "word"), [("de", "Termin"), ("en", "appointment")])
def test_confidential_service(locale: str, word: str) -> None:
    """A confidential service is not named in the calendar, where others may see it; nor is none at all."""
    world = opened(locale=locale)
    world.send("service.upserted", service(service_id="secret", name="Suchtberatung", confidential=True))
    assert entry(sent(world, service_id="secret"))["summary"] == f"{word}, Haar & Co"
    assert entry(sent(world, appointment_id="ap-2", service_id=None))["summary"] == f"{word}, Haar & Co"


def test_who_gets_none() -> None:
    """Colleagues have a calendar of their own, a callback has no time, and what is over is not entered again."""
    world = opened()
    world.send("notification_config.upserted", config("appointment.created", audience="staff"))
    told = requests(world.send("appointment.created", appointment()))
    assert [(each.audience, bool(each.contents["email"].calendar)) for each in told] == [
        ("customer", True),
        ("staff", False),
    ]
    told = requests(world.send("callback.requested", callback()))
    told += requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
    told.append(sent(world, "updated", version=2, status="completed"))
    assert len(told) == 3
    assert all(each.contents["email"].calendar is None for each in told)


def test_own_template_has_an_entry() -> None:
    """The entry goes with a mail in own words too."""
    world = opened()
    own = {"template_id": "t", "version": 1, "channel": "email", "locale": "de", "body_text": "Bis bald!"}
    world.send("template.upserted", own)
    world.send("notification_config.upserted", config("appointment.created", version=2, template_id="t"))
    request = sent(world)
    assert request.contents["email"].body_text == "Bis bald!"
    assert entry(request).decoded("dtstart") == VISIT


@pytest.mark.parametrize(
    ("of_company", "of_branch", "expected"),
    [
        ({}, {}, (None, None)),
        ({"sender_name": "Haar", "reply_to": "post@haar.example"}, {}, ("Haar", "post@haar.example")),
        (
            {"sender_name": "Haar", "reply_to": "post@haar.example"},
            {"sender_name": "Mitte"},
            ("Mitte", "post@haar.example"),
        ),
        ({"reply_to": "post@haar.example"}, {"reply_to": " mitte@haar.example"}, (None, "mitte@haar.example")),
        ({"reply_to": "post@haar.example"}, {"reply_to": "x\r\nBcc: y@z.example"}, (None, "post@haar.example")),
        ({}, {"sender_name": "Mitte\r\nBcc: all"}, ("Mitte Bcc: all", None)),
    ],
)
def test_sender(of_company: dict[str, str], of_branch: dict[str, str], expected: tuple[str | None, ...]) -> None:
    """A mail is from the branch, else the company, each by what it says; a reply address that is none is passed
    over."""
    world = World()
    world.send("company.upserted", company(**of_company))
    world.send("branch.upserted", branch(**of_branch))
    world.send("notification_config.upserted", config("appointment.created"))
    world.restart()
    request = sent(world)
    assert (request.sender_name, request.reply_to) == expected
    assert entry(request)["organizer"].params["CN"] == (expected[0] or "Haar & Co")


def test_sender_reaches_the_channel() -> None:
    """The attempt carries sender, reply address and calendar on."""
    world = opened(sender_name="Haar", reply_to="post@haar.example")
    request = sent(world, customer=customer())
    [due] = world.send("notification.requested", request.model_dump(mode="json"))
    assert (due.data.sender_name, due.data.reply_to) == ("Haar", "post@haar.example")
    assert due.data.contents["email"].calendar == request.contents["email"].calendar
