"""Receipts that come while an attempt is under way, or about one before it, weighed with what its answer is."""

from typing import Any

import pytest

from schemas.notifications import DeadLetter, Outcome
from schemas.reasons import DeliveryReason
from streams.clock import utc
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient
from tests.unit.delivery.support import GRACE_SECONDS, Worker, request
from tests.unit.delivery.test_attempts import answer, ask, told, wait
from tests.unit.delivery.test_receipts import ALONE, CHANNELS, LOST, SMS_FIRST, hear

BUSY = Transient(DeliveryReason.UNAVAILABLE, "HTTP 503")
REFUSED = Permanent(DeliveryReason.OPTED_OUT, "21610")
ONCE_MORE: dict[str, Any] = {**SMS_FIRST, "retry_schedule_seconds": [10]}
EMAIL_FIRST: dict[str, Any] = {
    **SMS_FIRST,
    "channel": "email",
    "fallback_channels": ["sms"],
    "topic": "delivery.email",
}


def letters(worker: Worker) -> list[str]:
    return [each.data.reason for each in worker.events if isinstance(each.data, DeadLetter)]


def kinds(worker: Worker) -> list[str]:
    return [kind for kind, _, _, _ in told(worker.events)]


def addresses(worker: Worker) -> list[str]:
    worker.run()
    return [job.message.address for job in worker.jobs]


def repeating(chain: dict[str, Any], **configured: Any) -> Worker:
    """The one repetition of an attempt that may have arrived is in flight."""
    worker = Worker(channels=CHANNELS, configured=configured)
    ask(worker, **chain)
    answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    assert len(worker.jobs) == 1
    return worker


def second(**changes: Any) -> Worker:
    """The first attempt was answered 503, the second is in flight."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **{**ONCE_MORE, **changes})
    assert answer(worker, BUSY) == [("retrying", "sms", 1, "unavailable")]
    wait(worker, 12)
    assert worker.jobs[0].delivery.due.attempt == 2
    return worker


@pytest.mark.parametrize("configured", [{}, {"retry_unconfirmed": "sms"}])
@pytest.mark.parametrize("is_killed", [False, True])
def test_sent_before_an_answer_that_is_lost(configured: Any, is_killed: bool) -> None:
    """The provider has said that it has the message: it is neither in doubt, nor sent once more."""
    worker = Worker(channels=CHANNELS, configured=configured)
    ask(worker, **SMS_FIRST)
    assert hear(worker, "sent", provider_message_id="SM1") == []
    if is_killed:
        worker.crash()
        worker.run()
    else:
        answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    assert kinds(worker) == ["sent"]
    assert (letters(worker), worker.jobs) == ([], [])


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
@pytest.mark.parametrize("result", [LOST, BUSY, REFUSED, None])
def test_while_a_repetition_is_in_flight(status: str, result: Result | None) -> None:
    """That the first message was taken is what counts, whatever becomes of its repetition."""
    worker = repeating(SMS_FIRST, retry_unconfirmed="sms")
    hear(worker, status, provider_message_id="SM1")
    if result is None:
        worker.crash()
        worker.run()
    else:
        answer(worker, result)
    assert kinds(worker) == (["unconfirmed", "sent"] + ["delivered"] * (status != "sent"))
    assert (letters(worker), addresses(worker)) == ([], [])


@pytest.mark.parametrize("result", [BUSY, LOST])
def test_bounced_while_a_repetition_is_in_flight(result: Result) -> None:
    """Then there is no doubt any more, and the next channel gets it."""
    worker = repeating(EMAIL_FIRST)
    hear(worker, "bounced", channel="email", attempt=0, error="550 5.1.1")
    assert answer(worker, result) == [("fell_back", "email", 1, "bounced")]
    assert (letters(worker), addresses(worker)) == ([], ["+49"])


def test_a_complaint_while_a_repetition_is_in_flight() -> None:
    """Who complains of a mail has it."""
    worker = repeating(EMAIL_FIRST)
    hear(worker, "complained", channel="email", attempt=0)
    answer(worker, BUSY)
    assert (letters(worker), addresses(worker)) == ([], [])


@pytest.mark.parametrize("changes", [{}, {"fallback_channels": []}, {"retry_schedule_seconds": [10, 600]}])
@pytest.mark.parametrize("status", ["delivered", "read"])
@pytest.mark.parametrize("result", [BUSY, REFUSED])
def test_the_attempt_before_has_arrived(changes: Any, status: str, result: Transient | Permanent) -> None:
    """Though this one came to nothing: nobody is told twice, and nothing is given up."""
    worker = second(**changes)
    hear(worker, status, attempt=1, provider_message_id="SM1")
    read = "read" if status == "read" else None
    assert answer(worker, result) == [("retrying", "sms", 2, result.reason), ("delivered", "sms", 1, read)]
    wait(worker, 700)
    assert (letters(worker), addresses(worker)) == ([], [])


def test_the_attempt_before_has_arrived_and_it_is_too_late() -> None:
    """It is delivered, and not suppressed."""
    soon = utc(Worker().clock.moment + 100).isoformat()
    worker = second(retry_schedule_seconds=[10, 600], not_after=soon)
    hear(worker, "delivered", attempt=1, provider_message_id="SM1")
    answer(worker, BUSY)
    assert kinds(worker)[-1] == "delivered"


def test_the_first_was_delivered_and_the_second_fails_on_its_way() -> None:
    """A failure after it was delivered is not acted on."""
    worker = second()
    assert answer(worker, Accepted("SM2")) == [("sent", "sms", 2, None)]
    assert hear(worker, "delivered", attempt=1, provider_message_id="SM1") == [("delivered", "sms", 2, None)]
    hear(worker, "failed", attempt=2, provider_message_id="SM2", error="30008")
    assert kinds(worker)[-1] == "delivered"
    assert (letters(worker), addresses(worker)) == ([], [])


def test_the_repeated_one_was_delivered_and_its_repetition_fails_on_its_way() -> None:
    """Likewise where both are one attempt."""
    worker = repeating(SMS_FIRST, retry_unconfirmed="sms")
    answer(worker, Accepted("SM2"))
    assert hear(worker, "delivered", provider_message_id="SM1") == [("delivered", "sms", 1, None)]
    hear(worker, "failed", provider_message_id="SM2", error="30008")
    assert (letters(worker), addresses(worker)) == ([], [])


def test_delivered_after_it_was_given_up() -> None:
    """The last answer was no, and it has arrived all the same: that is told, and a redrive does not repeat it."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **ALONE, retry_schedule_seconds=[])
    assert answer(worker, BUSY) == [("failed", "sms", 1, "unavailable")]
    assert hear(worker, "delivered", provider_message_id="SM1") == [("delivered", "sms", 1, None)]
    ask(worker, **ALONE, redrive=1)
    assert worker.jobs == []


