"""The step of `deliver`, record in and outcome out, without Kafka and without a provider."""

import asyncio
from typing import Any

import pytest

from agents.sending import Completion
from schemas.notifications import AttemptDue, DeadLetter, Outcome
from schemas.reasons import DeliveryReason
from streams.batch import Batch
from streams.policy.delivery.ledger import INTENTS, WAITING
from streams.policy.delivery.results import (
    Accepted,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
)
from streams.policy.notification.identity import recipient_hash
from tests.unit.delivery.support import GRACE_SECONDS, NOW, Worker, partition_of, request, types

ACCEPTED = Accepted("<n-1.co-7@example.org>")
TRANSIENT = Transient(DeliveryReason.UNAVAILABLE, "450 later")
PERMANENT = Permanent(DeliveryReason.DEAD_ADDRESS, "550 5.1.1 unknown")
UNCONFIRMED = Unconfirmed(DeliveryReason.LOST_AFTER_DATA, "connection lost")
DAY_SECONDS = 86_400


@pytest.fixture
def worker() -> Worker:
    return Worker()


def sent_off(worker: Worker, **changes: Any) -> int:
    """One notification in flight; gives its partition."""
    worker.send(worker.record(request("co-7", "n-1", **changes)))
    return partition_of(worker.jobs[0])


def test_intent_before_the_send(worker: Worker) -> None:
    """The intent is durable before the message is handed over, and it is the whole message."""
    number = sent_off(worker)
    (job,) = worker.jobs
    assert list(worker.committed[number]) == [(INTENTS, "co-7", "n-1")]
    assert worker.events == []
    assert job.message.address == "anna@example.com"
    assert job.message.body_html == "<p>Guten Tag</p>"


def test_nothing_begins_later_than_half_a_session_after_its_intent(worker: Worker) -> None:
    """A session of 10 s: what was intended at 1000 s may begin until 1005 s."""
    sent_off(worker)
    assert worker.jobs[0].begin_before == 1005.0


def test_sent(worker: Worker) -> None:
    """An accepted message is told as sent, with all that the record needs and no address."""
    number = sent_off(worker)
    worker.clock.moment += 2
    (event,) = worker.answer(worker.jobs[0], ACCEPTED)
    outcome = event.data
    assert isinstance(outcome, Outcome)
    assert event.type == "notification.sent"
    assert event.subject == "appointment/ap-1"
    assert (outcome.notification_id, outcome.company_id, outcome.attempt) == ("n-1", "co-7", 1)
    assert (outcome.provider, outcome.provider_message_id) == ("smtp", "<n-1.co-7@example.org>")
    assert outcome.recipient_hash == recipient_hash(b"key", "Anna@example.com")
    assert outcome.caused_by == "ev-1"
    assert outcome.entity.version == 3
    assert outcome.at.timestamp() == NOW + 2
    assert not [key for key in worker.committed[number] if key[0] in (INTENTS, WAITING)]
    assert worker.counted["staffetta_outcomes_total", "email", "notification.sent", "none"] == 1


@pytest.mark.parametrize("result", [TRANSIENT, PERMANENT])
def test_failed(worker: Worker, result: Transient | Permanent) -> None:
    """A message that was refused for good, or once more often than it may be tried again, is told as failed, and
    kept as a dead letter with all it needs to be sent again."""
    sent_off(worker, retry_schedule_seconds=[])
    failed, letter = worker.answer(worker.jobs[0], result)
    assert types([failed, letter]) == ["failed", "dead_lettered"]
    assert isinstance(failed.data, Outcome)
    assert isinstance(letter.data, DeadLetter)
    assert failed.data.reason == letter.data.reason == result.reason
    assert letter.data.error == result.error
    assert letter.data.contents["email"].body_text == "Guten Tag"  # type: ignore[index]
    assert letter.data.recipient.email == "anna@example.com"
    assert [(attempt.attempt, attempt.reason) for attempt in letter.data.attempts] == [(1, result.reason)]
    assert worker.counted["staffetta_dead_letters_total", "delivery.dead-letters", result.reason] == 1


