"""The lane's guarantee under everything that can happen to workers and brokers."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka import DevKafka
from tests.support.kafka import kafka_space
from tests.support.proof import Proof
from tests.support.workers import CHANGELOG, lane_workers

ROUNDS = int(os.environ.get("ROUNDS", "1"))

COMPACTING = {
    "segment.ms": "500",
    "segment.bytes": str(1024 * 1024),
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
}
"""A changelog that is compacted all the time, also while it is being read."""


@pytest.fixture
def broker() -> Iterator[DevKafka]:
    with DevKafka(overrides={"log.cleaner.backoff.ms": "100"}) as broker:
        yield broker


@pytest.mark.timeout(120 + 60 * ROUNDS)
def test_exactly_once_whatever_happens(broker: DevKafka, tmp_path: Path, rng: random.Random) -> None:
    """Workers are killed, paused beyond their session, join and leave, and the broker is killed, at random moments
    under load, while the changelog is compacted: nothing is lost, doubled or applied out of order."""

    def kill_broker() -> None:
        broker.kill()
        broker.start()

    faults = ["kill", "kill", "pause", "join", "leave", "kill", "broker"] * ROUNDS
    rng.shuffle(faults)
    with (
        kafka_space(broker.bootstrap) as kafka,
        lane_workers(kafka, tmp_path, changelog_config=COMPACTING) as workers,
    ):
        proof = Proof(workers, rng)
        proof.inject(faults, {"broker": kill_broker})
        proof.settle()
        proof.check()
        assert set(proof.ended) <= {70}
        changes = [entry for entry in kafka.read_all(CHANGELOG) if (entry.key or b"").startswith(b"counts/")]
        counted = sum(map(len, proof.load.written.values()))
        assert len(changes) < counted / 2  # the compaction was real


@pytest.mark.timeout(120 + 60 * ROUNDS)
def test_exactly_once_when_a_leader_is_lost(tmp_path: Path, rng: random.Random) -> None:
    """With three brokers and three replicas of everything, the one that leads an input partition is killed: the
    group goes on without it, and nothing is lost, doubled or applied out of order."""
    with DevKafka(brokers=3) as cluster, kafka_space(cluster.bootstrap) as kafka:
        lost: list[int] = []

        def kill_leader() -> None:
            leader = kafka.admin.list_topics(timeout=10).topics[kafka.prefix + "events"].partitions[0].leader
            lost.append(leader - 1)
            cluster.kill(leader - 1)

        def bring_back() -> None:
            cluster.start(lost[-1])

        with lane_workers(kafka, tmp_path, replication_factor=3) as workers:
            proof = Proof(workers, rng)
            faults = ["leader", "kill", "back"] * ROUNDS
            proof.inject(faults[:-1], {"leader": kill_leader, "back": bring_back})
            proof.settle()
            proof.check()
