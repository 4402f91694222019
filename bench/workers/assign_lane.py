"""The role `assign` as the product runs it."""

import asyncio
import logging
import os
from datetime import UTC, datetime

import uvloop

from bench.job import Job
from streams.app import create_lane
from streams.lane.application import create_app, run
from streams.settings import load_settings


def main(job: Job) -> None:
    os.environ |= {
        "STAFFETTA_BROKERS": job.brokers,
        "STAFFETTA_TOPIC_PREFIX": job.prefix,
        "STAFFETTA_PARTITIONS": str(job.partitions),
        "STAFFETTA_DATA_DIR": job.folder,
        "STAFFETTA_CLOCK_ORIGIN": datetime.fromtimestamp(job.clock_origin, UTC).isoformat(),
        "STAFFETTA_CLOCK_STARTED_AT": datetime.fromtimestamp(job.clock_started_at, UTC).isoformat(),
    }
    logging.basicConfig()
    logging.getLogger("staffetta").setLevel(logging.INFO)
    lane = create_lane(load_settings(["assign"]), "assign")
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(run(create_app(lane)))


if __name__ == "__main__":
    main(Job.given())