def test_unconfirmed_waits_for_the_grace(worker: Worker) -> None:
    """What may have arrived is told as unconfirmed, and repeated once, not before the grace is over."""
    sent_off(worker)
    first = worker.jobs[0]
    (event,) = worker.answer(first, UNCONFIRMED)
    assert event.type == "notification.unconfirmed"
    assert isinstance(event.data, Outcome)
    assert event.data.reason is DeliveryReason.LOST_AFTER_DATA
    assert event.data.next_attempt_at is not None
    assert event.data.next_attempt_at.timestamp() == NOW + GRACE_SECONDS
    worker.clock.moment = NOW + GRACE_SECONDS - 0.001
    assert worker.tick() == []
    assert worker.jobs == []
    worker.clock.moment = NOW + GRACE_SECONDS
    worker.tick()
    (repeat,) = worker.jobs
    assert repeat.message == first.message


@pytest.mark.parametrize(
    ("second", "told", "reason"),
    [
        (ACCEPTED, ["sent"], None),
        (TRANSIENT, ["failed", "dead_lettered"], DeliveryReason.UNCONFIRMED),
        (UNCONFIRMED, ["failed", "dead_lettered"], DeliveryReason.UNCONFIRMED),
        (PERMANENT, ["failed", "dead_lettered"], DeliveryReason.DEAD_ADDRESS),
    ],
)
def test_the_repetition_is_the_end(
    worker: Worker, second: Result, told: list[str], reason: DeliveryReason | None
) -> None:
    """After the repetition there is one end, under the same attempt number; still unknown stays `unconfirmed`."""
    sent_off(worker)
    worker.answer(worker.jobs[0], UNCONFIRMED)
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    written = worker.answer(worker.jobs[0], second)
    assert types(written) == told
    assert isinstance(written[0].data, Outcome)
    assert (written[0].data.attempt, written[0].data.reason) == (1, reason)
    if letter := next((event.data for event in written if isinstance(event.data, DeadLetter)), None):
        assert letter.attempts[0].reason is DeliveryReason.LOST_AFTER_DATA
        assert len(letter.attempts) == 2
    worker.clock.moment += DAY_SECONDS
    assert worker.tick() == []
    assert worker.jobs == []


def test_worker_that_died_in_between(worker: Worker) -> None:
    """An intent without an answer after a crash is unconfirmed at once, and repeated after the grace."""
    number = sent_off(worker)
    first = worker.jobs[0]
    worker.crash()
    assert worker.role.next_wakeup(worker.states[number]) == worker.clock.now()
    (event,) = worker.tick()
    assert event.type == "notification.unconfirmed"
    assert isinstance(event.data, Outcome)
    assert event.data.reason is DeliveryReason.WORKER_DIED
    assert worker.jobs == []
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert worker.jobs[0].message == first.message
    assert types(worker.answer(worker.jobs[0], ACCEPTED)) == ["sent"]


def test_worker_that_died_twice(worker: Worker) -> None:
    """A second death in the middle of the repetition gives up: it is never handed over a third time."""
    sent_off(worker)
    worker.crash()
    worker.tick()
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert len(worker.jobs) == 1
    worker.crash()
    assert types(worker.tick()) == ["failed", "dead_lettered"]
    worker.clock.moment += GRACE_SECONDS
    assert worker.tick() == []
    assert worker.jobs == []


def test_death_while_waiting_for_the_grace(worker: Worker) -> None:
    """The grace survives a crash, and nothing is told twice."""
    sent_off(worker)
    worker.answer(worker.jobs[0], UNCONFIRMED)
    worker.clock.moment += 1
    worker.crash()
    assert worker.tick() == []
    worker.clock.moment = NOW + GRACE_SECONDS
    worker.tick()
    assert len(worker.jobs) == 1


def test_not_started_is_no_attempt(worker: Worker) -> None:
    """What was never begun is begun later, untold and uncounted, and a crash in between is no doubt."""
    number = sent_off(worker)
    assert worker.answer(worker.jobs[0], NotStarted(), may_begin=False) == []
    assert worker.jobs == []
    worker.crash()
    assert worker.tick() == []
    (job,) = worker.jobs
    assert job.delivery.intent.doubt is None
    assert types(worker.answer(job, ACCEPTED)) == ["sent"]
    assert worker.role.next_wakeup(worker.states[number]) is None


