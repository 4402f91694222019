"""Mails: how many a second against a bare pool, how soon an urgent one goes, and how a server's absence ends."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.contest import ratio, summary
from bench.job import Job
from bench.kafka import PATIENCE, Made, Progress, producer, send, topics, write
from bench.loads.mails import Clinics
from bench.narrator import Narrator
from bench.process import worker
from bench.scale import Scale
from bench.sink import AT_ONCE, NAMED_DOMAIN, SLOW_DOMAIN, Pace, Sink, sink
from bench.taking import delivered, rate, until, until_taken
from bench.workers.smtp_pool import MAILS

ROLE, POOL = "bench.workers.role", "bench.workers.smtp_pool"
DELIVER, BARE, MESSAGE = "deliver", "bare pool", "EmailMessage"
CONTESTANTS = {DELIVER: ROLE, BARE: POOL, MESSAGE: POOL}
SERVERS = {"answered at once": AT_ONCE, "answered after 30 ms": Pace(0.03, 0.0), "20 ms away": Pace(0.0, 0.02)}
BACKLOG = 10_000
AWAY_BACKLOG = 5_000
AWAY_SECONDS = 60.0
HIGH_RATE = 10.0
"""Urgent mails a second."""
COMPANIES = 50
CREATED, CANCELLED = "appointment.created", "appointment.cancelled"


def steps(scale: Scale) -> int:
    return scale.rounds * (len(CONTESTANTS) * len(SERVERS) + 1) + 1


def measure(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    """`servers`: by how long the answer takes `throughput` and `deliver_against` the others; `urgent`; `away`."""
    return {
        "servers": {name: _contest(brokers, name, scale, narrator) for name in SERVERS},
        "urgent": _urgent_rounds(brokers, scale, narrator),
        "away": _absence(brokers, scale, narrator),
    }


def _contest(brokers: str, server: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {label: [] for label in CONTESTANTS}
    count, pace = scale.of(BACKLOG), SERVERS[server]
    mails = Clinics((), COMPANIES).attempts(count, CREATED, "fast.example")
    for _ in range(scale.rounds):
        for label in CONTESTANTS:
            with narrator.step(f"{label}: {count:,} mails, {server}") as say:
                load = os.getloadavg()[0]
                run = _deliver(brokers, mails, pace) if label == DELIVER else _pool(label, mails, pace)
                runs[label].append(run | {"load_before": round(load, 1)})
                say(f"{run['events_per_second']:,} mails/s, {run['cpu_ms_per_mail']} ms of CPU a mail")
    return {
        "throughput": {label: {"runs": each, **summary(each)} for label, each in runs.items()},
        "deliver_against": {label: ratio(runs[DELIVER], runs[label]) for label in (BARE, MESSAGE)},
    }


def _urgent_rounds(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    runs, crowd = [], _crowd()
    for _ in range(scale.rounds):
        with narrator.step(f"urgent mails beside {BACKLOG:,} slow ones of another company") as say:
            runs.append(_urgent(brokers, crowd, scale.seconds))
            say(f"p50 {runs[-1]['p50_ms']} ms, p99 {runs[-1]['p99_ms']} ms")
    return {"runs": runs, **summary(runs)}


def _absence(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    count, seconds = scale.of(AWAY_BACKLOG), max(5.0, AWAY_SECONDS * scale.size)
    with narrator.step(f"{count:,} mails, the server away for {seconds:.0f} s") as say:
        found = _away(brokers, count, seconds)
        ends = f"99 % accepted after {found['seconds_for_99_percent']} s, all after {found['seconds']} s"
        say(f"{ends}; lost {found['lost']}, doubled {found['doubled']}")
    return found


# -- throughput


def _deliver(brokers: str, mails: list[Made], pace: Pace) -> dict[str, Any]:
    load = Clinics(("booking.directory", "delivery.email"), COMPANIES)
    with _stage(brokers, load, pace) as (job, server):
        return delivered(job, load, mails, server)


def _pool(label: str, mails: list[Made], pace: Pace) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="staffetta-bench-") as folder,
        sink(Path(folder), pace) as server,
    ):
        job = Job("", "", 0, folder, smtp_port=server.port)
        (Path(folder) / MAILS).write_bytes(b"\n".join(made.value for made in mails))
        with worker(POOL, job, "ready" if label == BARE else "message") as process:
            samples = until_taken(server, len(mails), process)
            return rate(samples, len(mails), process, server) | {"answers": server.taken}


# -- urgent mails


def _crowd() -> list[Made]:
    """Another company's mails: half of them normal, half of them low; each takes long."""
    made = Clinics((), 1, first=COMPANIES).attempts(BACKLOG, CREATED, SLOW_DOMAIN)
    return [each._replace(topic=each.topic + ".low" * (at % 2)) for at, each in enumerate(made)]


