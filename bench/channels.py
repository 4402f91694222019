"""SMS, WhatsApp and push: each channel against a bare client, and `deliver` against both, into the simulator."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.contest import ratio, summary
from bench.job import Job
from bench.kafka import Made, Progress, count_answers, topics, write
from bench.loads.mails import Clinics
from bench.narrator import Narrator
from bench.process import stopped, worker
from bench.providers import Providers, providers
from bench.scale import Scale
from bench.taking import rate, until_taken
from bench.workers.http_client import KINDS
from schemas.reasons import ChannelName

ROLE, CLIENT = "bench.workers.role", "bench.workers.http_client"
CHANNEL, BARE, DELIVER = "channel", "bare client", "deliver"
COUNT = 5_000
CONNECTIONS = 20
COMPANIES = 50
CREATED = "appointment.created"
BY_SMS = "SMS"
"""The one that `deliver` is measured with: the others differ from it in the request alone."""

Run = Callable[[], dict[str, Any]]


def steps(scale: Scale) -> int:
    return scale.rounds * (2 * len(KINDS) + 1)


def measure(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    """By kind: `throughput` of each contestant, and what they make `against` the bare client."""
    count = scale.of(COUNT)
    sms = Clinics((), COMPANIES, channel=ChannelName.SMS).attempts(count, CREATED, "fast.example")
    return {kind: _contest(kind, _runs(kind, count, brokers, sms), scale.rounds, narrator) for kind in KINDS}


def _runs(kind: str, count: int, brokers: str, sms: list[Made]) -> dict[str, Run]:
    runs: dict[str, Run] = {
        CHANNEL: lambda: _client("channel", kind, count),
        BARE: lambda: _client("bare", kind, count),
    }
    return runs | ({DELIVER: lambda: _deliver(brokers, sms)} if kind == BY_SMS else {})


def _contest(kind: str, contestants: dict[str, Run], rounds: int, narrator: Narrator) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {label: [] for label in contestants}
    for _ in range(rounds):
        for label, run in contestants.items():
            with narrator.step(f"{kind}, {label}") as say:
                load = os.getloadavg()[0]
                runs[label].append(run() | {"load_before": round(load, 1)})
                found = runs[label][-1]
                say(f"{found['events_per_second']:,} messages/s, {found['cpu_ms_per_mail']} ms of CPU each")
    return {
        "throughput": {label: {"runs": each, **summary(each)} for label, each in runs.items()},
        "against": {label: ratio(each, runs[BARE]) for label, each in runs.items() if label != BARE},
    }


def _client(way: str, kind: str, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="staffetta-bench-") as folder, providers(Path(folder)) as server:
        job = Job("", "", 0, folder, connections=CONNECTIONS, settings=server.settings)
        with worker(CLIENT, job, way, kind, str(count), str(server.push_port)) as process:
            samples = until_taken(server, count, process)
            return rate(samples, count, process, server) | {"answers": server.taken}


def _deliver(brokers: str, attempts: list[Made]) -> dict[str, Any]:
    load = Clinics(("booking.directory", "delivery.sms"), COMPANIES, channel=ChannelName.SMS)
    count = len(attempts)
    with _stage(brokers, load) as (job, server):
        progress, before = Progress(job, load), write(job, load.before())
        with worker(ROLE, job, "deliver") as process:
            progress.wait_for(before, process)
            with stopped(process):
                write(job, attempts)
            samples = until_taken(server, count, process)
            progress.wait_for(before + count, process)
            return rate(samples, count, process, server) | {"answers": count_answers(job, load)}


@contextmanager
def _stage(brokers: str, load: Clinics) -> Iterator[tuple[Job, Providers]]:
    with topics(brokers, load, 4) as job, providers(Path(job.folder)) as server:
        yield replace(job, connections=CONNECTIONS, settings=server.settings), server
