"""What a worker costs that has nothing to do: its start, threads, memory and CPU."""

import time
from typing import Any

from bench.kafka import Load, Progress, topics, write
from bench.process import cpu_seconds, status, worker

IDLE_SECONDS = 10.0


def idle(module: str, brokers: str, load: Load, partitions: int) -> dict[str, Any]:
    """`start_seconds`: from the start of the process until its first answer."""
    with topics(brokers, load, partitions) as job:
        count, progress = write(job, load.before()), Progress(job, load)
        started = time.perf_counter()
        with worker(module, job) as process:
            ready = next(each for each in progress.wait_for(count, process) if each.count).at - started
            used, since = cpu_seconds(process.pid), time.perf_counter()
            time.sleep(IDLE_SECONDS)
            taken = (cpu_seconds(process.pid) - used) / (time.perf_counter() - since)
            return {
                "start_seconds": round(ready, 2),
                "threads": status(process.pid, "Threads"),
                "resident_mib": status(process.pid, "VmRSS") // 1024,
                "idle_cpu_percent": round(taken * 100, 1),
            }
