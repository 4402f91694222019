"""The lane on a real broker: what it applies, answers, commits and wakes up for, and how workers take turns."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer

from tests.support.kafka import PARTITIONS, KafkaSpace
from tests.support.waiting import wait_until
from tests.support.workers import CHANGELOG, INPUTS, LaneWorkers, lane_workers

KEYS = [f"company-{n}" for n in range(7)]


@pytest.fixture
def workers(kafka: KafkaSpace, tmp_path: Path) -> Iterator[LaneWorkers]:
    with lane_workers(kafka, tmp_path) as workers:
        yield workers


def answers(kafka: KafkaSpace, field: str = "value") -> list[dict[str, Any]]:
    """The committed answers that have `field`, by partition and offset."""
    found = [orjson.loads(entry.value or b"") for entry in kafka.read_all("answers")]
    return [answer for answer in found if field in answer]


def write_transactions(kafka: KafkaSpace, topic: str, committed: str, aborted: str) -> None:
    """One record of each into every partition, so that a partition ends with what no consumer ever sees."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": kafka.prefix + "writer"})
    producer.init_transactions(30)
    for value, end in ((committed, producer.commit_transaction), (aborted, producer.abort_transaction)):
        producer.begin_transaction()
        for number in range(PARTITIONS):
            producer.produce(kafka.prefix + topic, value, f"writer-{number}", number)
        producer.flush()
        end(30)


