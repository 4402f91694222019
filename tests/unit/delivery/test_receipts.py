"""Receipts: late, twice, out of order, and before the provider's own answer."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event_types import DIRECTORY, RECEIPTS
from schemas.notifications import AttemptDue, DeadLetter, Recipient
from schemas.reasons import ChannelName, DeliveryReason
from streams.clock import utc
from streams.policy.delivery.ledger import KEPT, WAITING
from streams.policy.delivery.results import Accepted, Permanent, Transient, Unconfirmed
from tests.unit.delivery.support import GRACE_SECONDS, Record, SilentChannel, Worker, request
from tests.unit.delivery.test_attempts import TWO_CHANNELS, answer, ask, told, wait

ACCEPTED = Accepted("SM1")
LOST = Unconfirmed(DeliveryReason.TIMEOUT, "no answer")
SMS_FIRST: dict[str, Any] = {
    **TWO_CHANNELS,
    "channel": "sms",
    "fallback_channels": ["email"],
    "topic": "delivery.sms",
}
ALONE: dict[str, Any] = {**SMS_FIRST, "fallback_channels": []}

CHANNELS = SilentChannel(), SilentChannel(ChannelName.SMS, recognises_repeats=False)
STATUSES = ("sent", "delivered", "read", "failed", "bounced")
Told = list[tuple[str, str, int, str | None]]


def receipt(worker: Worker, status: str, channel: str = "sms", **fields: Any) -> Record:
    data = {"company_id": "co-7", "notification_id": "n-1", "channel": channel, "attempt": 1, "provider": "twilio"}
    data |= {"status": status, "at": utc(worker.clock.moment), **fields}
    return worker.news("provider.receipt", RECEIPTS, data)


def hear(worker: Worker, status: str, **fields: Any) -> Told:
    before = len(worker.events)
    worker.send(receipt(worker, status, **fields))
    return told(worker.events[before:])


@pytest.fixture
def worker() -> Worker:
    return Worker(channels=CHANNELS)


def test_delivered_and_read(worker: Worker) -> None:
    """Both are told as delivered, once, and read only after delivered."""
    ask(worker, **ALONE)
    assert answer(worker, ACCEPTED) == [("sent", "sms", 1, None)]
    assert hear(worker, "sent") == []
    assert hear(worker, "delivered", provider_message_id="SM1") == [("delivered", "sms", 1, None)]
    assert hear(worker, "delivered") == []
    assert hear(worker, "read") == [("delivered", "sms", 1, "read")]
    assert hear(worker, "delivered") == []
    ids = [each.id for each in worker.events]
    assert len(ids) == len(set(ids))


def test_a_failure_on_the_way_falls_back(worker: Worker) -> None:
    """Like a refusal: the next channel gets it at once, with a schedule of its own."""
    ask(worker, **SMS_FIRST)
    answer(worker, ACCEPTED)
    assert hear(worker, "failed", error="30008") == [("fell_back", "sms", 1, "bounced")]
    (attempt,) = [each.data for each in worker.events if isinstance(each.data, AttemptDue)]
    assert (attempt.attempt_channel, attempt.attempt) == ("email", 1)
    assert [(each.channel, each.reason, each.error) for each in attempt.attempts] == [("sms", "bounced", "30008")]
    worker.run()
    assert answer(worker, Accepted("<m>")) == [("sent", "email", 1, None)]
    assert hear(worker, "failed") == hear(worker, "delivered") == []
    assert hear(worker, "delivered", channel="email") == [("delivered", "email", 1, None)]


def test_no_channel_left(worker: Worker) -> None:
    """Then it has failed, and the dead letter has all that it needs to be sent again."""
    ask(worker, **ALONE)
    answer(worker, ACCEPTED)
    assert hear(worker, "failed", error="30008") == [("failed", "sms", 1, "bounced")]
    (letter,) = [each.data for each in worker.events if isinstance(each.data, DeadLetter)]
    assert (letter.reason, letter.error, letter.contents["sms"].body_text) == ("bounced", "30008", "Guten Tag")
    assert hear(worker, "failed") == []
    ask(worker, **ALONE, redrive=1)
    assert answer(worker, ACCEPTED) == [("sent", "sms", 1, None)]


def test_failed_after_delivered(worker: Worker) -> None:
    """It is told, and not acted on: another channel would bring it a second time."""
    ask(worker, **SMS_FIRST)
    answer(worker, ACCEPTED)
    hear(worker, "delivered")
    assert hear(worker, "failed", error="30008") == [("failed", "sms", 1, "bounced")]
    assert hear(worker, "failed") == hear(worker, "delivered") == []
    assert worker.posted == []


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [("sent", "sent", None), ("delivered", "delivered", None), ("read", "delivered", "read")],
)
def test_a_receipt_clears_a_doubt(worker: Worker, status: str, outcome: str, reason: str | None) -> None:
    """What may have arrived did: it is neither repeated nor given up."""
    ask(worker, **SMS_FIRST)
    assert answer(worker, LOST) == [("unconfirmed", "sms", 1, "timeout")]
    assert hear(worker, status) == [(outcome, "sms", 1, reason)]
    wait(worker, GRACE_SECONDS + 5)
    assert worker.jobs == []
    assert told(worker.events)[2:] == []


def test_a_receipt_says_that_it_did_not_arrive(worker: Worker) -> None:
    """Then the next channel gets it, before the grace is over."""
    ask(worker, **SMS_FIRST)
    answer(worker, LOST)
    assert hear(worker, "failed") == [("fell_back", "sms", 1, "bounced")]
    worker.run()
    assert [job.message.address for job in worker.jobs] == ["anna@example.com"]


def test_doubtful_where_nobody_sees_repetitions(worker: Worker) -> None:
    """Without a receipt an SMS is given up after the grace, and not sent again; what comes later is told."""
    ask(worker, **SMS_FIRST)
    answer(worker, LOST)
    before = len(worker.events)
    wait(worker, GRACE_SECONDS + 5)
    assert worker.jobs == []
    assert told(worker.events[before:]) == [("failed", "sms", 1, "unconfirmed")]
    assert [each.data.reason for each in worker.events if isinstance(each.data, DeadLetter)] == ["unconfirmed"]
    assert hear(worker, "delivered") == [("delivered", "sms", 1, None)]
    assert hear(worker, "failed") == [("failed", "sms", 1, "bounced")]


@pytest.mark.parametrize(("said", "then"), [("delivered", [("delivered", "sms", 1, None)]), ("failed", [])])
def test_sent_after_it_was_given_up(worker: Worker, said: str, then: Told) -> None:
    """That it was sent is nothing that anybody had: only what comes after it is told, and what failed was given
    up before."""
    ask(worker, **SMS_FIRST)
    answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    assert hear(worker, "sent") == []
    assert hear(worker, said) == then
    assert hear(worker, said) == []
    assert worker.posted == []
    assert len([each for each in worker.events if isinstance(each.data, DeadLetter)]) == 1


def test_repeated_where_it_is_wished() -> None:
    """`retry_unconfirmed` names channels on which it is sent once more all the same."""
    worker = Worker(channels=CHANNELS, configured={"retry_unconfirmed": "sms"})
    ask(worker, **SMS_FIRST)
    answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    assert answer(worker, ACCEPTED) == [("sent", "sms", 1, None)]


@pytest.mark.parametrize(
    ("status", "then"),
    [
        ("sent", [("sent", "sms", 1, None)]),
        ("delivered", [("sent", "sms", 1, None), ("delivered", "sms", 1, None)]),
        ("failed", [("sent", "sms", 1, None), ("fell_back", "sms", 1, "bounced")]),
    ],
)
def test_before_the_answer(worker: Worker, status: str, then: Told) -> None:
    """A receipt that overtakes the provider's own answer counts once that is in."""
    ask(worker, **SMS_FIRST)
    assert hear(worker, status) == []
    assert answer(worker, ACCEPTED) == then


