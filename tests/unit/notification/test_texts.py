"""The built-in mails, read as a customer or colleague would read them."""

import itertools
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.policy.notification import formats, placeholders
from streams.policy.notification.facts import Facts, Person, Urls
from streams.policy.notification.layout import EDGES, FAINT, GROUND, INK, PAPER
from streams.policy.notification.placeholders import Names
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Occasion
from streams.policy.notification.writers import write
from tests.unit.notification.world import (
    EVERYTHING,
    STAFF_ONLY,
    VISIT,
    appointment,
    branch,
    callback,
    customer,
    decision,
    opened,
    requests,
    service,
    staff,
)

FULL = Facts(
    type="appointment",
    id="ap-1",
    version=2,
    status="booked",
    branch_id="b-1",
    service_id="cut",
    staff_id="anna",
    customer=Person("cu-1", "Erika Muster", "erika@example.org", "de", "+493098765"),
    links=Urls("https://book.example/m?a=1&b=2", "https://book.example/c", "https://book.example/r"),
    starts_at=VISIT,
    duration_minutes=45,
    previous_starts_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    priority="urgent",
)
NAMES = Names(
    company="Haar & Co",
    branch="Salon Mitte",
    branch_zone="Europe/Berlin",
    branch_address="Hauptstraße 1\n10115 Berlin",
    branch_phone="+49 30 1234567",
    service="Haarschnitt",
    staff="Anna Beispiel",
)
OCCASIONS = sorted((locale, occasion) for locale, language in LANGUAGES.items() for occasion in language.texts)