def test_a_failure_of_the_message_from_before_a_redrive() -> None:
    """Told once more, it says nothing of the redrive, which is in doubt and keeps its grace."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **ALONE)
    answer(worker, Accepted("SM1"))
    first = {"provider_message_id": "SM1", "error": "30008"}
    assert hear(worker, "failed", **first) == [("failed", "sms", 1, "bounced")]
    ask(worker, **SMS_FIRST, redrive=1)
    assert answer(worker, LOST) == [("unconfirmed", "sms", 1, "timeout")]
    assert (hear(worker, "failed", **first), addresses(worker)) == ([], [])
    assert hear(worker, "failed", provider_message_id="SM2") == [("fell_back", "sms", 1, "bounced")]


def test_delivered_twice_after_a_redrive() -> None:
    """It is told once, though the message from before the redrive was in doubt, too."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **ALONE)
    answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    ask(worker, **ALONE, retry_schedule_seconds=[60], redrive=1)
    answer(worker, BUSY)
    hear(worker, "delivered", provider_message_id="SM2")
    hear(worker, "delivered", provider_message_id="SM2")
    wait(worker, 70)
    assert kinds(worker).count("delivered") == 1


def test_given_up_delivered_and_bounced_are_three_events() -> None:
    """Each has an id of its own."""
    worker = Worker(channels=CHANNELS)
    ask(worker, **ALONE)
    answer(worker, LOST)
    wait(worker, GRACE_SECONDS + 5)
    hear(worker, "delivered")
    hear(worker, "failed", error="30008")
    assert kinds(worker) == ["unconfirmed", "failed", "delivered", "failed"]
    ids = [each.id for each in worker.events if isinstance(each.data, Outcome)]
    assert len(set(ids)) == len(ids)


def test_a_dead_address_stays_dead() -> None:
    """That a mail server takes another mail for it says nothing; only an operator's redrive may try it again."""
    worker = Worker(channels=CHANNELS)
    for name in ("n-1", "n-2"):
        worker.send(worker.record(request("co-7", name)))
    first, other = worker.jobs
    worker.answer(first, Accepted("<1>"))
    hear(worker, "bounced", channel="email", attempt=0, error="550 5.1.1")
    worker.answer(other, Accepted("<2>"))
    worker.send(worker.record(request("co-7", "n-3")))
    assert told(worker.events)[-1] == ("failed", "email", 1, "dead_address")
