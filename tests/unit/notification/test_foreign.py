"""Requests of other systems: read as strictly, and held by the same hours, as our own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Event
from schemas.notifications import LocalQuietHours
from tests.unit.notification.test_fanout import request
from tests.unit.notification.test_quiet import EVENING, NIGHT, preferences, salon
from tests.unit.notification.world import World, appointment, attempts, customer, opened

CONTENT = request()["contents"]["email"]


def ask(made: World, **fields: Any) -> Event:
    [event] = made.send("notification.requested", request(**fields))
    return event


def saying(**fields: Any) -> dict[str, Any]:
    return {"contents": {"email": CONTENT | fields}}


@pytest.mark.parametrize(("audience", "type"), [("staff", "customer"), ("customer", "staff")])
def test_the_recipient_is_the_audience(audience: str, type: str) -> None:
    """Nobody is told past their consent by being called a colleague: the request is refused, and says why."""
    recipient = request()["recipient"] | {"type": type}
    event = ask(opened(), audience=audience, recipient=recipient)
    assert (event.type, event.data.reason) == ("intake.refused", "invalid_data")
    assert event.data.detail == f"recipient: its type is {type}, but the audience is {audience}"


@pytest.mark.parametrize(
    ("field", "text", "left"),
    [
        ("subject", "Dear {{ customer_nmae }}", "{{ customer_nmae }}"),
        ("body_text", "{{x}} and {{ y }}", "{{x}}"),
        ("body_html", "<p>{{\n name\n}}</p>", "{{ name }}"),
    ],
)
def test_nothing_with_a_leftover_placeholder(field: str, text: str, left: str) -> None:
    """A text with a placeholder that nobody has filled is refused by its place, and not sent."""
    made = opened()
    event = ask(made, **saying(**{field: text}))
    assert (event.type, event.data.reason) == ("intake.refused", "unknown_placeholder")
    assert event.data.detail == f"contents.email.{field}: {left} is left over"
    assert made.counted["staffetta_intake_total", "notification.requests", "dead_letter"] == 1


@pytest.mark.parametrize("name", ["{{x}}", "{{ <Erika> }}"])
def test_who_is_called_so(name: str) -> None:
    """Somebody's name is no placeholder, in our own requests or in others', escaped or not."""
    made = opened()
    recipient = request()["recipient"] | {"name": name}
    html = f"<b>{name.replace('<', '&lt;').replace('>', '&gt;')}</b>"
    assert attempts([ask(made, recipient=recipient, **saying(body_text=f"Dear {name}", body_html=html))])
    [asked] = made.step(made.record("appointment.created", appointment(customer=customer(name=name)))).outputs
    assert name.encode() in asked.value


@pytest.mark.parametrize("text", ["{{", "}}", "}} {{", "{ {x} }", "a{b{c}}"])
def test_braces_are_no_placeholder(text: str) -> None:
    """Only what stands between two pairs of braces is one."""
    assert attempts([ask(opened(), **saying(body_text=text))])


@given(st.text(st.sampled_from("{}x "), max_size=12), st.sampled_from(["x", "{", "}", "{}", "{{", "}}"]))
def test_no_name_hides_a_placeholder(text: str, name: str) -> None:
    """Unless somebody is called like one, what is sent holds no placeholder."""
    event = ask(World(), recipient=request()["recipient"] | {"name": name}, **saying(body_text=text))
    start = text.find("{{")
    is_filled = start < 0 or text.find("}}", start + 2) < 0
    assert bool(attempts([event])) is is_filled


@pytest.mark.parametrize(("text", "sent"), [("a – b", "a – b"), ("word " * 200, "word " * 90 + "word...")])
def test_an_sms_of_few_segments(text: str, sent: str) -> None:
    """An SMS of more than three segments is cut at a word; a shorter one is sent as the other system wrote it."""
    template = {"template_id": "t-1", "version": 4}
    recipient = request()["recipient"] | {"phone": "+493098765"}
    contents = {"sms": {"body_text": text, "template": template}}
    [due] = attempts([ask(opened(), channel="sms", recipient=recipient, contents=contents)])
    assert due.contents["sms"].body_text == sent  # type: ignore[index]


def test_held_by_the_hours_that_we_know() -> None:
    """Without quiet hours of its own it keeps the customer's, else the branch's, else the company's."""
    hours = [{"start": "20:00", "end": end} for end in ("09:00", "10:00", "11:00")]
    places: list[dict[str, Any]] = [{"company": hours[0]}, {"branch": hours[1]}, {"customer": hours[2]}]
    known: dict[str, Any] = {}
    for more in places:
        known |= more
        made = salon(**known)
        made.send("appointment.created", appointment())
        [due] = attempts([ask(made)])
        assert due.quiet_hours == LocalQuietHours(**next(iter(more.values())), timezone="Europe/Berlin")


def test_hours_of_its_own() -> None:
    """Quiet hours that the other system knows are kept as they are."""
    theirs = {"start": "12:00", "end": "13:00", "timezone": "Asia/Tokyo"}
    [due] = attempts([ask(salon(company=NIGHT), quiet_hours=theirs)])
    assert due.quiet_hours == LocalQuietHours(**theirs)


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "high"},
        {"audience": "staff", "recipient": {"type": "staff", "id": "anna", "name": "A", "email": "a@b.example"}},
    ],
)
def test_who_keeps_none(fields: dict[str, Any]) -> None:
    """Colleagues have no quiet hours, and what is urgent keeps none."""
    [due] = attempts([ask(salon(company=NIGHT, customer=NIGHT), **fields)])
    assert (due.quiet_hours, due.timezone) == (None, None)


@pytest.mark.parametrize(
    ("entity", "chosen", "zone"),
    [
        ("elsewhere", None, "Europe/Vienna"),
        ("ap-1", None, "Europe/Berlin"),
        ("ap-2", None, "Asia/Tokyo"),
        ("ap-2", "America/New_York", "America/New_York"),
    ],
)
def test_by_whose_clock(entity: str, chosen: str | None, zone: str) -> None:
    """Quiet hours without a zone mean the customer's as the appointment has it, the branch's, or the company's."""
    made = opened(timezone="Europe/Vienna")
    made.send("customer_preferences.upserted", preferences(quiet_hours=NIGHT, timezone=chosen))
    made.send("appointment.created", appointment())
    there = appointment(appointment_id="ap-2", customer=customer(timezone="Asia/Tokyo"))
    made.send("appointment.created", there)
    made.at = EVENING
    [due] = attempts([ask(made, entity={"type": "appointment", "id": entity, "version": 1})])
    assert due.quiet_hours is not None
    assert (due.quiet_hours.timezone, due.timezone) == (zone, zone)


def test_hours_in_no_zone() -> None:
    """Quiet hours in a zone that does not exist are refused, for they could not be kept."""
    event = ask(opened(), quiet_hours=NIGHT | {"timezone": "Mars/Olympus"})
    assert event.data.detail == "quiet_hours.timezone: not a time zone of the IANA database"