class Reader(HTMLParser):
    """The text of a page, and its tags: what is open, and what was ever there."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open, self.seen, self.links = "", [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def written(locale: str, occasion: Occasion, facts: Facts = FULL, names: Names = NAMES) -> dict[str, Any]:
    return write("email", occasion, locale, placeholders.values(facts, names, locale))


def test_every_event_has_texts() -> None:
    """Every event type has a German and an English mail for each audience that can be told of it."""
    to_customers = [(event_type, "customer") for event_type in EVERYTHING if event_type not in STAFF_ONLY]
    to_staff = [(event_type, "staff") for event_type in EVERYTHING if event_type != "callback.received"]
    assert {occasion for _, occasion in OCCASIONS} == {*to_customers, *to_staff}
    assert len(OCCASIONS) == 2 * len({*to_customers, *to_staff})


ABSENT_FACTS: dict[str, Any] = {
    "links": Urls(),
    "duration_minutes": 0,
    "previous_starts_at": None,
    "priority": None,
    "customer": Person("cu-1", " ", None, None, None),
}
ABSENT_NAMES = {"company": "", "branch_address": "", "branch_phone": "", "service": "", "staff": ""}


def variants() -> list[tuple[Facts, Names]]:
    """Everything given, nothing optional given, and each optional piece missing on its own and being alone."""
    found = []
    for absent in (
        (),
        (*ABSENT_FACTS, *ABSENT_NAMES),
        *((name,) for name in (*ABSENT_FACTS, *ABSENT_NAMES)),
        *(tuple({*ABSENT_FACTS, *ABSENT_NAMES} - {name}) for name in (*ABSENT_FACTS, *ABSENT_NAMES)),
    ):
        facts = replace(FULL, **{name: ABSENT_FACTS[name] for name in absent if name in ABSENT_FACTS})
        names = {field: getattr(NAMES, field) for field in Names.__slots__}
        names |= {name: ABSENT_NAMES[name] for name in absent if name in ABSENT_NAMES}
        found.append((facts, Names(**names)))
    return found


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_nothing_is_left_over(locale: str, occasion: Occasion) -> None:
    """Whatever is given or missing, no placeholder, gap, double blank or dangling sign is left in a mail."""
    for facts, names in variants():
        mail = written(locale, occasion, facts, names)
        for part in (mail["subject"], mail["body_text"], Reader(mail["body_html"]).text):
            assert not re.search(r"\{\{|\}\}|\{%|None|True|False", part)
        for line in (mail["subject"], *mail["body_text"].splitlines()):
            assert "  " not in line
            assert line == line.strip()
            assert not re.search(r"\s[,.:;)]|\(\)|: $|,,", line), line
        assert "\n\n\n" not in mail["body_text"]
        assert "\n" not in mail["subject"]
        assert mail["body_text"].startswith(("Guten Tag", "Hello"))
        assert not re.search(r"<(a|td|th|h1|p|title)\b[^>]*>\s*</", mail["body_html"])


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_html_is_whole(locale: str, occasion: Occasion) -> None:
    """The HTML names its language, has one heading, closes what it opens, and fetches nothing."""
    page = written(locale, occasion)["body_html"]
    read = Reader(page)
    assert read.open == []
    assert f'<html lang="{locale}">' in page
    assert read.seen.count("h1") == 1
    assert not {"img", "script", "link", "style", "iframe"} & set(read.seen)
    assert len(page.encode()) < 20_000


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_text_and_html_say_the_same(locale: str, occasion: Occasion) -> None:
    """Every detail and link of the text part stands in the HTML too."""
    mail = written(locale, occasion)
    read = Reader(mail["body_html"])
    for line in mail["body_text"].splitlines():
        label, colon, value = line.partition(": ")
        if colon:
            assert label in read.text
            assert value in read.text or value in read.links
    assert read.text.count(mail["subject"]) >= 1


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_links(locale: str, occasion: Occasion) -> None:
    """Customers get the links that the event has, for appointments that stand; colleagues get none."""
    stands = occasion.event_type.split(".")[1] in ("created", "updated", "rescheduled", "reminder")
    read = Reader(written(locale, occasion)["body_html"])
    links = [FULL.links.manage, FULL.links.reschedule, FULL.links.cancel]
    assert read.links == (links if stands and occasion.audience == "customer" else [])


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast() -> None:
    """Every text can be read: at least 4.5 : 1 against its ground."""
    pairs = [(INK, PAPER), (FAINT, PAPER), (FAINT, GROUND), *((edge, PAPER) for edge in EDGES.values())]
    assert min(itertools.starmap(contrast, pairs)) >= 4.5


def test_german_mail_to_a_customer() -> None:
    """A booking, as a German customer reads it."""
    world = opened()
    links = {"manage": "https://book.example/m", "cancel": "https://book.example/c"}
    [request] = requests(world.send("appointment.created", appointment(links=links)))
    content = request.contents["email"]
    assert content.subject == "Ihr Termin am 22.11.2026 um 14:30 Uhr"
    assert (
        content.body_text
        == """\
Guten Tag Erika Muster,

vielen Dank für Ihre Buchung. Wir haben diesen Termin für Sie eingetragen:

Leistung: Haarschnitt
Datum: 22.11.2026
Uhrzeit: 14:30 Uhr
Dauer: 45 Minuten
Bei: Anna Beispiel
Ort: Salon Mitte, Hauptstraße 1, 10115 Berlin
Telefon: +49 30 1234567

Termin ansehen: https://book.example/m
Termin absagen: https://book.example/c

Wir freuen uns auf Sie.

Freundliche Grüße
Ihr Team von Haar & Co

Diese Nachricht wurde automatisch verschickt.
"""
    )


def test_english_mail_to_a_customer() -> None:
    """A move, as an English-speaking customer of the same company reads it."""
    world = opened()
    moved = appointment(
        customer=customer(locale="en"), previous_starts_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    )
    [request] = requests(world.send("appointment.rescheduled", moved))
    content = request.contents["email"]
    assert content.subject == "Your appointment has been moved: now on 22 November 2026 at 14:30"
    assert (
        content.body_text
        == """\
Hello Erika Muster,

Your appointment will take place at a new time:

Service: Haarschnitt
Date: 22 November 2026
Time: 14:30
Previously: 21 November 2026 09:00
Duration: 45 minutes
With: Anna Beispiel
Place: Salon Mitte, Hauptstraße 1, 10115 Berlin
Phone: +49 30 1234567

