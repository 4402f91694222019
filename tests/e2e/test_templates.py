"""A company's own words, from the directory to the mailbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from icalendar import Calendar

from schemas.event_types import INTAKE_DEAD_LETTERS
from tests.e2e.messages import configuration, in_two_days, opening
from tests.e2e.system import System, system
from tests.support.booking import Booking, Message, customer
from tests.support.waiting import wait_until

ADDRESS = "erika@kundin.example"


@pytest.fixture
def road(bootstrap: str, tmp_path: Path) -> Iterator[System]:
    with system(bootstrap, tmp_path) as made:
        yield made


def template(salon: Booking, **fields: str) -> Message:
    words = {"template_id": "ours", "channel": "email", "locale": "de", "subject": "Hallo {{ customer_name }}"}
    return salon.directory("template.upserted", "ours", **words, **fields)


def test_a_bad_template_leaves_the_good_one_in_force(road: System) -> None:
    """A mail is in the company's own words, from its sender, with the appointment for the calendar. A template
    with a misspelt placeholder goes to the dead letters, and the version before it goes on being used."""
    road.ready()
    salon = Booking("co-1")
    erika = customer(name="<Erika> {{x}}", email=ADDRESS)
    road.send(
        *opening(salon, told=()),
        salon.company(sender_name="Salon Anna am Markt", reply_to="markt@salon.example"),
        template(salon, body_text="Raum {{ extra.room }}", body_html="<p>{{ customer_name }}</p>"),
        configuration(salon, "appointment.created", template_id="ours"),
        salon.appointment("ap-1", customer=erika, starts_at=in_two_days(), extra={"room": "3"}),
    )
    wait_until(lambda: len(road.box.mails) == 1, "the first mail", 60)
    road.send(
        template(salon, body_text="Raum {{ extra.room }}, {{ customer_nmae }}"),
        salon.appointment("ap-2", customer=erika, starts_at=in_two_days(), extra={"room": "4"}),
    )
    log = road.check()
    [letter] = [entry.event["data"] for entry in log[INTAKE_DEAD_LETTERS]]
    assert (letter["role"], letter["reason"]) == ("notify", "unknown_placeholder")
    assert letter["detail"] == "body_text: there is no placeholder 'customer_nmae'"
    requested = [entry.event["data"]["contents"]["email"]["template"] for entry in log["notification.requests"]]
    assert requested == [{"template_id": "ours", "version": 1}] * 2
    mails = [mail.parsed for mail in road.box.to(ADDRESS)]
    assert len(mails) == 2
    for mail, room in zip(mails, "34", strict=True):
        plain, html, calendar = mail.iter_parts()
        assert plain.get_content().strip() == f"Raum {room}"
        assert html.get_content().strip() == "<p>&lt;Erika&gt; {{x}}</p>"
        assert Calendar.from_ical(calendar.get_content())["METHOD"] == calendar.get_param("method") == "REQUEST"
        assert mail["Subject"] == "Hallo <Erika> {{x}}"
        assert str(mail["From"]) == "Salon Anna am Markt <post@staffetta.example>"
        assert mail["Reply-To"] == "markt@salon.example"
