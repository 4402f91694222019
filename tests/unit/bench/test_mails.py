"""The load of `bench/delivery.py`, and the server that takes it."""

import smtplib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from bench.kafka import Made
from bench.loads.mails import Clinics
from bench.sink import NAMED_DOMAIN, Sink, sink
from schemas import CONTENT_TYPE_HEADER, decode
from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, Priority
from streams.lane.records import FetchedRecord

MAIL = b"Subject: Hallo\r\n\r\nGuten Tag\r\n..\r\n"


def read(made: list[Made]) -> list[AttemptDue]:
    records = (FetchedRecord(each.topic, 0, 0, 0, each.key, each.value, (CONTENT_TYPE_HEADER,)) for each in made)
    return [cast(AttemptDue, decode(record.topic, record).data) for record in records]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sink]:
    with sink(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("event_type", "priority"),
    [("appointment.created", Priority.NORMAL), ("appointment.cancelled", Priority.HIGH)],
)
def test_each_event_is_one_mail(event_type: str, priority: Priority) -> None:
    """What `deliver` is given are readable first attempts, one for each appointment, each to its own address."""
    made = Clinics((), 3).attempts(10, event_type, "kunde.example")
    attempts = read(made)
    assert {each.company_id for each in attempts} == {"co-0", "co-1", "co-2"}
    assert (
        len({each.recipient.email for each in attempts}) == len({each.notification_id for each in attempts}) == 10
    )
    assert all(each.priority is priority and each.contents[ChannelName.EMAIL].body_html for each in attempts)


def test_each_event_is_one_sms() -> None:
    """The same by SMS, each to a number of its own."""
    made = Clinics((), 3, channel=ChannelName.SMS).attempts(10, "appointment.created", "kunde.example")
    attempts = read(made)
    assert {each.topic for each in made} == {"delivery.sms"}
    assert len({each.recipient.phone for each in attempts}) == 10
    assert all(each.contents[ChannelName.SMS].body_text for each in attempts)


def test_sink_counts(server: Sink) -> None:
    """The sink counts each mail that came in whole, writes down those for the named domain, and counts on when it
    is killed and started again on its port."""
    for _ in range(2):
        with smtplib.SMTP("127.0.0.1", server.port) as client:
            client.sendmail("a@b.example", "anna@fast.example", MAIL)
            client.sendmail("a@b.example", f"anna@{NAMED_DOMAIN}", MAIL)
        server.kill()
        server.start()
    assert server.taken == 4
    assert [len(times) for times in server.named().values()] == [2]
    assert list(server.named()) == [f"anna@{NAMED_DOMAIN}"]