def test_before_an_answer_that_never_comes(worker: Worker) -> None:
    """The worker dies; the receipt that came before is not lost, and settles what became of it."""
    ask(worker, **SMS_FIRST)
    hear(worker, "delivered")
    worker.crash()
    worker.run()
    outcomes = told(worker.events)
    assert outcomes == [("sent", "sms", 1, None), ("delivered", "sms", 1, None)]


@pytest.mark.parametrize("said", [{"channel": "email"}, {"attempt": 2}, {"notification_id": "n-2"}])
def test_a_receipt_about_something_else(worker: Worker, said: dict[str, Any]) -> None:
    """It changes nothing, and is counted."""
    ask(worker, **ALONE)
    answer(worker, ACCEPTED)
    assert hear(worker, "failed", **said) == []
    assert worker.counted["staffetta_intake_total", RECEIPTS, "stale"] == 1


def test_a_receipt_without_a_number(worker: Worker) -> None:
    """A bounce names the mail, not the attempt; its address is not tried again, until it is another one."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    assert hear(worker, "bounced", channel="email", attempt=0, error="550 5.1.1") == [
        ("failed", "email", 1, "bounced")
    ]
    before = len(worker.events)
    worker.send(worker.record(request("co-7", "n-2")))
    assert told(worker.events[before:]) == [("failed", "email", 1, "dead_address")]
    assert worker.jobs == []
    recipient = {"type": "customer", "id": "cu-1", "name": "Anna", "email": "anna@new.example"}
    worker.send(worker.record(request("co-7", "n-3", recipient=recipient)))
    assert [job.message.address for job in worker.jobs] == ["anna@new.example"]


def test_a_dead_address_that_an_operator_tries_again(worker: Worker) -> None:
    """A redrive is attempted; when it is accepted, somebody is there after all."""
    ask(worker)
    answer(worker, Permanent(DeliveryReason.DEAD_ADDRESS, "550 5.1.1 unknown"))
    ask(worker, redrive=1)
    answer(worker, Accepted("<m>"))
    worker.send(worker.record(request("co-7", "n-2")))
    assert len(worker.jobs) == 1


def test_who_has_opted_out_at_the_provider(worker: Worker) -> None:
    """It is remembered as an opt-out: nothing more is tried on that channel."""
    ask(worker, **SMS_FIRST)
    assert answer(worker, Permanent(DeliveryReason.OPTED_OUT, "21610")) == [("fell_back", "sms", 1, "opted_out")]
    worker.jobs.clear()
    before = len(worker.events)
    fields = {key: value for key, value in SMS_FIRST.items() if key != "topic"}
    worker.send(worker.record(request("co-7", "n-2", **fields), "delivery.sms"))
    assert told(worker.events[before:]) == [("fell_back", "sms", 1, "unsubscribed")]


def test_a_complaint(worker: Worker) -> None:
    """Nothing is told of it, and nothing more is written to that address by mail."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    assert hear(worker, "complained", channel="email", attempt=0) == []
    before = len(worker.events)
    worker.send(worker.record(request("co-7", "n-2")))
    assert told(worker.events[before:]) == [("failed", "email", 1, "unsubscribed")]


