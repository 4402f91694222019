"""The guarantees under everything that can happen to processes."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.event_types import (
    APPOINTMENTS,
    CALLBACKS,
    COMMANDS,
    DIRECTORY,
    INTAKE_DEAD_LETTERS,
    OUTCOMES,
    TIMERS,
)
from streams.audit import Log
from streams.kafka import DevKafka
from tests.e2e.faults import Faults
from tests.e2e.load import Load
from tests.e2e.system import system
from tests.support.postgres import Postgres

ROUNDS = int(os.environ.get("ROUNDS", "1"))
RATE = float(os.environ.get("RATE", "100"))


@pytest.fixture
def broker() -> Iterator[DevKafka]:
    """One that may be killed."""
    with DevKafka() as broker:
        yield broker


@pytest.mark.timeout(300 + 300 * ROUNDS)
def test_nothing_is_lost_or_doubled_whatever_happens(
    broker: DevKafka, postgres: Postgres, tmp_path: Path, rng: random.Random
) -> None:
    """Under a standing load every role is killed and paused beyond its session, workers are killed and sent away,
    the broker is stopped and killed, at twenty random instants, and mails are refused for now and for good, and
    cut off: no event is lost, no reminder is missing, no decision, mail or dead letter is doubled, and everybody's
    load is the number of their callbacks."""
    with postgres.database() as url, system(broker.bootstrap, tmp_path, database_url=url) as made:
        load = Load(made, rng, RATE)
        load.open()
        faults = Faults(made, broker, rng)
        faults.wait_until_ready()
        load.start()
        faults.inject(faults.plan(ROUNDS))
        faults.settle()
        load.finish()
        log = made.check()
    assert faults.done.total() == 20 * ROUNDS
    assert inputs(log) == load.acknowledged
    assert len(log[INTAKE_DEAD_LETTERS]) == load.poison
    ends = Counter(entry["how"] for worker in faults.workers for entry in worker.logged("role ended"))
    assert set(ends) <= {"killed by SIGKILL", "exit status 70"}
    outcomes = Counter(entry.event["type"] for entry in log[OUTCOMES])
    assert outcomes["notification.unconfirmed"]
    assert outcomes["notification.retrying"]
    assert log[TIMERS]
    print(f"{dict(faults.done)}\nended: {dict(ends)}\nread: {dict(inputs(log))}\nwritten: {dict(outcomes)}")
    print(f"reminders: {len(log[TIMERS])}")


def inputs(log: Log) -> Counter[str]:
    """How many records of each input topic a booking system has written."""
    ours = (b'"source":"/staffetta/', b'"source": "/staffetta/')
    return Counter(
        topic
        for topic in (DIRECTORY, CALLBACKS, APPOINTMENTS, COMMANDS)
        for entry in log[topic]
        if not any(source in (entry.value or b"") for source in ours)
    )
