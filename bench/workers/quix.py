"""Quix Streams, exactly once, with its state on a changelog, values passed through as bytes."""

from typing import Any

from quixstreams import Application
from quixstreams.models import TopicConfig
from quixstreams.state import State

from bench.job import Job
from bench.loads.bookings import decide


def main(job: Job) -> None:
    app = Application(
        broker_address=job.brokers,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        commit_interval=0.05 if job.latency else 1.0,
        state_dir=job.folder,
        loglevel="WARNING",
        processing_guarantee="exactly-once",
        topic_create_timeout=20,
        consumer_extra_config={"fetch.wait.max.ms": 10 if job.latency else 500},
        producer_extra_config={
            "linger.ms": 0 if job.latency else 5,
            "queue.buffering.max.messages": 1_000_000,
            "retry.backoff.ms": 10,
        },
    )
    config = TopicConfig(num_partitions=job.partitions, replication_factor=1)
    raw: dict[str, Any] = {"key_deserializer": "bytes", "value_deserializer": "bytes", "config": config}
    events = app.topic(job.events, **raw)
    decisions = app.topic(job.decisions, key_serializer="bytes", value_serializer="bytes", config=config)

    def handle(value: bytes, state: State[str, dict[str, int]]) -> bytes:
        load = state.get("load") or {}
        answer = decide(load, value)
        state.set("load", load)
        return answer

    frame = app.dataframe(events)
    frame.apply(handle, stateful=True).to_topic(decisions)
    app.run()


if __name__ == "__main__":
    main(Job.given())
