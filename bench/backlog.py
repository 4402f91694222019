"""Throughput: a worker finds a backlog and works it off."""

import time
from typing import Any

from bench.kafka import Load, Progress, Sample, topics, write
from bench.process import Process, cpu_seconds, machine_cpu_seconds, must_run, peak_mebibytes, stopped, worker

PATIENCE = 90.0
"""Seconds without progress after which a worker is given up."""


def throughput(module: str, brokers: str, load: Load, count: int, partitions: int = 4) -> dict[str, Any]:
    """Events/s between the first tenth and the ninth of a backlog of `count` events.

    The backlog is written while the worker stands still, after it has applied what comes before.
    """
    with topics(brokers, load, partitions) as job:
        ahead, backlog = list(load.before()), list(load.events(count))
        progress = Progress(job, load)
        with worker(module, job) as process:
            before = write(job, ahead)
            _samples(progress, process, before)
            with stopped(process):
                write(job, backlog)
            samples = _samples(progress, process, before + count)
            peak = peak_mebibytes(process.pid)
    first, last = _at(samples, before + count * 0.1), _at(samples, before + count * 0.9)
    seconds, done = last.at - first.at, count * 0.8
    return {
        "events_per_second": round(done / seconds),
        "cpu_seconds_per_100k": round((last.cpu - first.cpu) / done * 1e5, 3),
        "peak_mib": peak,
        "other_cpu_percent": round(((last.all_cpu - first.all_cpu) - (last.cpu - first.cpu)) / seconds * 100),
    }


def _samples(progress: Progress, process: Process, until: int) -> list[Sample]:
    samples: list[Sample] = []
    moved = time.monotonic()
    while not samples or samples[-1].count < until:
        must_run(process)
        done = progress.done()  # first: a busy broker takes its time
        sample = Sample(time.perf_counter(), done, cpu_seconds(process.pid), machine_cpu_seconds())
        if not samples or sample.count != samples[-1].count:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE:
            raise TimeoutError(f"stalled at {sample.count} of {until}")
        samples.append(sample)
        time.sleep(0.02)
    return samples


def _at(samples: list[Sample], count: float) -> Sample:
    """Interpolated to the moment at which `count` events were done."""
    for before, after in zip(samples, samples[1:], strict=False):
        if before.count <= count <= after.count and after.count > before.count:
            part = (count - before.count) / (after.count - before.count)
            return Sample(
                before.at + part * (after.at - before.at),
                round(count),
                before.cpu + part * (after.cpu - before.cpu),
                before.all_cpu + part * (after.all_cpu - before.all_cpu),
            )
    raise RuntimeError("too few samples: take more events")
