"""Faust tuned the ordinary way: uvloop, raw bytes, no sensors, batches by `take`, one table write per key and
batch, outputs through confluent-kafka and flushed before the batch is acknowledged. At least once, not exactly."""

import asyncio
from typing import Any, cast

import faust
import uvloop
from confluent_kafka import Producer
from faust.contrib.asgi import faust_app_running

from bench.job import Job
from bench.loads.bookings import decide


async def main(job: Job) -> None:
    app = faust.App(
        job.group,
        broker=f"kafka://{job.brokers}",
        store="memory://",
        topic_partitions=job.partitions,
        topic_replication_factor=1,
        datadir=job.folder,
        web_enabled=False,
        topic_disable_leader=True,
        broker_commit_interval=1.0,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        stream_buffer_maxsize=65_536,
        broker_max_poll_records=20_000,
        consumer_max_fetch_size=4 * 1024 * 1024,
    )
    events = app.topic(job.events, partitions=job.partitions, key_serializer="raw", value_serializer="raw")
    table = app.Table("load", default=dict, partitions=job.partitions)
    producer = Producer(
        {
            "bootstrap.servers": job.brokers,
            "linger.ms": 0 if job.latency else 5,
            "queue.buffering.max.messages": 1_000_000,
            "acks": "all",
        }
    )

    @app.agent(events)
    async def agent(stream: Any) -> None:
        loop = asyncio.get_running_loop()
        cache: dict[bytes, dict[str, int]] = {}
        async for taken in stream.take_events(1000, within=0.005 if job.latency else 0.05):
            touched: dict[bytes, int] = {}
            for event in taken:
                key = event.key
                load = cache.get(key)
                if load is None:
                    load = cache[key] = table.get(key) or {}
                producer.produce(job.decisions, decide(load, event.value), key)
                touched[key] = event.message.partition
            for key, partition in touched.items():
                # What `table[key] = load` does; inside `take` there is no current event for it.
                table.data[key] = cache[key]
                table.send_changelog(partition, key, cache[key])
            await loop.run_in_executor(None, producer.flush)

    async with faust_app_running(app):
        cast(Any, app.sensors)._sensors.clear()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(Job.given()))
