"""What one worker of the lane costs with few and with many partitions: `python -m bench.lane_partitions`.

Without STAFFETTA_BROKERS it starts a broker of its own. Prints one line for each number of partitions.
"""

import os
import time
from contextlib import nullcontext
from typing import Any

import orjson

from bench.backlog import throughput
from bench.kafka import Load, Progress, topics, write
from bench.loads.bookings import Bookings
from bench.process import cpu_seconds, must_run, status, worker
from streams.kafka import DevKafka

MODULE = "bench.workers.lane"
IDLE_SECONDS = 10.0


def cost(brokers: str, load: Load, partitions: int) -> dict[str, Any]:
    """Seconds from the start of the process until all that waited was applied; then what it costs to be idle."""
    with topics(brokers, load, partitions) as job:
        count, progress = write(job, load.before()), Progress(job, load)
        started = time.perf_counter()
        with worker(MODULE, job) as process:
            while progress.done() < count:
                must_run(process)
                time.sleep(0.02)
            ready = time.perf_counter() - started
            used, since = cpu_seconds(process.pid), time.perf_counter()
            time.sleep(IDLE_SECONDS)
            idle = (cpu_seconds(process.pid) - used) / (time.perf_counter() - since)
            return {
                "start_seconds": round(ready, 2),
                "threads": status(process.pid, "Threads"),
                "resident_mib": status(process.pid, "VmRSS") // 1024,
                "idle_cpu_percent": round(idle * 100, 1),
            }


def main() -> None:
    given = os.environ.get("STAFFETTA_BROKERS")
    with nullcontext() if given else DevKafka() as kafka:
        brokers = given or kafka.bootstrap
        for partitions in (4, 12, 32):
            found = cost(brokers, Bookings(), partitions)
            found |= throughput(MODULE, brokers, Bookings(), 300_000, partitions)
            print(orjson.dumps({"partitions": partitions, **found}).decode(), flush=True)


if __name__ == "__main__":
    main()
