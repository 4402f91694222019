"""A worker that starts with rows on its changelog: how long until it answers, and what it needs in memory."""

import re
import time
from pathlib import Path
from typing import Any

from bench.alone import Alone
from bench.job import Job
from bench.kafka import Progress, producer, topics, write
from bench.loads.chain import Chain
from bench.process import peak_mebibytes, worker
from streams.topics import changelog


def recover(brokers: str, chain: Chain, alone: Alone) -> dict[str, Any]:
    """The worker is to find what `alone` has; then every company has one more event."""
    with topics(brokers, chain, len(alone.states)) as job:
        rows = _write_changelog(job, alone)
        progress = Progress(job, chain)
        events = write(job, (chain.request(company) for company in chain.companies))
        started = time.perf_counter()
        with worker("bench.workers.assign_lane", job) as process:
            samples = progress.wait_for(events, process)
            peak = peak_mebibytes(process.pid)
            recovered = _recovered_seconds(Path(job.folder) / "worker.log")
    first = next(sample for sample in samples if sample.count > 0)
    return {
        "rows": rows,
        "recovered_seconds": recovered,
        "first_answers_seconds": round(first.at - started, 2),
        "peak_mib": peak,
    }


def _write_changelog(job: Job, alone: Alone) -> int:
    """How many rows. None of positions: the inputs begin anew."""
    to, topic, rows = producer(job, 50), job.prefix + changelog("assign").name, 0
    for partition, key, row in alone.changelog():
        to.produce(topic, row, key, partition)
        rows += 1
    to.flush()
    return rows


def _recovered_seconds(log: Path) -> float:
    """As the lane says it: fenced and loaded."""
    found = re.search(r"recovered in ([\d.]+) s", log.read_text())
    if found is None:
        raise RuntimeError("the worker does not say how long it recovered")
    return float(found[1])
