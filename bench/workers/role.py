"""A role of a message's way as the product runs it: `python -m bench.workers.role NAME`."""

import asyncio
import logging
import os
import sys

import uvloop

from bench.job import Job
from streams.app import create_lane
from streams.lane.application import create_app, run
from streams.settings import load_settings


def main(job: Job, name: str) -> None:
    os.environ |= {
        "STAFFETTA_BROKERS": job.brokers,
        "STAFFETTA_TOPIC_PREFIX": job.prefix,
        "STAFFETTA_PARTITIONS": str(job.partitions),
        "STAFFETTA_DATA_DIR": job.folder,
        "STAFFETTA_SMTP_URL": f"smtp://127.0.0.1:{job.smtp_port}",
        "STAFFETTA_SMTP_FROM": "Staffetta <post@bench.example>",
        "STAFFETTA_EMAIL_CONCURRENCY": str(job.connections),
        "STAFFETTA_SMS_CONCURRENCY": str(job.connections),
        "STAFFETTA_RECIPIENT_HASH_KEY": "a key for measurements",
    }
    logging.basicConfig()
    logging.getLogger("staffetta").setLevel(logging.INFO)
    lane = create_lane(load_settings([name]), name)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(run(create_app(lane)))


if __name__ == "__main__":
    main(Job.given(), sys.argv[1])
