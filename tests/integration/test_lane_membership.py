"""Static membership: who has the same id, and who is put out."""

from pathlib import Path

from tests.support.kafka import KafkaSpace
from tests.support.waiting import wait_until
from tests.support.workers import lane_workers

FENCED = 75


def test_of_two_workers_with_the_same_instance_id_the_first_ends(kafka: KafkaSpace, tmp_path: Path) -> None:
    """Who is put out by another worker with the same static id ends soon, with a status not to restart, when
    idle and when at work; the other one goes on.
    """
    with lane_workers(kafka, tmp_path, instance="same", session=6) as workers:
        first = workers.ready()
        second = workers.ready()
        assert first.ended(10) == FENCED
        assert first.said("same static member id")

        kafka.produce("events", [("a", "job:60"), *(("a", f"event-{n}") for n in range(200))])
        wait_until(lambda: workers.lag() == 0, "the end")
        third = workers.ready(slow=0.3, batch=1)
        assert second.ended(10) == FENCED
        kafka.produce("events", [("a", f"slow-{n}") for n in range(20)] + [("b", f"slow-{n}") for n in range(20)])
        wait_until(lambda: len(kafka.read_all("answers")) > 210, "the third at work")
        fourth = workers.ready()
        assert third.ended(10) == FENCED
        wait_until(lambda: workers.lag() == 0, "the end")
        assert len(kafka.read_all("answers")) == 1 + 200 + 40
        fourth.leave()
        assert fourth.ended() == 0


def test_a_static_member_that_was_paused_takes_part_again(kafka: KafkaSpace, tmp_path: Path) -> None:
    """A worker that was stopped for longer than its session, and that nobody replaced, is no double of itself."""
    with lane_workers(kafka, tmp_path, instance="one", session=1.5) as workers:
        worker = workers.ready()
        worker.pause()

        def members() -> int:
            group = f"{kafka.prefix}counting"
            return len(kafka.admin.describe_consumer_groups([group])[group].result().members)

        wait_until(lambda: members() == 0, "the end of the session")
        worker.resume()
        worker.wait_until_ready(times=2)
        kafka.produce("events", [("a", "after")])
        wait_until(lambda: len(kafka.read_all("answers")) == 1, "the answer")
