"""What is measured: (a) the lane alone, (b) the role `assign`, (c) how cost grows, (d) mails, (e) the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import channels, delivery, growth
from bench.backlog import throughput
from bench.contest import RATE, Contest, Entry, hold, steps, summary
from bench.idle import idle
from bench.loads.bookings import Bookings
from bench.loads.chain import Chain, Shape
from bench.narrator import Narrator
from bench.pace import latency
from bench.recovery import recover
from bench.scale import Scale

Measure = Callable[[str, Scale, Narrator], dict[str, Any]]
"""(bootstrap servers, scale, narrator) -> figures"""

STAFF = (5, 10, 20, 50, 100, 200, 500)
COMPANIES = (10, 100, 1_000, 10_000)
OPEN = (1_000, 10_000, 100_000, 1_000_000)
PARTITIONS = (4, 8, 16, 32)
DAY = 200_000
ASSIGN = "bench.workers.assign_lane"


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    steps: Callable[[Scale], int]
    measure: Measure


def lane_alone(scale: Scale) -> Contest:
    workers = {
        "lane": Entry("bench.workers.lane", scale.of(300_000)),
        "bare loop": Entry("bench.workers.bare", scale.of(300_000)),
        "Quix Streams": Entry("bench.workers.quix", scale.of(300_000)),
        "Faust": Entry("bench.workers.tuned_faust", scale.of(60_000)),
    }
    return Contest(Bookings, workers)


def assign_role(scale: Scale) -> Contest:
    workers = {
        "lane": Entry(ASSIGN, scale.of(DAY)),
        "bare loop": Entry("bench.workers.assign_bare", scale.of(DAY)),
    }
    return Contest(Chain, workers)


def _contest(of: Callable[[Scale], Contest]) -> tuple[Callable[[Scale], int], Measure]:
    def measure(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
        return hold(of(scale), brokers, scale.rounds, scale.seconds, narrator)

    return lambda scale: scale.rounds * steps(of(scale)), measure


def measure_growth(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    return {
        "staff per branch": _curve(growth.staff, STAFF, scale, narrator),
        "companies": _curve(growth.companies, tuple(map(scale.of, COMPANIES)), scale, narrator),
        "open callbacks": _open(brokers, tuple(map(scale.of, OPEN)), scale, narrator),
        "partitions": _partitions(brokers, scale, narrator),
        "one company": _one_company(brokers, scale, narrator),
    }


def _curve(
    of: Callable[[int], tuple[Shape, int]], numbers: tuple[int, ...], scale: Scale, narrator: Narrator
) -> dict[int, Any]:
    found = {}
    for number in numbers:
        with narrator.step(f"{of.__name__}: {number:,}") as say:
            chain, alone = growth.build(*of(number))
            found[number] = growth.cost(chain, alone, scale.of(10_000))
            say(f"{found[number]['median']} microseconds of CPU an event")
    return found


def _open(brokers: str, numbers: tuple[int, ...], scale: Scale, narrator: Narrator) -> dict[int, Any]:
    found = {}
    for number in numbers:
        with narrator.step(f"open callbacks: {number:,}") as say:
            chain, alone = growth.build(*growth.open_callbacks(number), partitions=4)
            found[number] = growth.cost(chain, alone, scale.of(10_000)) | recover(brokers, chain, alone)
            say(
                f"{found[number]['median']} microseconds of CPU an event; "
                f"recovered in {found[number]['recovered_seconds']} s, peak {found[number]['peak_mib']} MiB"
            )
    return found


def _partitions(brokers: str, scale: Scale, narrator: Narrator) -> dict[int, Any]:
    runs: dict[int, list[dict[str, Any]]] = {number: [] for number in PARTITIONS}
    for _ in range(scale.rounds):
        for number in PARTITIONS:
            with narrator.step(f"partitions: {number}") as say:
                still = idle(ASSIGN, brokers, Chain(), number)
                backlog = throughput(ASSIGN, brokers, Chain(), scale.of(60_000), number)
                pace = latency(ASSIGN, brokers, Chain(), RATE, scale.seconds / 2, number)
                runs[number].append({**pace, **backlog, **still})
                say(f"{backlog['events_per_second']:,} events/s; p50 {pace['p50_ms']} ms, p99 {pace['p99_ms']} ms")
    return {number: {"runs": each, **summary(each)} for number, each in runs.items()}


def _one_company(brokers: str, scale: Scale, narrator: Narrator) -> dict[str, Any]:
    runs = []
    for _ in range(scale.rounds):
        with narrator.step("one company alone") as say:
            runs.append(throughput(ASSIGN, brokers, Chain(Shape(companies=1)), scale.of(60_000)))
            say(f"{runs[-1]['events_per_second']:,} events/s")
    return {"runs": runs, **summary(runs)}


def _growth_steps(scale: Scale) -> int:
    return len(STAFF) + len(COMPANIES) + len(OPEN) + scale.rounds * (len(PARTITIONS) + 1)


PARTS: dict[str, Part] = {
    "a": Part("a. The lane alone", *_contest(lane_alone)),
    "b": Part("b. The role `assign`", *_contest(assign_role)),
    "c": Part("c. How cost grows", _growth_steps, measure_growth),
    "d": Part("d. Mails", delivery.steps, delivery.measure),
    "e": Part("e. SMS, WhatsApp and push", channels.steps, channels.measure),
}
