"""The demo's day is what it says it is, whatever the seed."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from schemas import Refused, decode, murmur2_partition
from schemas.addresses import usable_phone
from schemas.configuration import NotificationConfig, Template
from schemas.directory import Staff
from schemas.push_addresses import usable_push
from schemas.reasons import ChannelName
from streams.demo import telling
from streams.demo.appointments import Fate
from streams.demo.day import Day, Planned
from streams.demo.names import BERLIN
from streams.demo.world import CLOSES
from streams.policy.notification.checking import check, must_fill
from streams.policy.notification.moments import moment, timing

PARTITIONS = 4
PUSH_SERVICE = "http://127.0.0.1:4081"
MIDNIGHT = datetime(2026, 11, 23, tzinfo=ZoneInfo(BERLIN))


@pytest.fixture(params=range(5))
def day(request: pytest.FixtureRequest) -> Day:
    return Day(MIDNIGHT, request.param, PUSH_SERVICE)


def read(planned: Planned) -> Any:
    return decode(
        planned.topic, replace(planned, partition=murmur2_partition(planned.key, PARTITIONS)), PARTITIONS
    )


def directory(day: Day, kind: type) -> list[Any]:
    return [event.data for planned in day.directory if isinstance((event := read(planned)).data, kind)]


def test_readable(day: Day) -> None:
    """Every record can be read but the four that are broken on purpose."""
    refused = Counter[str]()
    for planned in (*day.directory, *day.timeline):
        try:
            read(planned)
        except Refused as error:
            refused[error.reason] += 1
    assert refused == {"not_a_cloudevent": 1, "invalid_json": 2, "key_mismatch": 1}


def test_own_words(day: Day) -> None:
    """Each own template can be filled by the event type that uses it; a later version is refused."""
    templates = {template.template_id: template for template in directory(day, Template)}
    users = [config for config in directory(day, NotificationConfig) if config.template_id]
    assert {config.template_id for config in users} == set(templates)
    for config in users:
        must_fill(check(templates[config.template_id]), config.event_type, config.template_id)
    [slip] = [read(each).data for each in day.timeline if b'"template.upserted"' in each.value]
    assert slip.version > templates[slip.template_id].version
    with pytest.raises(Refused, match="customer_nmae"):
        check(slip)


def test_every_channel(day: Day) -> None:
    """Every channel is the first choice of some company, and somebody's only address."""
    first = {config.channel for config in directory(day, NotificationConfig)}
    assert first == set(ChannelName)
    customers = [read(each).data.customer for each in day.timeline if b'.requested"' in each.value]
    fields = ("email", "phone", "push")
    ways = {tuple(field for field in fields if getattr(each, field) is not None) for each in customers}
    assert {("email",), ("phone",), ("push",), ("email", "phone", "push")} <= ways
    assert () not in ways
    for customer in customers:
        assert customer.phone is None or usable_phone(customer.phone)
        assert customer.push is None or usable_push(customer.push)


def test_approved(day: Day) -> None:
    """Meta has approved what the templates for WhatsApp name, with as many parameters."""
    used = [template.provider_template for template in directory(day, Template) if template.provider_template]
    assert {(each.name, each.language): len(each.parameters) for each in used} == telling.approved()
    assert len(used) == 2


def test_reminders(day: Day) -> None:
    """Each reminder of the day falls due when the policy says so, while the chain is open, and at least an hour
    after the last change of its appointment: six seconds of the demo."""
    zones = {
        (event.company_id, event.data.branch_id): event.data.timezone
        for planned in day.directory
        if (event := read(planned)).type == "branch.upserted"
    }
    timings = {
        config.company_id: timing(config)
        for config in directory(day, NotificationConfig)
        if config.event_type == "appointment.reminder"
    }
    changed: dict[tuple[str, str], Planned] = {}
    for planned in day.timeline:
        if b'"appointment.' in planned.value and b'"soon-' in planned.value:
            data = orjson.loads(planned.value)["data"]
            place = data["company_id"], data["appointment_id"]
            if place not in changed or data["version"] > read(changed[place]).data.version:
                changed[place] = planned
    for reminder in day.reminders:
        last = changed.pop((reminder.company_id, reminder.appointment_id))
        data = read(last).data
        zone = zones[data.company_id, data.branch_id]
        assert reminder.due == moment(data.starts_at, timings[data.company_id], zone)
        assert last.at + timedelta(hours=1) <= reminder.due <= MIDNIGHT + CLOSES
        assert (data.status == "cancelled") is (reminder.fate is Fate.CANCELLED)
    assert not changed
    assert {reminder.fate for reminder in day.reminders} == set(Fate)


def test_with_whom(day: Day) -> None:
    """Appointments are with somebody of the same company and branch."""
    places = {
        (person.company_id, person.staff_id, branch_id)
        for person in directory(day, Staff)
        for branch_id in person.branch_ids
    }
    made = [each for each in day.timeline if b'"appointment.created"' in each.value and each.value.endswith(b"}}")]
    whom = [(data.company_id, data.staff_id, data.branch_id) for data in (read(each).data for each in made)]
    assert len(whom) >= 475
    assert set(whom) <= places