def test_a_producer_may_compress(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """Records are read with each of the compressions that Kafka knows."""
    workers.ready()
    text = "again and " * 100
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        kafka.produce("events", [(KEYS[n % 7], f"{codec} {text}{n}") for n in range(70)], compression=codec)
    wait_until(lambda: len(answers(kafka)) >= 350, "the answers")
    assert Counter(answer["value"].split()[0] for answer in answers(kafka)) == dict.fromkeys(
        ("none", "gzip", "snappy", "lz4", "zstd"), 70
    )


def test_records_are_applied_once_and_the_lag_reaches_zero(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """Every record changes the state once, every event is answered once, and the group's lag is 0 within 5 s, also
    where a partition ends with the markers of transactions, and again when only another topic has moved since."""
    kafka.produce("events", [(KEYS[n % 7], f"event-{n}") for n in range(1499)])
    kafka.produce("commands", [(KEYS[n % 7], f"command-{n}") for n in range(700)])
    write_transactions(kafka, "commands", "command", "aborted")
    worker = workers.ready()
    wait_until(lambda: len(answers(kafka)) >= 1499, "the answers")
    wait_until(lambda: workers.lag() == 0, "the end of each partition, behind the markers", timeout_seconds=5)
    kafka.produce("events", [(KEYS[1499 % 7], "event-1499")])
    wait_until(lambda: len(answers(kafka)) >= 1500, "the last answer")
    wait_until(lambda: workers.lag() == 0, "the end of each partition again", timeout_seconds=5)
    worker.leave()
    assert worker.ended() == 0

    assert Counter(answer["value"] for answer in answers(kafka)) == {f"event-{n}": 1 for n in range(1500)}
    for key in KEYS:
        counts = [answer["count"] for answer in answers(kafka) if KEYS[int(answer["value"][6:]) % 7] == key]
        assert counts == sorted(set(counts))
    successor = workers.ready()
    events = Counter(KEYS[n % 7] for n in range(1500))
    assert successor.counts() == {key: events[key] + 100 for key in KEYS} | {"writer-0": 1, "writer-1": 1}
    assert "\x1b" not in worker.log  # nothing meddles with the terminal


def test_a_record_that_raises_is_dead_lettered_alone(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A record on which the role raises becomes one dead letter with the reason; all around it are applied."""
    values = ["raise first", *(f"event-{n}" for n in range(50)), "raise in the middle", "event-50", "raise last"]
    kafka.produce("events", [("a", value) for value in values])
    kafka.produce("commands", [("a", "raise in a command"), ("a", "command")])
    worker = workers.ready()
    wait_until(lambda: len(answers(kafka)) == 51, "the answers")
    wait_until(lambda: workers.lag() == 0, "the end")
    assert [answer["value"] for answer in answers(kafka)] == [f"event-{n}" for n in range(51)]
    assert [answer["count"] for answer in answers(kafka)] == list(range(1, 52))
    letters = [orjson.loads(entry.value or b"") for entry in kafka.read_all("poison")]
    assert [letter["value"] for letter in letters] == [value for value in values if "raise" in value] + [
        "raise in a command"
    ]
    assert letters[0]["detail"] == "ValueError: raise first"
    worker.leave()
    worker.ended()
    assert workers.ready().counts() == {"a": 52}


def test_ticks_fire_without_records_and_are_not_doubled(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A role that asked to be woken is woken in every partition; a worker killed meanwhile doubles no tick."""
    worker = workers.ready(tick=0.1)
    wait_until(lambda: len(answers(kafka, "tick")) >= 20, "ticks")
    worker.kill()
    before = len(answers(kafka, "tick"))
    successor = workers.ready(tick=0.1)
    wait_until(lambda: len(answers(kafka, "tick")) >= before + 20, "more ticks")
    successor.leave()
    successor.ended()
    for number in (0, 1):
        ticks = [answer for answer in answers(kafka, "tick") if answer["tick"] == number]
        assert [tick["last"] for tick in ticks] == [0, *(tick["at"] for tick in ticks[:-1])]


def test_jobs_come_back_as_completions_before_a_worker_leaves(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """What runs when a worker must leave, by SIGTERM or by a rebalance, is awaited, and its result committed."""
    first = workers.ready()
    kafka.produce("events", [(key, f"job-{key}:1") for key in KEYS])
    wait_until(lambda: len(answers(kafka)) == 7, "the jobs' events")
    first.leave()
    assert first.ended() == 0
    assert Counter(answer["job"] for answer in answers(kafka, "job")) == {f"job-{key}:1": 1 for key in KEYS}

    second = workers.ready()
    kafka.produce("events", [(key, f"job-again-{key}:2") for key in KEYS])
    wait_until(lambda: len(answers(kafka)) == 14, "the jobs' events")
    third = workers.ready()
    assert len(answers(kafka, "job")) == 14
    second.leave()
    second.ended()
    third.wait_until_ready(times=2)
    assert third.counts("jobs") == {f"job-{key}:1": 1 for key in KEYS} | {f"job-again-{key}:2": 1 for key in KEYS}


def test_a_rebalance_reads_only_what_is_new(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A worker that keeps a partition through a rebalance keeps its rows: it reads what is new, not all again."""
    kafka.produce("events", [(f"key-{n}", f"event-{n}") for n in range(2000)])
    worker = workers.ready()
    wait_until(lambda: workers.lag() == 0, "the end")
    other = workers.ready()
    worker.wait_until_ready(times=2)
    other.leave()
    other.ended()
    worker.wait_until_ready(times=3)

    read = [int(count) for count in worker.said(r"read (\d+) records")]
    theirs = int(other.said(r"read (\d+) records")[0])
    assert theirs > 500  # the partition that it took, with one row for each key
    assert read == [0, 0, read[2]]
    assert theirs - 5 <= read[2] <= theirs + 5  # only that one, come back
    assert worker.counts() == {f"key-{n}": 1 for n in range(2000)}


def test_what_is_fetched_before_the_lane_opens_is_kept(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A fetch that was waiting for records when a rebalance came may bring those that follow the seek, before the
    lane opens: the consumer stands behind them then, so they must be applied."""
    first = workers.start(late=1, fetch=30)
    first.wait_for("OPENED")
    workers.start(late=1, fetch=30)
    first.wait_for("SOUGHT", 2)
    assert len(first.said("OPENED")) == 1
    kafka.produce("events", [(key, f"event-{key}") for key in KEYS])
    first.wait_for("OPENED", 2)
    kafka.produce("events", [(key, f"last-{key}") for key in KEYS])
    last = {f"last-{key}" for key in KEYS}
    wait_until(lambda: last <= {answer["value"] for answer in answers(kafka)}, "the last answers")
    expected = {f"{name}-{key}": 1 for name in ("event", "last") for key in KEYS}
    assert Counter(answer["value"] for answer in answers(kafka)) == expected


def test_whoever_has_come_far_and_finds_no_rows_does_not_begin_anew(
    kafka: KafkaSpace, workers: LaneWorkers
) -> None:
    """When the changelog is gone, a worker ends with a line that names it, instead of applying everything once
    more. When the group is deleted it begins anew, where an operator has set it, or at the beginning."""
    kafka.produce("events", [(KEYS[0], "old")])
    kafka.produce("commands", [(KEYS[0], "command")])
    first = workers.ready()
    wait_until(lambda: len(answers(kafka)) == 1, "the answer")
    wait_until(lambda: workers.lag() == 0, "the committed offsets")
    first.leave()
    assert first.ended() == 0
    kafka.delete(CHANGELOG)
    kafka.create(CHANGELOG, config={"cleanup.policy": "compact"})
    lost = workers.start()
    assert lost.ended() == 70
    assert re.search(rf"of {kafka.prefix}{CHANGELOG} holds no positions, though the group .* has come", lost.log)
    wait_until(lambda: kafka.delete_group("counting"), "the end of its session, and of the group")
    kafka.set_group("counting", {("events", number): kafka.end("events", number) for number in range(PARTITIONS)})
    kafka.produce("events", [(KEYS[0], "new")])
    anew = workers.ready()
    wait_until(lambda: len(answers(kafka)) == 2, "the answer to what is new")
    assert [answer["value"] for answer in answers(kafka)] == ["old", "new"]
    wait_until(lambda: workers.lag() == 0, "the end")
    anew.leave()
    assert anew.ended() == 0
    assert workers.ready().counts() == {KEYS[0]: 2}  # the command, and what is new


def test_a_topic_that_was_created_anew(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A worker whose input was deleted and created again ends with a line that names it. With the topic left out
    of the positions, as docs/operations.md has it, the new one is read from its beginning."""
    kafka.produce("events", [(KEYS[0], f"old-{n}") for n in range(3)], partition=0)
    kafka.produce("commands", [(KEYS[0], "command")], partition=0)
    first = workers.ready()
    wait_until(lambda: len(answers(kafka)) == 3, "the answers")
    wait_until(lambda: workers.lag() == 0, "the end")
    first.leave()
    assert first.ended() == 0
    kafka.delete("events")
    kafka.create("events")
    kafka.produce("events", [(KEYS[0], "new")], partition=0)
    lost = workers.start()
    assert lost.ended() == 70
    assert f"partition 0 of {kafka.prefix}events was read up to offset 3 and now ends at 1" in lost.log
    found = [entry for entry in kafka.read_all(CHANGELOG) if entry.key == b"positions//" and entry.partition == 0]
    positions = orjson.loads(found[-1].value or b"")
    assert positions.pop("events") == 3
    kafka.produce(CHANGELOG, [(b"positions//", orjson.dumps(positions))], partition=0)
    anew = workers.ready()
    wait_until(lambda: len(answers(kafka)) == 4, "the answer to what is new")
    assert [answer["value"] for answer in answers(kafka)] == ["old-0", "old-1", "old-2", "new"]
    anew.leave()
    assert anew.ended() == 0
    assert workers.ready().counts() == {KEYS[0]: 5}


def test_what_was_deleted_unread_is_told(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A worker that finds a topic's beginning behind its position says how much it has missed, once, and goes on;
    what it had read may be deleted, with a transaction's markers behind it."""
    kafka.produce("events", [(KEYS[0], "event-0")], partition=0)
    write_transactions(kafka, "commands", "command", "aborted")
    first = workers.ready()
    wait_until(lambda: workers.lag() == 0, "the end")
    first.leave()
    assert first.ended() == 0
    kafka.produce("events", [(KEYS[0], f"event-{n}") for n in range(1, 4)], partition=0)
    kafka.empty("events", 0, before=3)
    kafka.empty("commands", 0, before=kafka.end("commands", 0))
    for missed in ([("0", "events", "3", "2")], []):
        worker = workers.ready()
        wait_until(lambda: workers.lag() == 0, "the end")
        told = r"partition (\d) of \S+-(\w+) begins at offset (\d+): (\d+) records were deleted"
        assert [*worker.said(told)] == missed
        worker.leave()
        assert worker.ended() == 0
    assert [answer["value"] for answer in answers(kafka)] == ["event-0", "event-3"]


def test_passing_over_aborted_records_is_not_applying(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """A group that has only seen aborted records has offsets and no rows: it starts again all the same."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": kafka.prefix + "writer"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(f"{kafka.prefix}events", "aborted", KEYS[0], 0)
    producer.flush()
    producer.abort_transaction(30)
    first = workers.ready()
    wait_until(lambda: workers.committed()[f"{kafka.prefix}events", 0] == 2, "the offset behind the marker")
    first.leave()
    assert first.ended() == 0
    workers.ready()


def test_a_worker_that_leaves_hands_over_quickly(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """After SIGTERM the others go on long before the session of the one that left would have ended."""
    first, second = workers.ready(session=30), workers.ready(session=30)
    first.wait_until_ready(times=2)
    second.leave()
    assert second.ended(5) == 0
    first.wait_for("READY", times=3, timeout_seconds=10)
    kafka.produce("events", [(key, f"event-{key}") for key in KEYS])
    wait_until(lambda: len(answers(kafka)) == 7, "the answers", timeout_seconds=10)


def test_topics_that_do_not_fit_are_refused(kafka: KafkaSpace, tmp_path: Path) -> None:
    """A missing changelog, and one with another number of partitions, end the worker with a line that names it."""
    kafka.create(*INPUTS, "answers", "poison")
    config = {"cleanup.policy": "compact"}
    workers = LaneWorkers(kafka, tmp_path, {})
    missing, fitting = workers.start(), f"{kafka.prefix}{CHANGELOG}"
    assert missing.ended() == 70
    assert fitting in missing.said(r"ends this process: (.*)")[0]
    kafka.create(CHANGELOG, config=config, partitions=3)
    other = workers.start()
    assert other.ended() == 70
    assert fitting in other.said(r"ends this process: (.*)")[0]