def test_nothing_is_kept_where_no_receipt_comes() -> None:
    """A channel without receipts costs no memory."""
    worker = Worker(channels=[SilentChannel(gives_receipts=False)])
    ask(worker)
    answer(worker, Accepted("<m>"))
    assert rows(worker, KEPT) == 0


def test_what_is_kept_has_an_end(worker: Worker) -> None:
    """After the wait, a receipt finds nothing, and the row is gone with the day's sweep."""
    ask(worker, **ALONE)
    answer(worker, ACCEPTED)
    assert rows(worker, KEPT) == 1
    worker.clock.moment += 2 * 86_400
    worker.send(worker.record(request("co-7", "n-2")))
    assert rows(worker, KEPT) == 0
    assert hear(worker, "failed") == []


def test_the_erased_are_not_kept(worker: Worker) -> None:
    """With the customer go the texts kept for receipts, and what waits is over at once."""
    ask(worker, **SMS_FIRST)
    answer(worker, LOST)
    worker.send(worker.record(request("co-7", "n-2")))
    worker.answer(worker.jobs[0], Accepted("<m>"))
    assert (rows(worker, KEPT), rows(worker, WAITING)) == (1, 1)
    before = len(worker.events)
    worker.clock.moment += 1
    erased = {"company_id": "co-7", "customer_id": "cu-1"}
    worker.send(worker.news("customer.erased", DIRECTORY, erased))
    assert told(worker.events[before:]) == [("suppressed", "sms", 1, "erased")]
    assert (rows(worker, KEPT), rows(worker, WAITING)) == (0, 0)
    wait(worker, GRACE_SECONDS + 5)
    assert worker.jobs == []


def test_the_erased_in_flight_are_not_kept(worker: Worker) -> None:
    """Nor is the request of who was erased while it was under way."""
    ask(worker, **SMS_FIRST)
    worker.clock.moment += 1
    erased = {"company_id": "co-7", "customer_id": "cu-1"}
    worker.send(worker.news("customer.erased", DIRECTORY, erased))
    assert answer(worker, ACCEPTED) == [("sent", "sms", 1, None)]
    assert rows(worker, KEPT) == 0


