"""How fast messages are taken over by a server that counts them."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from bench.backlog import reached
from bench.job import Job
from bench.kafka import PATIENCE, Made, Progress, Sample, count_answers, write
from bench.loads.mails import Clinics
from bench.process import Process, cpu_seconds, machine_cpu_seconds, must_run, peak_mebibytes, stopped, worker


class Server(Protocol):
    @property
    def pid(self) -> int: ...
    @property
    def taken(self) -> int:
        """Messages so far; asking costs the server nothing."""
        ...


def until_taken(server: Server, count: int, process: Process) -> list[Sample]:
    samples: list[Sample] = []

    def done() -> bool:
        now = time.perf_counter()
        samples.append(Sample(now, server.taken, cpu_seconds(process.pid), machine_cpu_seconds()))
        return samples[-1].count >= count

    until(done, process)
    return samples


def delivered(job: Job, load: Clinics, attempts: list[Made], server: Server) -> dict[str, Any]:
    """How fast `deliver` gets a backlog of these attempts taken over, once it knows what comes before them."""
    count, progress, before = len(attempts), Progress(job, load), write(job, load.before())
    with worker("bench.workers.role", job, "deliver") as process:
        progress.wait_for(before, process)
        with stopped(process):
            write(job, attempts)
        samples = until_taken(server, count, process)
        progress.wait_for(before + count, process)
        return rate(samples, count, process, server) | {"answers": count_answers(job, load)}


def rate(samples: list[Sample], count: int, process: Process, server: Server) -> dict[str, Any]:
    """Between the first tenth and the ninth, as with the other backlogs."""
    first, last = reached(samples, count * 0.1), reached(samples, count * 0.9)
    seconds, done = last.at - first.at, count * 0.8
    return {
        "events_per_second": round(done / seconds),
        "cpu_ms_per_mail": round((last.cpu - first.cpu) / done * 1e3, 3),
        "other_cpu_percent": round(((last.all_cpu - first.all_cpu) - (last.cpu - first.cpu)) / seconds * 100),
        "sink_cpu_ms_per_mail": round(cpu_seconds(server.pid) / count * 1e3, 3),
        "peak_mib": peak_mebibytes(process.pid),
    }


def until(condition: Callable[[], bool], process: Process, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        must_run(process)
        if time.monotonic() > end:
            raise TimeoutError(f"not within {patience:.0f} s")
        time.sleep(0.01)
