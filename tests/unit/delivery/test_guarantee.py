"""Whatever happens in whatever order: accepted at most once but after `unconfirmed`, one end each, no attempt more
than the schedule has, and each one told."""

from collections import Counter, defaultdict
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.sending import Completion, Job
from schemas import Event
from schemas.notifications import Outcome
from schemas.reasons import DeliveryReason
from streams.audit import series
from streams.policy.delivery.results import (
    Accepted,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
)
from tests.unit.delivery.support import GRACE_SECONDS, Record, Worker, partition_of, request

CONCURRENCY = 3
SCHEDULE = [1, 10]
CONTENT = {"body_text": "Guten Tag", "template": {"template_id": "builtin", "version": 0}}
TWO_CHANNELS = {
    "fallback_channels": ["sms"],
    "contents": {"email": CONTENT, "sms": CONTENT},
    "recipient": {"type": "customer", "id": "cu-1", "name": "Anna", "email": "anna@example.com", "phone": "+49"},
}
COMPANIES = ("co-7", "co-8")
RESULTS: dict[str, Result] = {
    "accepted": Accepted("id"),
    "transient": Transient(DeliveryReason.UNAVAILABLE, "later"),
    "permanent": Permanent(DeliveryReason.REJECTED, "never"),
    "unconfirmed, arrived": Unconfirmed(DeliveryReason.LOST_AFTER_DATA, "lost"),
    "unconfirmed, lost": Unconfirmed(DeliveryReason.TIMEOUT, "silent"),
    "not started": NotStarted(),
}
ARRIVES = {"accepted", "unconfirmed, arrived"}

Key = tuple[str, str]


class Delivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.worker = Worker(concurrency=CONCURRENCY)
        self.waiting: dict[int, list[Record]] = defaultdict(list)
        """Records that are in Kafka and not yet applied."""
        self.answers: dict[int, list[Completion]] = defaultdict(list)
        """What the channel said and no transaction has."""
        self.asked: set[Key] = set()
        self.arrived: Counter[Key] = Counter()
        self.doubts_when_arrived: dict[Key, list[int]] = defaultdict(list)

    @rule(
        company_id=st.sampled_from(COMPANIES),
        number=st.integers(0, 5),
        topic=st.sampled_from(["delivery.email.high", "delivery.email", "delivery.email.low"]),
    )
    def ask(self, company_id: str, number: int, topic: str) -> None:
        """A request, often a second one for the same notification."""
        changes = TWO_CHANNELS if number % 2 else {}
        data = request(company_id, f"n-{number}", retry_schedule_seconds=SCHEDULE, **changes)
        record = self.worker.record(data, topic)
        self.asked.add((company_id, f"n-{number}"))
        self.waiting[record.partition].append(record)

    @rule(number=st.integers(0, 1), limit=st.integers(1, 4), commits=st.sampled_from([True, True, True, False]))
    def apply(self, number: int, limit: int, commits: bool) -> None:
        """A batch as the lane forms it; without `commits` the process ends before its transaction does."""
        room = self.worker.room(number)
        batch, answers = self.waiting[number][: min(limit, room)], self.answers[number]
        if not batch and not answers:
            return
        self.worker.step(number, batch, answers, commits=commits)
        if commits:
            self.waiting[number] = self.waiting[number][len(batch) :]
            self.answers[number] = []
        else:
            self.answers.clear()

    @precondition(lambda self: self.worker.jobs)
    @rule(data=st.data(), name=st.sampled_from(sorted(RESULTS)))
    def hand_over(self, data: st.DataObject, name: str) -> None:
        job = data.draw(st.sampled_from(self.worker.jobs), "job")
        self.perform(job, name)

    @rule()
    def tick(self) -> None:
        self.worker.tick()

    @rule(again=st.booleans())
    def release(self, again: bool) -> None:
        """`retry` sends on what is due; now and then somebody writes one of its records once more."""
        self.worker.release()
        for record in self.worker.arrived():
            self.worker.posted.remove(record)
            self.waiting[record.partition] += [record, record] if again else [record]

    @rule(seconds=st.sampled_from([0.0, 1.0, 2.0, 11.0, GRACE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.worker.clock.moment += seconds

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """What is in flight may have arrived or not; nobody hears of it."""
        for job in list(self.worker.jobs):
            self.perform(job, data.draw(st.sampled_from(["accepted", "transient"]), "in flight"))
        self.answers.clear()
        self.worker.crash()

    @rule(data=st.data())
    def rebalance(self, data: st.DataObject) -> None:
        """In flight is awaited and its answers committed, nothing is begun; then others go on."""
        for job in list(self.worker.jobs):
            self.perform(job, data.draw(st.sampled_from(sorted(RESULTS)), "in flight"))
        for number, answers in self.answers.items():
            if answers:
                self.worker.step(number, completions=answers, may_begin=False)
        self.answers.clear()
        assert not self.worker.jobs
        self.worker.take_over()

    @invariant()
    def no_more_than_the_slots(self) -> None:
        assert len(self.worker.jobs) <= CONCURRENCY

    @invariant()
    def once_but_after_unconfirmed(self) -> None:
        for key, doubts in self.doubts_when_arrived.items():
            assert len(doubts) <= 2, key
            assert doubts[1:] == [1][: len(doubts) - 1], f"{key} arrived again without a word"

    @invariant()
    def told_at_most_once(self) -> None:
        outcomes = [event for event in self.worker.events if isinstance(event.data, Outcome)]
        assert max(Counter(event.id for event in outcomes).values(), default=1) == 1
        by_key: dict[Key, list[Event]] = defaultdict(list)
        for event in outcomes:
            by_key[event.company_id, cast(Outcome, event.data).notification_id].append(event)
        for (_, notification_id), events in by_key.items():
            assert not list(series.check(notification_id, events, len(SCHEDULE)))

    def teardown(self) -> None:
        """Left alone, everything that was ever asked comes to exactly one end."""
        while self.asked - {key for key, events in self.told().items() if events[-1] in ("sent", "failed")}:
            before = self.worker.clock.moment
            for number in (0, 1):
                self.apply(number, 100, True)
            for job in list(self.worker.jobs):
                self.perform(job, "accepted")
            self.worker.tick()
            self.release(again=False)
            self.worker.clock.moment = before + GRACE_SECONDS
        told = self.told()
        assert told.keys() == self.asked
        assert all(events[-1] in ("sent", "failed") for events in told.values())
        letters = [event for event in self.worker.events if event.type == "notification.dead_lettered"]
        assert len(letters) == sum(events[-1] == "failed" for events in told.values())
        self.once_but_after_unconfirmed()

    def perform(self, job: Job, name: str) -> None:
        key = job.delivery.key
        self.worker.jobs.remove(job)
        if name in ARRIVES:
            self.doubts_when_arrived[key].append(self.told().get(key, []).count("unconfirmed"))
        self.answers[partition_of(job)].append(Completion(job.delivery, RESULTS[name]))

    def told(self) -> dict[Key, list[str]]:
        told: dict[Key, list[str]] = defaultdict(list)
        for event in self.worker.events:
            data: Any = event.data
            if isinstance(data, Outcome):
                told[data.company_id, data.notification_id].append(event.type.removeprefix("notification."))
        return told


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