def test_nothing_begins_while_the_partition_goes(worker: Worker) -> None:
    """While a partition is let go there are only completions: what they free goes to the next holder."""
    number = sent_off(worker)
    worker.answer(worker.jobs[0], NotStarted(), may_begin=False)
    assert worker.jobs == []
    assert [key[0] for key in worker.committed[number]] == [WAITING]


@pytest.mark.parametrize("stage", ["in flight", "waiting", "sent", "failed", "rebalanced"])
def test_second_request_with_the_same_id(worker: Worker, stage: str) -> None:
    """A notification id is the idempotency key: another request for it is counted as a duplicate, and no more."""
    sent_off(worker)
    if stage != "in flight":
        results: dict[str, Result] = {"waiting": UNCONFIRMED, "failed": PERMANENT}
        worker.answer(worker.jobs[0], results.get(stage, ACCEPTED))
    if stage == "rebalanced":
        worker.crash()
    before = len(worker.jobs), len(worker.events)
    worker.send(worker.record(request("co-7", "n-1"), topic="delivery.email.high"))
    assert (len(worker.jobs), len(worker.events)) == before
    assert worker.counted["staffetta_intake_total", "delivery.email.high", "duplicate"] == 1


def test_twice_in_one_batch(worker: Worker) -> None:
    """Two requests with one id in one batch are one message."""
    worker.send(worker.record(request("co-7", "n-1")), worker.record(request("co-7", "n-1")))
    assert len(worker.jobs) == 1


def test_ids_are_a_companys_own(worker: Worker) -> None:
    """The same notification id in two companies is two notifications."""
    for company_id in ("co-7", "co-8"):
        worker.send(worker.record(request(company_id, "n-1")))
    assert len(worker.jobs) == 2


def test_redrive(worker: Worker) -> None:
    """An operator can send again what has failed, once for each time; what was sent stays sent."""
    sent_off(worker)
    first = worker.answer(worker.jobs[0], PERMANENT)
    for _ in range(2):
        worker.send(worker.record(request("co-7", "n-1", redrive=1)))
    (job,) = worker.jobs
    again = worker.answer(job, PERMANENT)
    assert types(again) == ["failed", "dead_lettered"]
    assert not {event.id for event in first} & {event.id for event in again}
    worker.send(worker.record(request("co-7", "n-1", redrive=2)))
    worker.answer(worker.jobs[0], ACCEPTED)
    worker.send(worker.record(request("co-7", "n-1", redrive=3)))
    assert worker.jobs == []


def test_ids_are_known_for_thirty_days(worker: Worker) -> None:
    """30 days of record time after its request an id is forgotten, and not a second earlier."""
    number = sent_off(worker)
    worker.answer(worker.jobs[0], ACCEPTED)
    worker.send(worker.record(request("co-7", "n-1"), timestamp=NOW + 30 * DAY_SECONDS))
    assert worker.jobs == []
    worker.send(worker.record(request("co-7", "other"), timestamp=NOW + 31 * DAY_SECONDS))
    assert [key[2] for key in worker.committed[number] if key[0] == "finished"] == []
    worker.send(worker.record(request("co-7", "n-1"), timestamp=NOW + 31 * DAY_SECONDS))
    assert [job.delivery.key[1] for job in worker.jobs] == ["other", "n-1"]


def test_no_address(worker: Worker) -> None:
    """A request without an address for its channel fails at once, without an attempt."""
    recipient = {"type": "customer", "id": "cu-1", "name": "Anna"}
    failed, letter = worker.send(worker.record(request("co-7", "n-1", recipient=recipient)))
    assert worker.jobs == []
    assert isinstance(failed.data, Outcome)
    assert failed.data.reason == "no_address"
    assert isinstance(letter.data, DeadLetter)
    assert letter.data.attempts == ()


