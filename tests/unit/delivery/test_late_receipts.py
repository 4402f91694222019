"""Receipts that come when the notification has gone on: to its next attempt, or to its end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event_types import DIRECTORY, RECEIPTS
from schemas.notifications import Outcome
from schemas.reasons import ChannelName, DeliveryReason
from streams.audit import series
from streams.policy.delivery.intents import MEMORY_MS
from streams.policy.delivery.ledger import FINISHED, KEPT, PARKED
from streams.policy.delivery.results import Accepted, Permanent, Transient, Unconfirmed
from tests.unit.delivery.support import SilentChannel, Worker, request
from tests.unit.delivery.test_attempts import answer, ask, told, wait
from tests.unit.delivery.test_receipts import ACCEPTED, ALONE, CHANNELS, SMS_FIRST, Told, hear, receipt, rows

BUSY = Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")
RETRIED: dict[str, Any] = {**ALONE, "retry_schedule_seconds": [10, 10, 10]}
DAY = 86_400


@pytest.fixture
def worker() -> Worker:
    return Worker(channels=CHANNELS)


def after(worker: Worker, seconds: float) -> Told:
    before = len(worker.events)
    wait(worker, seconds)
    return told(worker.events[before:])


def next_one(worker: Worker, notification_id: str = "n-2", **changes: Any) -> Told:
    """Another notification for the same person; what is told of it at once."""
    before = len(worker.events)
    fields = {key: value for key, value in changes.items() if key != "topic"}
    data = request("co-7", notification_id, **fields)
    worker.send(worker.record(data, changes.get("topic", "delivery.email")))
    return told(worker.events[before:])


# -- while the next attempt waits


@pytest.mark.parametrize(("status", "reason"), [("delivered", None), ("read", "read")])
def test_the_retry_is_not_made(worker: Worker, status: str, reason: str | None) -> None:
    """What the provider had taken after all is not sent again; when the retry is due, it is told as delivered."""
    ask(worker, **RETRIED)
    assert answer(worker, BUSY) == [("retrying", "sms", 1, "unavailable")]
    assert hear(worker, status, provider_message_id="SM1") == []
    assert after(worker, 12) == [("delivered", "sms", 1, reason)]
    assert worker.jobs == worker.posted == []
    assert rows(worker, PARKED) == 0
    assert [each.data.provider_message_id for each in worker.events if isinstance(each.data, Outcome)][-1] == "SM1"


def test_delivered_then_read_while_it_waits(worker: Worker) -> None:
    """Both are told, once, however often they come; and so is what comes later."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    for status in ("delivered", "delivered", "read", "read", "delivered"):
        assert hear(worker, status) == []
    assert worker.counted["staffetta_intake_total", RECEIPTS, "stale"] == 3
    assert after(worker, 12) == [("delivered", "sms", 1, None), ("delivered", "sms", 1, "read")]
    assert hear(worker, "delivered") == hear(worker, "read") == []
    assert hear(worker, "failed", error="30008") == [("failed", "sms", 1, "bounced")]


def test_an_attempt_further_back(worker: Worker) -> None:
    """A receipt of the first attempt spares the third."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    after(worker, 12)
    assert answer(worker, BUSY) == [("retrying", "sms", 2, "unavailable")]
    assert hear(worker, "delivered", attempt=1) == []
    assert after(worker, 12) == [("delivered", "sms", 1, None)]
    outcomes = [event for event in worker.events if isinstance(event.data, Outcome)]
    assert list(series.check("n-1", outcomes, 3)) == []


def test_while_the_next_attempt_is_in_flight(worker: Worker) -> None:
    """It cannot be called back; if it fails, it is the last one, and what has arrived is told at once."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    after(worker, 12)
    assert hear(worker, "delivered", attempt=1) == []
    assert answer(worker, BUSY) == [("retrying", "sms", 2, "unavailable"), ("delivered", "sms", 1, None)]
    assert after(worker, 12) == []
    assert worker.jobs == []


def test_while_the_next_attempt_waits_in_line(worker: Worker) -> None:
    """Back from the delay topics and not handed over yet: it is taken back at once."""
    worker = Worker(channels=CHANNELS, configured={"sms_concurrency": 1})
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    next_one(worker, **ALONE)
    worker.clock.moment += 12
    worker.run()
    assert [job.delivery.due.notification_id for job in worker.jobs] == ["n-2"]
    assert hear(worker, "delivered") == [("delivered", "sms", 1, None)]
    answer(worker, ACCEPTED)
    assert after(worker, 12) == []
    assert worker.jobs == []


