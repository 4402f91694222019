"""Records on which a worker dies or hangs, however often it is started again."""

import asyncio
from pathlib import Path

import orjson
import pytest

from tests.support.kafka import KafkaSpace
from tests.support.odd_headers import ODD, write
from tests.support.waiting import wait_until
from tests.support.workers import lane_workers

GOOD = [f"event-{n}" for n in range(6)]
DEATHS = 5
"""Three in a batch, two alone."""


@pytest.mark.parametrize(("bad", "status", "watchdog"), [("exit", 9, 60), ("hang", 70, 2.5)])
def test_a_record_that_kills_is_dead_lettered(
    kafka: KafkaSpace, tmp_path: Path, bad: str, status: int, watchdog: float
) -> None:
    """A record that ends or hangs the worker is found across restarts: after five deaths it becomes a dead letter,
    and all around it are applied."""
    with lane_workers(kafka, tmp_path, instance="only", watchdog=watchdog) as workers:
        kafka.produce("events", [("a", value) for value in (*GOOD[:3], bad, *GOOD[3:])])
        lives = [workers.start()]

        def supervise() -> bool:
            if not lives[-1].is_alive:
                lives.append(workers.start())
            return True

        wait_until(lambda: supervise() and kafka.read_all("poison"), "the dead letter", timeout_seconds=90)
        wait_until(lambda: supervise() and workers.lag() == 0, "the rest")
        # On a busy machine the impatient watchdog may end one that is still recovering: that is not counted.
        assert [life.ended() for life in lives[:-1] if life.said("READY")] == [status] * DEATHS
        letters = [orjson.loads(entry.value or b"") for entry in kafka.read_all("poison")]
        assert [(letter["topic"], letter["value"]) for letter in letters] == [("events", bad)]
        assert "died" in letters[0]["detail"]
        answers = [orjson.loads(entry.value or b"") for entry in kafka.read_all("answers")]
        assert [(answer["value"], answer["count"]) for answer in answers] == list(
            zip(GOOD, range(1, 7), strict=True)
        )


def test_a_headers_name_may_be_any_bytes(kafka: KafkaSpace, tmp_path: Path) -> None:
    """A record with a header whose name is not UTF-8 is applied like those around it."""
    with lane_workers(kafka, tmp_path) as workers:
        workers.ready()
        records = [(ODD if number % 3 else "ce_id", f"event-{number}") for number in range(9)]
        asyncio.run(write(kafka.bootstrap, f"{kafka.prefix}events", records))
        wait_until(lambda: len(kafka.read_all("answers")) >= 9, "the answers")
        answers = [orjson.loads(entry.value or b"") for entry in kafka.read_all("answers")]
    assert [(answer["value"], answer["count"]) for answer in answers] == [
        (value, count) for count, (_, value) in enumerate(records, start=1)
    ]


def test_kills_from_outside_make_no_dead_letter(kafka: KafkaSpace, tmp_path: Path) -> None:
    """A worker that is killed again and again while it applies loses nothing and blames no record."""
    with lane_workers(kafka, tmp_path, instance="only", slow=0.2, batch=5) as workers:
        kafka.produce("events", [("a", f"event-{n}") for n in range(60)])
        worker = workers.start()
        for kills in range(1, 5):
            wait_until(lambda: len(kafka.read_all("answers")) >= 5 * kills, "progress")  # noqa: B023
            worker.kill()
            worker = workers.start()
        wait_until(lambda: workers.lag() == 0, "the end")
        assert len(kafka.read_all("answers")) == 60
        assert kafka.read_all("poison") == []
