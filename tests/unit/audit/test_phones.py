"""The audit knows what may happen on four channels, and with their receipts, and says so of everything else."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from schemas.event_types import DEAD_LETTERS, OUTCOMES, RECEIPTS
from streams.audit import Entry, Kind, arrivals
from tests.support.booking import Booking, customer
from tests.unit.audit.phones import DEAD, DOUBTFUL, EXCUSED, EXCUSED_TWICE, QUICK, PhoneTheatre
from tests.unit.audit.test_examining import Day
from tests.unit.audit.theatre import configuration

NUMBERS = {
    "delivered": "+491707",
    "read": "+491707",
    "bounced": "+491707",
    "late": DOUBTFUL,
    "doubtful": DOUBTFUL,
    "quick": QUICK,
    "dead": DEAD,
    "regretted": "+491707",
    "excused": EXCUSED,
    "excused-twice": EXCUSED_TWICE,
}
"""Appointment -> how its customer's number begins."""


TOLD = {"doubtful": "failed", "excused": "delivered", "excused-twice": "delivered"}
"""What is told of those that were never told as sent."""


@pytest.fixture(scope="module")
def theatre() -> PhoneTheatre:
    """SMS that are delivered, that do not get through, that are in doubt and told of later; what falls back to
    WhatsApp, and is read; and a push."""
    made, salon = PhoneTheatre(), Booking("co-1")
    made.send(salon.company(), salon.branch(), salon.service(), salon.staff("st-1"))
    made.send(
        configuration(salon, "appointment.created", channel="sms", fallback_channels=["whatsapp"]),
        configuration(salon, "appointment.cancelled", channel="push"),
    )
    for number, (name, begins) in enumerate(NUMBERS.items()):
        who = customer(
            customer_id=f"cu-{name}", phone=f"{begins}{number:06d}", push={"fcm_token": f"token-{name}"}
        )
        made.send(salon.appointment(name, customer=who))
    made.hear("delivered", "sms", "sent", "delivered", "delivered")
    made.hear("read", "sms", "read", "delivered")
    made.hear("bounced", "sms", "failed")
    made.hear("bounced", "whatsapp", "sent", "delivered", "read")
    made.hear("late", "sms", "sent", "delivered")
    made.hear("regretted", "sms", "delivered", "failed")
    made.send(salon.appointment("delivered", "cancelled"))
    return made


@pytest.fixture
def day(theatre: PhoneTheatre) -> Day:
    log = {topic: list(entries) for topic, entries in theatre.log.items()}
    return Day(log, Counter(theatre.post.accepted), list(theatre.messages))


def outcome(day: Day, appointment_id: str, kind: str, at: int = 0) -> Entry:
    found = [
        entry
        for entry in day.log[OUTCOMES]
        if entry.event["data"]["entity"]["id"] == appointment_id and entry.event["type"] == f"notification.{kind}"
    ]
    return found[at]


def told_again(day: Day, entry: Entry, kind: str, **changed: object) -> None:
    """As another outcome of the same attempt."""
    event = entry.event
    event |= {"id": "another", "type": f"notification.{kind}", "data": event["data"] | changed}
    day.append(replace(entry, value=json.dumps(event).encode()))


def series(day: Day, appointment_id: str) -> list[str]:
    found = (entry.event for entry in day.log[OUTCOMES])
    return [
        f"{event['data']['channel']} {event['type'].removeprefix('notification.')}"
        for event in found
        if event["data"]["entity"]["id"] == appointment_id and event["data"]["channel"] != "push"
    ]


def test_nothing_is_found_where_nothing_is_wrong(day: Day) -> None:
    """Everything passes that receipts can say of an attempt, and that may follow from it."""
    assert day.findings == []
    assert {name: series(day, name) for name in NUMBERS} == {
        "delivered": ["sms sent", "sms delivered"],
        "read": ["sms sent", "sms delivered"],
        "bounced": ["sms sent", "sms fell_back", "whatsapp sent", "whatsapp delivered", "whatsapp delivered"],
        "late": ["sms unconfirmed", "sms failed", "sms delivered"],
        "doubtful": ["sms unconfirmed", "sms failed"],
        "quick": ["sms unconfirmed", "sms delivered"],
        "dead": ["sms fell_back", "whatsapp sent"],
        "regretted": ["sms sent", "sms delivered", "sms failed"],
        "excused": ["sms retrying", "sms delivered"],
        "excused-twice": ["sms retrying", "sms retrying", "sms delivered"],
    }
    letters = [entry.event["data"]["entity"]["id"] for entry in day.log[DEAD_LETTERS]]
    assert sorted(letters) == ["doubtful", "late"]
    assert {message["protocol"] for message in day.messages} == {"twilio", "whatsapp", "fcm"}