def test_a_later_attempt_in_doubt(worker: Worker) -> None:
    """What may have arrived twice has arrived once, says the first attempt's receipt: it is not given up."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    after(worker, 12)
    answer(worker, Unconfirmed(DeliveryReason.TIMEOUT, "no answer"))
    assert hear(worker, "delivered", attempt=1) == [("delivered", "sms", 1, None)]
    assert after(worker, 200) == []


@pytest.mark.parametrize(
    "said", [{"attempt": 2}, {"channel": "email"}, {"status": "sent"}, {"status": "failed"}, {"status": "bounced"}]
)
def test_what_does_not_spare_it(worker: Worker, said: dict[str, Any]) -> None:
    """Another attempt, another channel, or a word that is no arrival: the retry is made."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    assert hear(worker, **{"status": "delivered", **said}) == []
    worker.clock.moment += 12
    worker.run()
    assert len(worker.jobs) == (said.get("status") != "bounced")


def test_the_first_attempt_on_its_channel(worker: Worker) -> None:
    """By this channel nothing was sent yet, so nothing can have arrived."""
    ask(worker, **SMS_FIRST)
    assert answer(worker, Permanent(DeliveryReason.REJECTED, "21612")) == [("fell_back", "sms", 1, "rejected")]
    assert hear(worker, "delivered", channel="email", attempt=0) == []
    worker.run()
    assert answer(worker, BUSY) == [("retrying", "email", 1, "unavailable")]


def test_nothing_is_lost_with_the_worker(worker: Worker) -> None:
    """What was heard while the retry waits is as durable as the retry."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    hear(worker, "delivered")
    worker.crash()
    assert after(worker, 12) == [("delivered", "sms", 1, None)]
    assert worker.jobs == []


def test_a_request_for_what_has_arrived(worker: Worker) -> None:
    """It counts as sent: neither its request once more nor a redrive sends it again."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    hear(worker, "delivered")
    after(worker, 12)
    ask(worker, **RETRIED)
    ask(worker, **RETRIED, redrive=1)
    assert worker.jobs == []


def test_the_erased_are_not_kept_for_it(worker: Worker) -> None:
    """Whose customer was erased meanwhile is suppressed like any other, and nothing is kept of it."""
    ask(worker, **RETRIED)
    answer(worker, BUSY)
    hear(worker, "delivered")
    worker.clock.moment += 1
    worker.send(worker.news("customer.erased", DIRECTORY, {"company_id": "co-7", "customer_id": "cu-1"}))
    assert after(worker, 12) == [("suppressed", "sms", 2, "erased")]
    assert rows(worker, KEPT) == 0


def test_a_complaint_while_the_retry_waits(worker: Worker) -> None:
    """Who complains of a mail has it: no retry, and no other mail from that moment on."""
    ask(worker, retry_schedule_seconds=[10])
    answer(worker, BUSY)
    assert hear(worker, "complained", channel="email", attempt=0) == []
    assert next_one(worker) == [("failed", "email", 1, "unsubscribed")]
    assert after(worker, 12) == [("delivered", "email", 1, None)]


@given(
    st.lists(st.sampled_from(["delivered", "read", "failed", "sent"]), max_size=6),
    st.lists(st.sampled_from(["busy", "accepted"]), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=6),
)
def test_in_whatever_order(said: list[str], results: list[str], moments: list[int]) -> None:
    """Told in an order that the audit knows, to one end; and nothing is handed over once an arrival is known."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **RETRIED)
    left, arrived = list(said), False
    for number, result in enumerate(results):
        if worker.jobs:
            assert not arrived
            attempt = worker.jobs[0].delivery.due.attempt
            answer(worker, BUSY if result == "busy" else ACCEPTED)
            while left and moments.count(number):
                moments.remove(number)
                status = left.pop()
                hear(worker, status, attempt=attempt)
                arrived = arrived or status in ("delivered", "read")
        wait(worker, 12)
    while worker.jobs:
        answer(worker, ACCEPTED)
    wait(worker, 12)
    outcomes = [event for event in worker.events if isinstance(event.data, Outcome)]
    assert len({event.id for event in worker.events}) == len(worker.events)
    assert [finding for run in series.runs(outcomes) for finding in series.check("n-1", run, 3)] == []
    assert sum(event.type == "notification.sent" for event in outcomes) <= 1
    assert rows(worker, PARKED) == 0


# -- after the wait for receipts


def late(worker: Worker, days: float = 2) -> None:
    """The wait is over, and the day's sweep has been."""
    worker.clock.moment += days * DAY
    worker.send(worker.record(request("co-8", f"n-{days}", not_after="2020-01-01T00:00:00Z")))


