"""What a backlog costs."""

from pathlib import Path

import orjson

from tests.support.kafka import KafkaSpace
from tests.support.waiting import wait_until
from tests.support.workers import lane_workers

BUDGET = 8_000_000
BACKLOG = 80_000_000


def test_a_deep_backlog_costs_no_memory_and_holds_nothing_up(kafka: KafkaSpace, tmp_path: Path) -> None:
    """With a backlog ten times its budget a worker's memory stays flat, and while the topic that comes last is
    full, a record of the topic that comes first is applied at once."""
    large = "x" * 100_000
    with lane_workers(kafka, tmp_path, slow=0.05, batch=5, buffer=BUDGET) as workers:
        kafka.produce("commands", [(f"key-{n}", large) for n in range(BACKLOG // len(large))])
        worker = workers.ready()
        wait_until(lambda: sum(workers.committed().values()) > 100, "the backlog under way")
        before = worker.resident_megabytes
        wait_until(lambda: sum(workers.committed().values()) > 300, "more of the backlog")
        kafka.produce("events", [("a", "first"), ("b", "first")])
        wait_until(lambda: len(kafka.read_all("answers")) == 2, "the answers", timeout_seconds=5)
        assert workers.lag() > 100
        samples = []

        def finished() -> bool:
            samples.append(worker.resident_megabytes)
            return workers.lag() == 0

        wait_until(finished, "the end", timeout_seconds=60)
        assert max(samples) < before + 3 * BUDGET / 1e6
        assert [orjson.loads(entry.value or b"")["count"] for entry in kafka.read_all("answers")] == [1, 1]
