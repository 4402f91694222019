"""Companies take turns: a long line of one holds up nobody else."""

from collections import defaultdict, deque
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.event_types import DIRECTORY
from schemas.reasons import DeliveryReason, Priority
from streams.clock import utc
from streams.policy.delivery.ahead import AT_ONCE, LEAST_BYTES, Ahead
from streams.policy.delivery.results import AccountWide
from streams.policy.delivery.turns import Turns
from tests.unit.delivery.support import GRACE_SECONDS, NOW, Record, Worker, request
from tests.unit.delivery.test_attempts import ACCEPTED, TWO_CHANNELS
from tests.unit.delivery.test_receipts import LOST, receipt

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW
BIG, SMALL, SMALLER = "co-7", "co-8", "co-2"
"""They live in one partition."""
COMPANIES = st.sampled_from("abcd")


def blast(worker: Worker, company_id: str, count: int, name: str = "n", **changes: Any) -> list[Record]:
    """One message a millisecond."""
    return [
        worker.record(request(company_id, f"{name}-{number}", **changes), timestamp=NOW + number / 1000)
        for number in range(count)
    ]


def feed(worker: Worker, records: Sequence[Record]) -> int:
    """Batch after batch, until no more is taken of these; how many were left."""
    left = list(records)
    assert len({record.partition for record in left}) == 1
    while picked := worker.picked(left[0].partition, left) if left else []:
        worker.send(*picked)
        left = left[len(picked) :]
    return len(left)


def on_their_way(worker: Worker) -> list[str]:
    return [job.delivery.due.company_id for job in worker.jobs]


def test_the_next_slot_is_for_who_had_none() -> None:
    """Behind 1 000 messages of one company, another's single one goes with the next slots that are free; so does
    that of a third, and then the 1 000 go on."""
    worker = Worker(concurrency=3)
    assert feed(worker, blast(worker, BIG, 1_000) + blast(worker, SMALL, 1) + blast(worker, SMALLER, 1)) == 0
    assert on_their_way(worker) == [BIG, BIG]
    begun = []
    for _ in range(6):
        worker.answer(worker.jobs[0], ACCEPTED)
        begun.append(on_their_way(worker)[-1])
    assert begun == [BIG, SMALL, SMALLER, BIG, BIG, BIG]


def test_turns_after_a_crash() -> None:
    """Who waits is in the rows: whoever takes over goes on with turns, first come, first served for each."""
    worker = Worker(concurrency=3)
    feed(worker, blast(worker, BIG, 300) + blast(worker, SMALL, 2, "s"))
    for job in list(worker.jobs):
        worker.answer(job, ACCEPTED, may_begin=False)
    worker.crash()
    worker.tick()
    for _ in range(4):
        worker.answer(worker.jobs[0], ACCEPTED)
    sent = [event.data.model_dump()["notification_id"] for event in worker.events][2:]
    assert sent == ["s-0", "n-2", "s-1", "n-3"]


def test_high_goes_before_what_was_taken_on() -> None:
    """With thousands of messages of lower priorities taken on, a high one is picked and begun with the next
    batch."""
    worker = Worker(concurrency=10)
    records = [worker.record(request(BIG, f"l-{n}", priority="low"), "delivery.email.low") for n in range(3_000)]
    feed(worker, records + blast(worker, BIG, 1_000))
    high = worker.record(request(SMALL, "high", priority="high"), "delivery.email.high")
    worker.send(*worker.picked(high.partition, [high]))
    assert on_their_way(worker)[-1] == SMALL
    assert len(worker.jobs) == 10


def test_what_is_taken_on_has_an_end() -> None:
    """Of messages that would fill the memory, no more is taken on than the budget; then as many as are sent."""
    worker = Worker(concurrency=2, configured={"memory_budget_mb": 4})
    noise = Random(7)
    records = [
        record
        for number in range(1_000)
        for record in blast(worker, BIG, 1, f"n-{number}", contents={"email": text(noise.randbytes(5_000).hex())})
    ]
    left = feed(worker, records)
    assert 0 < left < 1_000
    assert worker.picked(records[0].partition, records[-left:]) == []
    for _ in range(1_000 - left):
        worker.answer(worker.jobs[0], ACCEPTED)
    assert worker.jobs == []
    assert feed(worker, records[-left:]) < left


def test_who_left_the_line_early_holds_up_nobody() -> None:
    """What is suppressed while it stands in line, since its customer was erased, leaves no gap there: with the
    next slot the next message goes."""
    worker = Worker(concurrency=1)
    for name, customer_id in (("n-0", "cu-0"), ("n-1", "cu-1"), ("n-2", "cu-1"), ("n-3", "cu-3")):
        worker.send(worker.record(request(BIG, name, recipient=person(customer_id))))
    worker.clock.moment += 1
    worker.send(erased(worker, "cu-1"))
    assert [event.data.model_dump()["notification_id"] for event in worker.events] == ["n-1", "n-2"]
    worker.answer(worker.jobs[0], ACCEPTED)
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-3"]


def test_a_place_in_line_is_for_one_attempt() -> None:
    """What is written after an erasure keeps its one place in line: when its attempt may have arrived, the
    repetition waits for its grace all the same."""
    worker = Worker(concurrency=1)
    worker.send(worker.record(request(BIG, "n-0", recipient=person("cu-0"))))
    later = utc(worker.clock.moment + 10)
    worker.send(worker.record(request(BIG, "n-1", recipient=person("cu-1"), as_of=later)))
    worker.clock.moment += 1
    worker.send(erased(worker, "cu-1"))
    worker.answer(worker.jobs[0], ACCEPTED)
    (job,) = worker.jobs
    worker.answer(job, LOST)
    worker.clock.moment += GRACE_SECONDS - 1
    worker.tick()
    assert (job.delivery.key[1], worker.jobs) == ("n-1", [])
    worker.clock.moment += 1
    worker.tick()
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-1"]