def test_what_cannot_be_read(worker: Worker) -> None:
    """A broken record, and one without a text for its channel, are dead letters; their neighbours go out."""
    broken = worker.record(request("co-7", "n-1"))._replace(value=b"{")
    textless = worker.record(request("co-7", "n-2", contents={}))
    events = worker.send(broken, textless, worker.record(request("co-7", "n-3")))
    assert [event.type for event in events] == ["intake.refused", "intake.refused"]
    assert [event.data.reason for event in events] == ["not_a_cloudevent", "inconsistent"]  # type: ignore[attr-defined]
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-3"]


def test_topics_of_a_batch(worker: Worker) -> None:
    """What is known of entities comes before receipts, both before what is to be sent, the most urgent first."""
    known, sending = worker.role.topics[:5], worker.role.topics[5:]
    assert known == (
        *("booking.directory", "assignment.decisions", "booking.callbacks", "booking.appointments"),
        "delivery.receipts",
    )
    assert [topic.count(".high") - topic.count(".low") for topic in sending] == [1] * 4 + [0] * 4 + [-1] * 4


def test_high_goes_first(worker: Worker) -> None:
    """Of what waits together, high goes before normal and normal before low."""
    topics = ("delivery.email.low", "delivery.email", "delivery.email.high")
    worker.send(*(worker.record(request("co-7", topic), topic) for topic in topics))
    assert [job.delivery.key[1] for job in worker.jobs] == list(reversed(topics))


def test_no_more_than_the_slots() -> None:
    """With two slots for ordinary ones, a third message waits until one of them is free, and is then sent."""
    worker = Worker(concurrency=3)
    worker.send(*(worker.record(request("co-7", f"n-{number}")) for number in range(3)))
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-0", "n-1"]
    worker.answer(worker.jobs[0], ACCEPTED)
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-1", "n-2"]


def test_slots_are_shared_between_partitions() -> None:
    """Who has a long backlog cannot keep all slots of the worker from another partition."""
    worker = Worker(concurrency=5)
    worker.send(*(worker.record(request("co-7", f"n-{number}")) for number in range(20)))
    other = worker.record(request("co-1", "n-0"))
    assert other.partition != partition_of(worker.jobs[0])
    worker.send(other)
    assert len(worker.jobs) == 4
    assert worker.role.next_wakeup(worker.states[other.partition]) is not None
    worker.answer(worker.jobs[0], ACCEPTED)
    worker.answer(worker.jobs[0], ACCEPTED)
    assert [job.delivery.due.company_id for job in worker.jobs] == ["co-7", "co-7"]
    worker.tick()
    assert [job.delivery.due.company_id for job in worker.jobs] == ["co-7", "co-7", "co-1", "co-7"]


def test_a_batch_that_is_taken_back_changes_nothing(worker: Worker) -> None:
    """A step that was taken back, because a record of its batch raised, is done again as if for the first time."""
    number = sent_off(worker)
    job, state = worker.jobs.pop(), worker.states[number]
    batch = Batch(state, [], worker.clock.now(), [Completion(job.delivery, UNCONFIRMED)])
    worker.role.step(batch, state)
    state.rollback()
    assert worker.role.next_wakeup(state) is None
    assert types(worker.step(number, completions=batch.completions)) == ["unconfirmed"]
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert [again.message for again in worker.jobs] == [job.message]


def test_the_request_survives_the_row(worker: Worker) -> None:
    """What is sent after a crash is what was asked for, to the letter."""
    data = request("co-7", "n-1", not_after="2026-11-20T12:00:00Z", attempts=[])
    worker.send(worker.record(data))
    asked = worker.jobs[0].delivery.due
    worker.crash()
    worker.tick()
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert worker.jobs[0].delivery.due == asked
    assert isinstance(asked, AttemptDue)


def test_perform_asks_the_channel(worker: Worker) -> None:
    """A job goes to the channel of its topic, and comes back with what the channel said."""
    sent_off(worker)
    (job,) = worker.jobs
    asked = []

    async def send(message: object, begin_before: float) -> Result:
        asked.append((message, begin_before))
        return ACCEPTED

    channel = worker.role._sender._channels[job.delivery.intent.channel]
    channel.send = send  # type: ignore[method-assign]
    completion = asyncio.run(worker.role.perform(job))
    assert asked == [(job.message, job.begin_before)]
    assert completion == Completion(job.delivery, ACCEPTED)