def _urgent(brokers: str, crowd: list[Made], seconds: float) -> dict[str, Any]:
    """From making the event that cancels an appointment to the server's taking the mail, through `notify` and
    `deliver`, while another company's mails wait, and each of them takes long."""
    load = Clinics(("booking.directory",), COMPANIES)
    with _stage(brokers, load) as (job, server), ExitStack() as stack:
        write(job, load.before())
        notify, deliver = (stack.enter_context(worker(ROLE, job, name)) for name in ("notify", "deliver"))
        _cancel(job, load, 1, 1.0)
        until(lambda: len(server.named()) == 1, notify)
        write(job, crowd)
        until(lambda: server.taken > 1 + job.connections, deliver)
        made_at = _cancel(job, load, int(HIGH_RATE * seconds), HIGH_RATE)
        until(lambda: made_at.keys() <= server.named().keys(), deliver)
        named, left = server.named(), BACKLOG + 1 + len(made_at) - server.taken
    if left <= 0:
        raise RuntimeError("the backlog was worked off before the end: make it longer")
    took = sorted(named[address][0] - at for address, at in made_at.items())
    figures = {f"p{part}_ms": round(took[int(len(took) * part / 100)] * 1e3, 1) for part in (50, 90, 99)}
    return {**figures, "max_ms": round(took[-1] * 1e3, 1), "mails": len(took), "backlog_left": left}


def _cancel(job: Job, load: Clinics, count: int, rate: float) -> dict[str, float]:
    """Companies in turns cancel appointments at this rate. Address of who is told -> when the event was made."""
    to, made_at, started = producer(job, 0), dict[str, float](), time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        made = load.appointment(load.companies[number % len(load.companies)], CANCELLED, NAMED_DOMAIN)
        made_at[made.id] = time.time()
        send(to, job, made)
        to.poll(0)
    to.flush()
    return made_at


# -- the server away


def _away(brokers: str, count: int, seconds: float) -> dict[str, Any]:
    """With the default settings: three retries, a breaker that probes twice a minute, delay topics."""
    load = Clinics(("booking.directory",), COMPANIES)
    with _stage(brokers, load) as (job, server), ExitStack() as stack:
        before = write(job, load.before())
        backlog = load.attempts(count, CREATED, NAMED_DOMAIN)
        deliver, _ = (stack.enter_context(worker(ROLE, job, name)) for name in ("deliver", "retry"))
        Progress(job, load).wait_for(before, deliver)
        server.kill()
        write(job, backlog)
        time.sleep(seconds)
        server.start()
        curve, since = [(0.0, 0)], time.monotonic()

        def all_taken() -> bool:
            if server.taken > curve[-1][1]:
                curve.append((round(time.monotonic() - since, 2), server.taken))
            return len(server.named()) == count

        until(all_taken, deliver, patience=20 * PATIENCE)
        took = {address: len(times) for address, times in server.named().items()}
    return {
        "mails": count,
        "away_seconds": seconds,
        "seconds": curve[-1][0],
        "seconds_for_99_percent": next(at for at, taken in curve if taken >= 0.99 * count),
        "lost": count - len(took),
        "doubled": sum(times > 1 for times in took.values()),
        "curve": _thinned(curve),
    }


def _thinned(curve: list[tuple[float, int]], most: int = 200) -> list[tuple[float, int]]:
    return [*curve[:: max(1, len(curve) // most)], curve[-1]]


# -- common


@contextmanager
def _stage(brokers: str, load: Clinics, pace: Pace = AT_ONCE) -> Iterator[tuple[Job, Sink]]:
    with topics(brokers, load, 4) as job, sink(Path(job.folder), pace) as server:
        yield replace(job, smtp_port=server.port), server
