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
from bench.kafka import Made, topics
from bench.loads.mails import Clinics
from bench.narrator import Narrator
from bench.process import worker
from bench.providers import Providers, providers
from bench.scale import Scale
from bench.taking import delivered, rate, until_taken
from bench.workers.http_client import KINDS
from schemas.reasons import ChannelName

ROLE, CLIENT = "bench.workers.role", "bench.workers.http_client"
CHANNEL, BARE, DELIVER = "channel", "bare client", "deliver"
COUNTS = {"at once": 5_000, "after 100 ms": 3_000}
SECONDS = {"at once": 0.0, "after 100 ms": 0.1}
"""How many seconds the providers take to answer."""
CONNECTIONS = 20
COMPANIES = 50
CREATED = "appointment.created"
BY_SMS = "SMS"
"""The one that `deliver` is measured with: the others differ from it in the request alone."""

Run = Callable[[], dict[str, Any]]


def steps(scale: Scale) -> int:
    return scale.rounds * (2 * len(KINDS) + 1 + 3)


def measure(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    """By what is sent, and how soon it is answered: `throughput` of each contestant, and what they make `against`
    the bare client."""
    found = {}
    for kind, answered in [*((kind, "at once") for kind in KINDS), (BY_SMS, "after 100 ms")]:
        count, name = scale.of(COUNTS[answered]), f"{kind}, answered {answered}"
        runs = _runs(kind, count, SECONDS[answered], brokers)
        found[name] = _contest(name, runs, scale.rounds, narrator)
    return found


def _runs(kind: str, count: int, seconds: float, brokers: str) -> dict[str, Run]:
    runs: dict[str, Run] = {
        CHANNEL: lambda: _client("channel", kind, count, seconds),
        BARE: lambda: _client("bare", kind, count, seconds),
    }
    if kind != BY_SMS:
        return runs
    sms = Clinics((), COMPANIES, channel=ChannelName.SMS).attempts(count, CREATED, "fast.example")
    return runs | {DELIVER: lambda: _deliver(brokers, sms, seconds)}


def _contest(name: str, contestants: dict[str, Run], rounds: int, narrator: Narrator) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {label: [] for label in contestants}
    for _ in range(rounds):
        for label, run in contestants.items():
            with narrator.step(f"{name}: {label}") as say:
                load = os.getloadavg()[0]
                runs[label].append(run() | {"load_before": round(load, 1)})
                found = runs[label][-1]
                say(f"{found['events_per_second']:,} messages/s, {found['cpu_ms_per_mail']} ms of CPU each")
    return {
        "throughput": {label: {"runs": each, **summary(each)} for label, each in runs.items()},
        "against": {label: ratio(each, runs[BARE]) for label, each in runs.items() if label != BARE},
    }


def _client(way: str, kind: str, count: int, seconds: float) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="staffetta-bench-") as folder,
        providers(Path(folder), seconds) as server,
    ):
        job = Job("", "", 0, folder, connections=CONNECTIONS, settings=server.settings)
        with worker(CLIENT, job, way, kind, str(count), str(server.push_port)) as process:
            samples = until_taken(server, count, process)
            return rate(samples, count, process, server) | {"answers": server.taken}


def _deliver(brokers: str, attempts: list[Made], seconds: float) -> dict[str, Any]:
    load = Clinics(("booking.directory", "delivery.sms"), COMPANIES, channel=ChannelName.SMS)
    with _stage(brokers, load, seconds) as (job, server):
        return delivered(job, load, attempts, server)


@contextmanager
def _stage(brokers: str, load: Clinics, seconds: float) -> Iterator[tuple[Job, Providers]]:
    with topics(brokers, load, 4) as job, providers(Path(job.folder), seconds) as server:
        yield replace(job, connections=CONNECTIONS, settings=server.settings), server