If the new time does not suit you, please contact us on +49 30 1234567.

Kind regards
The team at Haar & Co

This message was sent automatically.
"""
    )


def test_german_mail_to_a_colleague() -> None:
    """An urgent callback, as the colleague reads it."""
    world = opened()
    world.send("callback.requested", callback(priority="urgent", service_id="cut"))
    [request] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
    content = request.contents["email"]
    assert content.subject == "Neuer Rückruf für Sie: Erika Muster (dringend)"
    assert (
        content.body_text
        == """\
Guten Tag Anna Beispiel,

Sie sind jetzt für diesen Rückruf zuständig. Bitte rufen Sie umgehend an:

Name: Erika Muster
Telefon: +493098765
Priorität: dringend
Leistung: Haarschnitt
Ort: Salon Mitte, Hauptstraße 1, 10115 Berlin

Freundliche Grüße
Haar & Co

Diese Nachricht wurde automatisch verschickt.
"""
    )


def test_english_mail_to_a_colleague() -> None:
    """A callback that is no longer theirs, as a colleague of an English-speaking company reads it."""
    world = opened(locale="en")
    world.send("callback.requested", callback())
    world.send("callback.auto_assigned", decision("d-1", "anna"))
    told = requests(world.send("callback.reassigned", decision("d-2", "ben", previous_staff_id="anna")))
    content = told[1].contents["email"]
    assert content.subject == "Call no longer yours: Erika Muster"
    assert (
        content.body_text
        == """\
Hello Anna Beispiel,

You are no longer responsible for this call. There is nothing left for you to do.

Name: Erika Muster
Phone: +493098765
Priority: normal
Place: Salon Mitte, Hauptstraße 1, 10115 Berlin

Kind regards
Haar & Co

This message was sent automatically.
"""
    )


@pytest.mark.parametrize(("locale", "neutral"), [("de", "Leistung: Termin"), ("en", "Service: appointment")])
@pytest.mark.parametrize("known", [True, False], ids=["confidential", "unknown"])
def test_confidential_service(locale: str, neutral: str, known: bool) -> None:
    """A confidential service, or one not known yet, is never named: the neutral word stands instead."""
    world = opened(locale=locale)
    secret = service(service_id="secret", name="Suchtberatung", confidential=True)
    if known:
        world.send("service.upserted", secret)
    [event] = world.send("appointment.created", appointment(service_id="secret"))
    assert "Suchtberatung" not in event.data.model_dump_json()
    assert neutral in requests([event])[0].contents["email"].body_text


def test_confidential_service_that_was_deleted() -> None:
    """It stays confidential after its deletion."""
    world = opened()
    world.send("service.upserted", service(service_id="secret", name="Suchtberatung", confidential=True))
    world.send("service.deleted", {"service_id": "secret", "version": 2})
    [event] = world.send("appointment.cancelled", appointment(service_id="secret", status="cancelled"))
    assert "Suchtberatung" not in event.data.model_dump_json()


NASTY = "<script>alert('x')</script> & \"{{ company_name }}\" {% for %}"


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_values_are_only_filled_in(locale: str, occasion: Occasion) -> None:
    """A name that looks like markup or like a template stands in the mail as it is, and does nothing."""
    facts = replace(FULL, customer=Person("cu-1", NASTY, None, None, NASTY))
    names = Names(*(NASTY if field != "branch_zone" else "Europe/Berlin" for field in Names.__slots__))
    mail = written(locale, occasion, facts, names)
    read = Reader(mail["body_html"])
    assert "script" not in read.seen
    assert NASTY in read.text
    assert NASTY in mail["body_text"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_names_are_one_line(name: str, address: str) -> None:
    """No name can begin a line of its own: not in the subject, which is a mail header, and not in the text."""
    facts = replace(FULL, customer=Person("cu-1", name, None, None, "+493098765"))
    occasion = Occasion("callback.assigned", "staff")
    names = Names("Co", address, "Europe/Berlin", address, "+49", "Cut", name)
    mail = written("de", occasion, facts, names)
    plain = written("de", occasion)
    assert len(mail["subject"].splitlines()) == 1
    assert mail["subject"].isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", mail["subject"])
    assert len(mail["body_text"].splitlines()) <= len(plain["body_text"].splitlines())


def test_header_injection() -> None:
    """A line break in a customer's name never reaches the subject."""
    world = opened()
    name = "Erika\r\nBcc: everyone@example.org\u2028\x85Muster"
    world.send("callback.requested", callback(customer=customer(name=name)))
    [request] = requests(world.send("callback.auto_assigned", decision("d-1", "anna")))
    content = request.contents["email"]
    assert content.subject == "Neuer Rückruf für Sie: Erika Bcc: everyone@example.org Muster"