@pytest.mark.parametrize("topic", [OUTCOMES, DEAD_LETTERS])
def test_no_record_can_go_missing_unnoticed(day: Day, topic: str) -> None:
    """Whichever single outcome or dead letter had not been written, the audit would say so."""
    for entry in list(day.log[topic]):
        whole = day.log[topic]
        day.log[topic] = [each for each in whole if each != entry]
        assert day.findings, f"{entry.place}: {entry.event['type']}"
        day.log[topic] = whole


@pytest.mark.parametrize("topic", [OUTCOMES, DEAD_LETTERS])
def test_no_record_can_be_written_twice_unnoticed(day: Day, topic: str) -> None:
    """Whichever of them had been written twice, the audit would call it doubled."""
    for entry in list(day.log[topic]):
        whole = list(day.log[topic])
        day.append(entry)
        assert Kind.DOUBLED in {finding.kind for finding in day.findings}, f"{entry.place}: {entry.event['type']}"
        day.log[topic] = whole


@pytest.mark.parametrize(
    ("appointment_id", "kind", "then"),
    [
        ("delivered", "delivered", "delivered"),
        ("bounced", "delivered", "sent"),
        ("doubtful", "unconfirmed", "unconfirmed"),
        ("dead", "sent", "retrying"),
        ("excused-twice", "delivered", "delivered"),
    ],
)
def test_what_cannot_follow(day: Day, appointment_id: str, kind: str, then: str) -> None:
    """An attempt is told as delivered once, as sent before that, and as unconfirmed once and before all else."""
    told_again(day, outcome(day, appointment_id, kind, -1), then)
    assert day.says(Kind.DOUBLED, f"notification.{then}")


def test_a_delivery_that_was_not_handed_over(day: Day) -> None:
    """What was delivered was sent, or was unconfirmed, before."""
    day.remove(outcome(day, "delivered", "sent"))
    assert day.says(Kind.LOST, "was told as notification.delivered, and as nothing before")


def test_a_delivery_out_of_turn(day: Day) -> None:
    """An attempt before the last one can turn out to be delivered only if it had failed for now."""
    day.alter(outcome(day, "excused-twice", "delivered"), attempt=3)
    assert day.says(Kind.LOST, "was told as delivered, out of turn")


def test_delivered_after_it_was_refused(day: Day) -> None:
    """After a failure for good nothing can turn out to be delivered."""
    day.alter(outcome(day, "late", "failed"), reason="rejected")
    assert day.says(Kind.DOUBLED, "ended 2 times: notification.failed, notification.delivered")


@pytest.mark.parametrize(
    ("appointment_id", "kind", "at"),
    [
        ("delivered", "delivered", 0),
        ("bounced", "fell_back", 0),
        ("bounced", "delivered", 1),
        ("late", "delivered", 0),
        ("excused", "delivered", 0),
        ("excused-twice", "delivered", 0),
    ],
)
def test_what_no_receipt_says(day: Day, appointment_id: str, kind: str, at: int) -> None:
    """That something was delivered, read or lost on its way, is told because a receipt says so."""
    its_id = outcome(day, appointment_id, kind, at).event["data"]["notification_id"]
    day.log[RECEIPTS] = [entry for entry in day.log[RECEIPTS] if its_id not in (entry.value or b"").decode()]
    assert day.says(Kind.WRONG, f"{its_id} was told as notification.{kind}, but no receipt says so")


def test_failed_without_a_receipt(day: Day) -> None:
    """What was sent has failed only if a receipt says so."""
    told_again(day, outcome(day, "dead", "sent"), "failed", reason="bounced")
    assert day.says(Kind.WRONG, "was told as notification.failed, but no receipt says so")
    assert day.says(Kind.LOST, "failed, and is no dead letter")


@pytest.mark.parametrize(
    ("appointment_id", "at", "words"),
    [
        ("delivered", 0, "was delivered, and nobody was told"),
        ("bounced", 1, "was read, and nobody was told"),
        ("late", 0, "was delivered, and nobody was told"),
    ],
)
def test_a_receipt_that_told_nobody(day: Day, appointment_id: str, at: int, words: str) -> None:
    """What a receipt says of the last attempt is an outcome."""
    day.remove(outcome(day, appointment_id, "delivered", at))
    assert day.says(Kind.LOST, words)


