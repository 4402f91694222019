"""Transactions that Kafka counts as ended, and that never ended in the changelog (KAFKA-20734)."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka import DevKafka
from streams.state import row_key
from tests.support.kafka import KafkaSpace, kafka_space
from tests.support.waiting import wait_until
from tests.support.workers import CHANGELOG, LaneWorkers, lane_workers

KEY = "company-1"
POSITIONS = row_key("positions", "", "")
COUNT = row_key("counts", "all", KEY)
UNVERIFIED = {"transaction.partition.verification.enable": "false"}
"""The broker takes a transaction's records without asking its coordinator, which then knows nothing of them: as if
it had forgotten them."""


@pytest.fixture(scope="module")
def kafka() -> Iterator[KafkaSpace]:
    with DevKafka(overrides=UNVERIFIED) as broker, kafka_space(broker.bootstrap) as space:
        yield space


@pytest.fixture
def workers(kafka: KafkaSpace, tmp_path: Path) -> Iterator[LaneWorkers]:
    with lane_workers(kafka, tmp_path) as workers:
        yield workers
    kafka.delete_all()


async def hang(kafka: KafkaSpace, rows: list[tuple[bytes, bytes]]) -> None:
    """Write these to partition 0 of the changelog, as the worker that has it, and never end the transaction."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=f"{kafka.prefix}counting-0", acks="all"
    )
    await producer.start()
    await producer.begin_transaction()
    producer._txn_manager.maybe_add_partition_to_txn = lambda _: None
    for key, value in rows:
        await producer.send_and_wait(kafka.prefix + CHANGELOG, value, key, partition=0)
    await producer._sender.close()
    await producer.client.close()
    producer._closed = True
    assert kafka.end(CHANGELOG, 0) > len(kafka.read_all(CHANGELOG))


def apply_five(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    worker = workers.ready()
    kafka.produce("events", [(KEY, f"event-{n}") for n in range(5)], partition=0)
    wait_until(lambda: len(kafka.read_all("answers")) == 5, "the answers")
    worker.leave()
    worker.ended()


def counted_in(kafka: KafkaSpace) -> list[int]:
    return [orjson.loads(entry.value or b"")["count"] for entry in kafka.read_all("answers")]


async def test_a_whole_batch_is_taken_for_done(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """It was asked to be committed, and its jobs may have been done: nothing of it is done once more."""
    apply_five(kafka, workers)
    kafka.produce("events", [(KEY, f"event-{n}") for n in range(5, 8)], partition=0)
    await hang(kafka, [(COUNT, b"8"), (POSITIONS, orjson.dumps({"events": 8}))])
    worker = workers.ready()
    assert worker.counts() == {KEY: 8}
    assert worker.said("was never ended: it is committed")
    kafka.produce("events", [(KEY, "event-8")], partition=0)
    wait_until(lambda: counted_in(kafka) == [1, 2, 3, 4, 5, 9], "the next answer, and none of what hung")


async def test_half_a_batch_is_as_none(kafka: KafkaSpace, workers: LaneWorkers) -> None:
    """What was never asked to be committed is applied anew, and stays hidden for good."""
    apply_five(kafka, workers)
    kafka.produce("events", [(KEY, f"event-{n}") for n in range(5, 8)], partition=0)
    await hang(kafka, [(COUNT, b"8")])
    worker = workers.ready()
    assert worker.counts() == {KEY: 5}
    assert worker.said("was never ended: it is aborted")
    wait_until(lambda: counted_in(kafka) == [1, 2, 3, 4, 5, 6, 7, 8], "the answers, each once")
    worker.leave()
    worker.ended()
    fresh = workers.ready()
    assert fresh.counts() == {KEY: 8}
    assert not fresh.said("never ended")