def test_longest_values() -> None:
    """However long names, addresses and links are, the message fits into a request and goes on its way."""
    long, link = "<" * 10_000, "https://book.example/" + "&" * 2_000
    world = opened(name=long)
    world.send("branch.upserted", branch(version=2, name=long, address=long, phone=long))
    world.send("service.upserted", service(version=2, name=long))
    world.send("staff.upserted", staff(version=2, name=long))
    links = {"manage": link, "cancel": link, "reschedule": link}
    about = {"customer": customer(name=long, phone=long), "links": links}
    told = world.send("appointment.created", appointment(**about))
    told += world.send("callback.requested", callback(**about))
    told += world.send("callback.auto_assigned", decision("d-1", "anna"))
    assert len(requests(told)) == 3
    for request in requests(told):
        [due] = world.send("notification.requested", request.model_dump(mode="json"))
        assert due.type == "notification.attempt_due"


@pytest.mark.parametrize(
    ("moment", "zone", "locale", "expected"),
    [
        ("2026-11-22T13:30+00:00", "Europe/Berlin", "de", "22.11.2026 14:30"),
        ("2026-11-22T13:30+00:00", "Europe/Berlin", "en", "22 November 2026 14:30"),
        ("2026-07-01T22:30+00:00", "Europe/Berlin", "de", "02.07.2026 00:30"),
        ("2026-03-29T00:59+00:00", "Europe/Berlin", "de", "29.03.2026 01:59"),
        ("2026-03-29T01:00+00:00", "Europe/Berlin", "de", "29.03.2026 03:00"),
        ("2026-10-25T00:30+00:00", "Europe/Berlin", "en", "25 October 2026 02:30"),
        ("2026-10-25T01:30+00:00", "Europe/Berlin", "en", "25 October 2026 02:30"),
        ("2026-03-05T05:05+00:00", "America/New_York", "en", "5 March 2026 00:05"),
    ],
)
def test_formats(moment: str, zone: str, locale: str, expected: str) -> None:
    """Dates and times are written as the reader does, on the branch's wall clock."""
    at = datetime.fromisoformat(moment).astimezone(UTC)
    assert f"{formats.date_text(at, zone, locale)} {formats.time_text(at, zone, locale)}" == expected


@pytest.mark.parametrize(
    ("minutes", "german", "english"),
    [(45, "45 Minuten", "45 minutes"), (1, "1 Minute", "1 minute"), (90, "90 Minuten", "90 minutes"), (0, "", "")],
)
def test_durations(minutes: int, german: str, english: str) -> None:
    """Durations are in minutes, in the reader's language."""
    assert (formats.duration_text(minutes, "de"), formats.duration_text(minutes, "en")) == (german, english)


@pytest.mark.parametrize(("priority", "word"), [("normal", "normal"), ("high", "hoch"), ("urgent", "dringend")])
def test_priorities(priority: str, word: str) -> None:
    """A callback's priority is translated."""
    assert LANGUAGES["de"].priorities[priority] == word
    mail = written("de", Occasion("callback.assigned", "staff"), replace(FULL, priority=priority))
    assert f"Priorität: {word}" in mail["body_text"]