def test_a_place_in_line_is_not_taken_over() -> None:
    """A doubt that a receipt has cleared leaves nothing behind: when an operator sends the same again and that may
    have arrived too, its own grace is waited for."""
    worker = Worker(concurrency=1)
    worker.send(worker.record(request(BIG, "n-1")))
    worker.answer(worker.jobs[0], LOST)
    worker.send(receipt(worker, "failed", "email"))
    worker.clock.moment += GRACE_SECONDS - 1
    worker.send(worker.record(request(BIG, "n-1", redrive=1)))
    worker.answer(worker.jobs[0], LOST)
    worker.clock.moment += 2
    worker.tick()
    assert worker.jobs == []
    worker.clock.moment += GRACE_SECONDS
    worker.tick()
    assert len(worker.jobs) == 1


def test_a_place_in_one_line_is_none_in_another() -> None:
    """What fell back, since a receipt said that it had not arrived, waits for a slot of its new channel, also when
    the grace on the old one is over."""
    worker = Worker(concurrency=1)
    worker.send(worker.record(request(BIG, "n-0")))
    by_sms = TWO_CHANNELS | {"channel": "sms", "fallback_channels": ["email"]}
    worker.send(worker.record(request(BIG, "n-1", **by_sms), "delivery.sms"))
    worker.answer(worker.jobs[1], LOST)
    worker.send(receipt(worker, "failed", "sms"))
    worker.run()
    worker.clock.moment += GRACE_SECONDS + 1
    worker.tick()
    assert [job.delivery.key[1] for job in worker.jobs] == ["n-0"]
    worker.answer(worker.jobs[0], ACCEPTED)
    assert [(job.delivery.key[1], job.delivery.intent.channel) for job in worker.jobs] == [("n-1", "email")]


def person(customer_id: str) -> dict[str, Any]:
    return {"type": "customer", "id": customer_id, "name": "Anna", "email": f"{customer_id}@example.com"}


def erased(worker: Worker, customer_id: str) -> Record:
    return worker.news("customer.erased", DIRECTORY, {"company_id": BIG, "customer_id": customer_id})


def text(body: str) -> dict[str, Any]:
    return {"subject": "Ihr Termin", "body_text": body, "template": {"template_id": "ours", "version": 1}}


def test_a_closed_channel_empties_the_line_bit_by_bit() -> None:
    """What waits while the account is refused leaves for the delay topics, so many in one batch and no more."""
    worker = Worker(concurrency=3)
    feed(worker, blast(worker, BIG, 500))
    refused, job = AccountWide(DeliveryReason.AUTH_FAILED, "535 no"), worker.jobs[0]
    worker.heard(refused)
    worker.answer(job, refused)
    posted = [len(worker.posted)]
    while len(worker.posted) < 499:
        worker.tick()
        posted.append(len(worker.posted))
    assert posted == [1 + AT_ONCE, 1 + 2 * AT_ONCE, 1 + 3 * AT_ONCE, 1 + 4 * AT_ONCE, 499]


@given(st.lists(st.tuples(COMPANIES, st.integers(0, 5)), max_size=40), st.lists(st.integers(0, 5), max_size=60))
def test_a_turn_for_each(added: list[tuple[str, int]], moments: list[int]) -> None:
    """Whatever is added, nobody has a second turn while another who was there before it waits for a first; each
    line is first come, first served, and nothing is taken before it is due, or twice."""
    turns, now = Turns(), 0.0
    lines: dict[str, deque[str]] = defaultdict(deque)
    later = [(float(due), f"{number:02}", company) for number, (company, due) in enumerate(added)]
    for due, name, company in later:
        turns.add((company, name), due)
    passed: dict[str, set[str]] = defaultdict(set)
    for moment in [*moments, *[5] * len(added)]:
        now = max(now, float(moment))
        for _, name, company in sorted(each for each in later if each[0] <= now):
            lines[company].append(name)
        later = [each for each in later if each[0] > now]
        key = turns.take(now)
        assert (key is None) == (not any(lines.values()))
        if key is None:
            continue
        company, name = key
        assert lines[company].popleft() == name
        for other in (each for each, line in lines.items() if line and each != company):
            assert company not in passed[other], f"{company} had two turns while {other} waited"
            passed[other].add(company)
        passed[company].clear()
    assert not later
    assert not any(lines.values())
    assert turns.next_due is None


@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from([HIGH, NORMAL, LOW])), min_size=1, max_size=60))
def test_something_is_left_for_one_more(asked: list[tuple[int, Priority]]) -> None:
    """However many want as much as they get, who has nothing gets something, and together they stay near the
    budget; one alone gets half of it."""
    ahead, held, message = Ahead(2**28), defaultdict[int, dict[Priority, int]](dict), 2**16
    for partition, priority in asked:
        mine = held[partition]
        assert mine.get(priority) or ahead.room(partition, priority)
        while ahead.room(partition, priority):
            mine[priority] = mine.get(priority, 0) + message
            ahead.hold(partition, mine)
    total = sum(sum(theirs.values()) for theirs in held.values())
    assert 2**27 <= total <= 2**28 + 36 * (LEAST_BYTES + message)