@given(st.lists(st.sampled_from(STATUSES), max_size=8), st.integers(0, 8))
def test_in_whatever_order_they_come(said: list[str], answered_after: int) -> None:
    """At most one end and one dead letter, never a second message, and no outcome twice."""
    worker = Worker()
    ask(worker, **ALONE)
    for number, status in enumerate([*said, ""]):
        if number == min(answered_after, len(said)):
            answer(worker, ACCEPTED)
        if status:
            hear(worker, status)
    worker.run()
    outcomes = told(worker.events)
    assert worker.jobs == []
    assert len({each.id for each in worker.events}) == len(worker.events)
    assert outcomes[0] == ("sent", "sms", 1, None)
    kinds = [kind for kind, _, _, _ in outcomes]
    assert kinds.count("failed") == int(bool({"failed", "bounced"} & set(said)))
    letters = [each for each in worker.events if isinstance(each.data, DeadLetter)]
    assert len(letters) <= 1
    assert not (letters and "delivered" in kinds)


def rows(worker: Worker, table: str) -> int:
    return sum(key[0] == table for committed in worker.committed.values() for key in committed)


def test_a_receipt_from_before_a_redrive(worker: Worker) -> None:
    """Sent again by an operator, it is another message to the provider: the first one's receipts do nothing."""
    ask(worker, **ALONE)
    answer(worker, ACCEPTED)
    assert hear(worker, "failed", provider_message_id="SM1") == [("failed", "sms", 1, "bounced")]
    ask(worker, **ALONE, redrive=1)
    answer(worker, Accepted("SM2"))
    assert hear(worker, "failed", provider_message_id="SM1") == []
    assert hear(worker, "delivered", provider_message_id="SM2") == [("delivered", "sms", 1, None)]


def test_a_complaint_about_what_was_in_doubt(worker: Worker) -> None:
    """Who complains of a mail has it; the opt-out holds, and later receipts are read."""
    ask(worker)
    answer(worker, LOST)
    assert hear(worker, "complained", channel="email", attempt=0) == [("delivered", "email", 1, None)]
    before = len(worker.events)
    worker.send(worker.record(request("co-7", "n-2")))
    assert told(worker.events[before:]) == [("failed", "email", 1, "unsubscribed")]
    assert hear(worker, "bounced", channel="email", attempt=0) == [("failed", "email", 1, "bounced")]


def test_start_undoes_what_the_provider_said(worker: Worker) -> None:
    """An opt-out learned from the provider is the account's, like STOP; START undoes both."""
    ask(worker, **ALONE)
    answer(worker, Permanent(DeliveryReason.OPTED_OUT, "21610"))
    anna = Recipient.model_validate(ALONE["recipient"], strict=False)
    hashed = worker.role._rules.recipient_hash(ChannelName.SMS, anna)
    said = {"channel": "sms", "recipient_hash": hashed, "source": "keyword", "at": utc(worker.clock.moment + 1)}
    record = worker.news("address.opted_in", RECEIPTS, {**said, "company_id": "co-7"})
    value = re.sub(rb',?"company_id":"co-7"', b"", record.value)
    worker.send(record._replace(value=value))
    fields = {key: value for key, value in ALONE.items() if key != "topic"}
    worker.send(worker.record(request("co-7", "n-2", **fields), "delivery.sms"))
    assert len(worker.jobs) == 1


def test_delivered_before_a_late_excuse(worker: Worker) -> None:
    """What was told as delivered is not sent again, whatever the provider answers afterwards."""
    ask(worker, **SMS_FIRST)
    hear(worker, "delivered", provider_message_id="SM1")
    busy = Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")
    assert answer(worker, busy) == [("sent", "sms", 1, None), ("delivered", "sms", 1, None)]
    wait(worker, 700)
    assert worker.jobs == []


def test_in_doubt_until_it_is_too_late(worker: Worker) -> None:
    """What may have arrived is not suppressed: it stays in doubt, as a dead letter, and its receipt is heard."""
    ask(worker, not_after=utc(worker.clock.moment + 60).isoformat())
    answer(worker, LOST)
    before = len(worker.events)
    wait(worker, GRACE_SECONDS + 5)
    assert told(worker.events[before:]) == [("failed", "email", 1, "unconfirmed")]
    assert hear(worker, "delivered", channel="email") == [("delivered", "email", 1, None)]