def test_a_late_complaint(worker: Worker) -> None:
    """Days after the mail, nothing is told of it, and that company writes no more mails there."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    late(worker)
    assert rows(worker, KEPT) == 0
    assert hear(worker, "complained", channel="email", attempt=0) == []
    assert worker.counted["staffetta_intake_total", RECEIPTS, "applied"] == 1
    assert next_one(worker) == [("failed", "email", 1, "unsubscribed")]
    anna = {"type": "customer", "id": "cu-1", "name": "Anna", "email": "anna@new.example"}
    assert next_one(worker, "n-3", recipient=anna) == []
    assert len(worker.jobs) == 1


def test_a_late_bounce(worker: Worker) -> None:
    """A hard one marks the address as dead; a soft one changes nothing."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    late(worker)
    assert hear(worker, "failed", channel="email", attempt=0) == []
    assert next_one(worker) == []
    answer(worker, Accepted("<m2>"))
    assert hear(worker, "bounced", channel="email", attempt=0) == []
    assert next_one(worker, "n-3") == [("failed", "email", 1, "dead_address")]


def test_a_number_that_is_dead_says_a_late_receipt(worker: Worker) -> None:
    """Where the provider's code says so of an SMS."""
    ask(worker, **ALONE)
    answer(worker, ACCEPTED)
    late(worker)
    assert hear(worker, "failed", error="30008") == hear(worker, "failed", error="30005") == []
    assert next_one(worker, **ALONE) == [("failed", "sms", 1, "dead_address")]


def test_a_complaint_about_a_mail_that_fell_back(worker: Worker) -> None:
    """The mail had bounced softly and another channel was tried: the complaint is about the mail all the same."""
    email_first = {**ALONE, "channel": "email", "fallback_channels": ["sms"], "topic": "delivery.email"}
    ask(worker, **email_first)
    answer(worker, Accepted("<m>"))
    assert hear(worker, "failed", channel="email", attempt=0) == [("fell_back", "email", 1, "bounced")]
    worker.run()
    answer(worker, ACCEPTED)
    hear(worker, "complained", channel="email", attempt=0)
    assert next_one(worker) == [("failed", "email", 1, "unsubscribed")]


def test_a_complaint_while_it_is_sent_again(worker: Worker) -> None:
    """About the mail from before the redrive, which has not got beyond the other channel yet."""
    email_first = {**ALONE, "channel": "email", "fallback_channels": ["sms"], "retry_schedule_seconds": [10]}
    ask(worker, **{**email_first, "topic": "delivery.email"})
    answer(worker, Unconfirmed(DeliveryReason.TIMEOUT, "no answer"))
    after(worker, 200)
    answer(worker, BUSY)
    late(worker)
    ask(worker, **{**email_first, "channel": "sms", "fallback_channels": [], "topic": "delivery.sms"}, redrive=1)
    assert answer(worker, BUSY) == [("retrying", "sms", 1, "unavailable")]
    hear(worker, "complained", channel="email", attempt=0)
    assert next_one(worker) == [("failed", "email", 1, "unsubscribed")]


def test_what_never_went_out(worker: Worker) -> None:
    """A complaint about what was suppressed, or was never heard of, is nothing that anybody could mean."""
    ask(worker, not_after="2020-01-01T00:00:00Z")
    hear(worker, "complained", channel="email", attempt=0)
    hear(worker, "complained", channel="email", attempt=0, notification_id="n-9")
    assert worker.counted["staffetta_intake_total", RECEIPTS, "stale"] == 2
    assert next_one(worker) == []


def test_where_it_went_is_forgotten_with_the_id(worker: Worker) -> None:
    """After thirty days nobody knows any more where it went."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    worker.clock.moment += MEMORY_MS / 1000 + 1
    hear(worker, "complained", channel="email", attempt=0)
    assert worker.counted["staffetta_intake_total", RECEIPTS, "stale"] == 1
    late(worker)
    assert rows(worker, FINISHED) == 1  # of the one just now


def test_no_address_is_remembered() -> None:
    """Where a notification went is a keyed hash, and nothing at all where the channel gives no receipts."""
    for gives_receipts in (True, False):
        worker = Worker(channels=[SilentChannel(ChannelName.EMAIL, gives_receipts=gives_receipts)])
        ask(worker)
        answer(worker, Accepted("<m>"))
        committed = [item for each in worker.committed.values() for item in each.items()]
        (row,) = [row for (table, _, _), row in committed if table == FINISHED]
        assert b"anna" not in row
        assert (len(row) > 40) is gives_receipts


def test_a_row_from_before(worker: Worker) -> None:
    """Rows without the fields that came later are read."""
    ask(worker)
    answer(worker, Accepted("<m>"))
    said = receipt(worker, "complained", channel="email", attempt=0)
    number = said.partition
    state = worker.states[number]
    state.put(FINISHED, "co-7", "n-1", b"\x94\xcf\x00\x00\x01\xa1\xd1\xd2\xd3\xd4\x00\xc3\x00")
    state.delete(KEPT, "co-7", "n-1")
    worker.send(said)
    assert worker.counted["staffetta_intake_total", RECEIPTS, "stale"] == 1
