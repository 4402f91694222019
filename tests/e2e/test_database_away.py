"""The database goes away under load: the record waits for it, and nobody else does."""

import random
from pathlib import Path

from tests.e2e.load import Load
from tests.e2e.system import ROLES, system
from tests.e2e.workers import Worker
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until


def test_the_database_is_away_for_five_seconds(
    bootstrap: str, postgres: Postgres, tmp_path: Path, rng: random.Random
) -> None:
    """While PostgreSQL is away, record says so and waits, and all others go on; then it catches up, and nothing is
    missing in the database or there twice."""
    with postgres.database() as url, system(bootstrap, tmp_path, database_url=url) as road:
        worker = road.ready()
        load = Load(road, rng, rate=50)
        load.open()
        load.start()
        wait_until(lambda: len(road.box.mails) > 20, "the road under load", 90)
        postgres.stop()
        sent = len(road.box.mails)
        worker.wait(lambda: _seconds_away(worker) >= 5, "five seconds without the database")
        wait_until(lambda: len(road.box.mails) > sent + 20, "the others, who go on", 90)
        wait_until(worker.is_ready, "readiness all the same", 90)
        postgres.start()
        worker.wait_for_log("database is back", role="record")
        load.finish()
        road.check()
        assert {name: role["restarts"] for name, role in worker.roles.items()} == dict.fromkeys(ROLES, 0)


def _seconds_away(worker: Worker) -> int:
    """As record tells it."""
    return max((entry["seconds"] for entry in worker.logged("database is away", role="record")), default=0)
