"""The built-in texts for phones, read as those who get them read them."""

import re

import pytest
from msgspec.structs import replace

from streams.policy.notification import placeholders
from streams.policy.notification.channels import CHANNELS
from streams.policy.notification.placeholders import Names
from streams.policy.notification.segments import Encoding, count, format_of
from streams.policy.notification.texts.wording import Occasion
from streams.policy.notification.writers import WRITERS, write
from tests.unit.notification.test_texts import FULL, NAMES, OCCASIONS, variants

PHONES = ("sms", "whatsapp", "push")
CREATED = Occasion("appointment.created", "customer")


def body(channel: str, occasion: Occasion, locale: str = "de", names: Names = NAMES) -> str:
    text: str = write(channel, occasion, locale, placeholders.values(FULL, names, locale))["body_text"]
    return text


def test_every_channel_has_a_writer() -> None:
    """Something can be written for every channel of the contract, and somebody be reached by it."""
    assert set(WRITERS) == set(CHANNELS) == {"email", *PHONES}


@pytest.mark.parametrize("channel", PHONES)
@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_nothing_is_left_over(channel: str, locale: str, occasion: Occasion) -> None:
    """Whatever is given or missing, no placeholder, gap, double blank or dangling sign is left, and the request
    says which text it is."""
    for facts, names in variants():
        content = write(channel, occasion, locale, placeholders.values(facts, names, locale))
        assert content["template"]["template_id"] == f"builtin:{occasion.event_type}.{channel}.{locale}"
        assert "body_html" not in content
        assert bool(content.get("subject")) == (channel == "push")
        for line in (content.get("subject", ""), *content["body_text"].splitlines()):
            assert not re.search(r"\{\{|\}\}|\{%|None|True|False|  |\s[,.:;)]|\(\)|\( |, \)|: $|,,|\.\.", line), (
                line
            )
            assert line == line.strip()
        assert "\n\n\n" not in content["body_text"]


@pytest.mark.parametrize("channel", PHONES)
@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_says_who_writes(channel: str, locale: str, occasion: Occasion) -> None:
    """The company is named, and with it the branch; just the branch where the company is not known."""
    assert "Haar & Co" in body(channel, occasion, locale)
    names = {field: getattr(NAMES, field) for field in Names.__slots__} | {"company": ""}
    if channel != "whatsapp":
        assert body(channel, occasion, locale).startswith("Haar & Co, Salon Mitte: ")
        assert body(channel, occasion, locale, Names(**names)).startswith("Salon Mitte: ")
        assert body(channel, occasion, locale, Names(**names | {"company": "Salon Mitte"})).startswith(
            "Salon Mitte: "
        )


@pytest.mark.parametrize(("locale", "occasion"), OCCASIONS)
def test_sms_is_short(locale: str, occasion: Occasion) -> None:
    """With everything that an event can carry, an SMS is 7-bit and at most two segments."""
    text = body("sms", occasion, locale)
    assert format_of(text).encoding is Encoding.GSM_7
    assert count(text) <= 2


@pytest.mark.parametrize(
    ("occasion", "locale", "text"),
    [
        (
            CREATED,
            "de",
            "Haar & Co, Salon Mitte: Ihr Termin am 22.11.2026 um 14:30 Uhr bei Anna Beispiel ist gebucht. "
            "Termin ansehen: https://book.example/m?a=1&b=2",
        ),
        (
            Occasion("appointment.cancelled", "customer"),
            "de",
            "Haar & Co, Salon Mitte: Ihr Termin am 22.11.2026 um 14:30 Uhr wurde abgesagt. "
            "Telefon: +49 30 1234567",
        ),
        (
            Occasion("appointment.rescheduled", "customer"),
            "en",
            "Haar & Co, Salon Mitte: Your appointment has been moved. It is now on 22 November 2026 at 14:30 with "
            "Anna Beispiel. View appointment: https://book.example/m?a=1&b=2",
        ),
        (
            Occasion("callback.assigned", "staff"),
            "de",
            "Haar & Co, Salon Mitte: Neuer Rückruf für Sie: Erika Muster, +493098765. "
            "Bitte rufen Sie umgehend an.",
        ),
        (
            Occasion("appointment.created", "staff"),
            "de",
            "Haar & Co, Salon Mitte: Neuer Termin für Sie am 22.11.2026 um 14:30 Uhr (Erika Muster, Haarschnitt).",
        ),
    ],
)
def test_sms(occasion: Occasion, locale: str, text: str) -> None:
    """An SMS says it in one paragraph, with the link or the number that helps."""
    assert body("sms", occasion, locale) == text


def test_whatsapp() -> None:
    """WhatsApp has room for a short letter."""
    assert body("whatsapp", CREATED) == (
        "Guten Tag Erika Muster,\n\n"
        "Ihr Termin am 22.11.2026 um 14:30 Uhr bei Anna Beispiel ist gebucht.\n\n"
        "Ort: Salon Mitte, Hauptstraße 1, 10115 Berlin\n\n"
        "Termin ansehen: https://book.example/m?a=1&b=2\n"
        "Termin verschieben: https://book.example/r\n"
        "Termin absagen: https://book.example/c\n\n"
        "Freundliche Grüße\nIhr Team von Haar & Co"
    )


def test_push() -> None:
    """A push message has a title and a sentence."""
    content = write("push", CREATED, "en", placeholders.values(FULL, NAMES, "en"))
    assert content["subject"] == "Your appointment is booked"
    assert content["body_text"] == (
        "Haar & Co, Salon Mitte: Your appointment on 22 November 2026 at 14:30 with Anna Beispiel is booked."
    )


@pytest.mark.parametrize("channel", PHONES)
def test_longest_values(channel: str) -> None:
    """However long names and links are, a message keeps to what its channel takes."""
    long = Names(*("x" * 200 if field != "branch_zone" else "Europe/Berlin" for field in Names.__slots__))
    facts = replace(FULL, links=replace(FULL.links, manage="https://book.example/" + "&" * 2000))
    for locale, occasion in OCCASIONS:
        content = write(channel, occasion, locale, placeholders.values(facts, long, locale))
        text = content["body_text"]
        assert {"sms": count(text) <= 3, "whatsapp": len(text) <= 4096, "push": len(text) <= 240}[channel]
        assert len(content.get("subject", "")) <= 80
