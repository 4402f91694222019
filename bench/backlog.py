"""Throughput: a worker finds a backlog and works it off."""

import time
from itertools import pairwise
from typing import Any

from bench.kafka import Load, Progress, Sample, count_answers, topics, write
from bench.process import peak_mebibytes, status, stopped, worker


def throughput(module: str, brokers: str, load: Load, count: int, partitions: int = 4) -> dict[str, Any]:
    """Events/s between the first tenth and the ninth of a backlog of `count` events, by what was answered.

    The backlog is written while the worker stands still, after it has applied what comes before.
    """
    with topics(brokers, load, partitions) as job:
        ahead, backlog = list(load.before()), list(load.events(count))
        progress = Progress(job, load)
        before = write(job, ahead)
        started = time.perf_counter()
        with worker(module, job) as process:
            first = next(sample for sample in progress.wait_for(before, process) if sample.applied)
            answered = progress.answered()
            with stopped(process):
                write(job, backlog)
            samples = progress.wait_for(before + count, process)
            answers = count_answers(job, load)
            threads, peak = status(process.pid, "Threads"), peak_mebibytes(process.pid)
    start = first.at - started
    in_all = samples[-1].count - answered
    first, last = (reached(samples, answered + in_all * part) for part in (0.1, 0.9))
    seconds, done = last.at - first.at, count * 0.8
    return {
        "events_per_second": round(done / seconds),
        "cpu_seconds_per_100k": round((last.cpu - first.cpu) / done * 1e5, 3),
        "start_seconds": round(start, 2),
        "answers": answers,
        "threads": threads,
        "peak_mib": peak,
        "other_cpu_percent": round(((last.all_cpu - first.all_cpu) - (last.cpu - first.cpu)) / seconds * 100),
    }


def reached(samples: list[Sample], count: float) -> Sample:
    """Interpolated to the moment at which so much was done."""
    for before, after in pairwise(samples):
        if before.count <= count <= after.count and after.count > before.count:
            part = (count - before.count) / (after.count - before.count)
            return Sample(
                before.at + part * (after.at - before.at),
                round(count),
                before.cpu + part * (after.cpu - before.cpu),
                before.all_cpu + part * (after.all_cpu - before.all_cpu),
            )
    raise RuntimeError("too few samples: take more events")