def test_a_failure_on_the_way_that_told_nobody(day: Day) -> None:
    """Nor may a failed receipt come to nothing."""
    day.remove(outcome(day, "regretted", "failed"))
    assert day.says(Kind.LOST, "failed, and nobody was told")


def test_a_fallback_that_ends_there(day: Day) -> None:
    """Who did not get it on the first channel is told on the next, or it has failed."""
    its_id = outcome(day, "bounced", "fell_back").event["data"]["notification_id"]
    for entry in list(day.log[OUTCOMES]):
        if entry.event["data"]["notification_id"] == its_id and entry.event["data"]["channel"] == "whatsapp":
            day.remove(entry)
    assert day.says(Kind.LOST, f"{its_id} has no end: it was told as notification.fell_back")


@pytest.mark.parametrize("appointment_id", ["delivered", "dead", "bounced", *TOLD])
def test_a_message_that_arrived_again(day: Day, appointment_id: str) -> None:
    """Each attempt arrives once: in doubt, and after a failure on the way, too."""
    its_id = outcome(day, appointment_id, TOLD.get(appointment_id, "sent")).event["data"]
    message = next(each for each in day.messages if its_id["notification_id"] in str(each["correlation"]))
    day.messages.append(message | {"id": "another"})
    assert day.says(Kind.DOUBLED, "arrived 2 times, but was handed over 1 times")


def test_a_push_that_arrived_again(day: Day) -> None:
    """An app got the same twice, though nothing was in doubt."""
    message = next(each for each in day.messages if each["protocol"] == "fcm")
    day.messages.append(message | {"id": "another"})
    assert day.says(Kind.DOUBLED, "arrived 2 times, 0 times unconfirmed")


def test_a_message_of_each_protocol() -> None:
    """Whatever the provider keeps of a message says which notification it is, and under which id it was told."""
    named = "company=co-1&notification=n-1&channel={}&attempt=2"
    about = {"company_id": "co-1", "notification_id": "n-1"}
    sms = {"StatusCallback": f"https://example.org/webhooks/twilio?{named.format('sms')}"}
    shown = [
        {"id": "1", "protocol": "twilio", "content": sms, "correlation": None},
        {"id": "2", "protocol": "whatsapp", "content": {}, "correlation": named.format("whatsapp")},
        {"id": "3", "protocol": "fcm", "content": {"data": about}, "correlation": "n-1"},
        {"id": "4", "protocol": "webpush", "content": {"payload": {"data": about}}, "correlation": "topic"},
    ]
    key = "co-1", "n-1"
    assert list(arrivals.messages(shown)) == [
        (key, "sms", 2, "1"),
        (key, "whatsapp", 2, "2"),
        (key, "push", arrivals.ANY_ATTEMPT, "3"),
        (key, "push", arrivals.ANY_ATTEMPT, "topic"),
    ]


def test_a_message_on_two_channels(day: Day) -> None:
    """What was delivered by SMS must not come by WhatsApp as well."""
    its_id = outcome(day, "delivered", "delivered").event["data"]["notification_id"]
    named = f"company=co-1&notification={its_id}&channel=whatsapp&attempt=1"
    day.messages.append({"id": "another", "protocol": "whatsapp", "content": {}, "correlation": named})
    assert day.says(Kind.DOUBLED, "arrived 2 times, 0 times unconfirmed, 0 times failed on the way")
    assert day.says(Kind.DOUBLED, "by whatsapp, attempt 1 arrived 1 times, but was handed over 0 times")


def test_a_message_from_nowhere(day: Day) -> None:
    """Every message says which notification it is, and that was asked for."""
    message = next(each for each in day.messages if each["protocol"] == "whatsapp")
    day.messages.append(message | {"id": "nameless", "correlation": None})
    named = "company=co-1&notification=nobody-s&channel=whatsapp&attempt=1"
    day.messages.append(message | {"id": "unasked", "correlation": named})
    assert day.says(Kind.WRONG, "nameless arrived, but nobody had asked for it")
    assert day.says(Kind.WRONG, "unasked arrived, but nobody had asked for it")


def test_a_message_that_never_arrived(day: Day) -> None:
    """What is said to be sent is with its provider."""
    gone = day.messages.pop()
    assert day.says(Kind.LOST, f"{gone['id']} never arrived")


def test_a_receipt_that_nobody_can_read(day: Day) -> None:
    """`deliver` answers for it."""
    entry = day.log[RECEIPTS][-1]
    day.append(replace(entry, value=b"no CloudEvent"))
    assert day.says(Kind.LOST, "cannot be read (invalid_json) and is no dead letter")
