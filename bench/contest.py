"""Workers against each other on the same load, in turns: A B A B, so that what else the machine does hits all."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.backlog import throughput
from bench.kafka import Load
from bench.narrator import Narrator
from bench.pace import latency

RATE = 200.0
"""Events/s at which latency is measured."""


@dataclass(frozen=True, slots=True)
class Entry:
    module: str
    events: int
    """In the backlog: a slow worker gets fewer, so that all take some seconds."""
    paced: bool = True
    """Whether its latency is measured too."""


@dataclass(frozen=True, slots=True)
class Contest:
    load: Callable[[], Load]
    entries: Mapping[str, Entry]
    """The first is the lane, the second the yardstick."""
    partitions: int = 4


def steps(contest: Contest) -> int:
    """In one round."""
    return len(contest.entries) + sum(entry.paced for entry in contest.entries.values())


def hold(contest: Contest, brokers: str, rounds: int, seconds: float, narrator: Narrator) -> dict[str, Any]:
    """`rounds` of throughput and of `seconds` of latency: every run, and by entry their medians and extremes."""
    backlogs: dict[str, list[dict[str, Any]]] = {label: [] for label in contest.entries}
    paces: dict[str, list[dict[str, Any]]] = {label: [] for label, entry in contest.entries.items() if entry.paced}
    for _ in range(rounds):
        for label, entry in contest.entries.items():
            with narrator.step(f"{label}: a backlog of {entry.events:,}") as say:
                load = os.getloadavg()[0]
                run = throughput(entry.module, brokers, contest.load(), entry.events, contest.partitions)
                backlogs[label].append(run | {"load_before": round(load, 1)})
                say(f"{run['events_per_second']:,} events/s, {run['cpu_seconds_per_100k']} CPU-s per 100,000")
        for label in paces:
            with narrator.step(f"{label}: {RATE:.0f} events/s for {seconds:.0f} s") as say:
                run = latency(
                    contest.entries[label].module, brokers, contest.load(), RATE, seconds, contest.partitions
                )
                paces[label].append(run)
                say(f"p50 {run['p50_ms']} ms, p99 {run['p99_ms']} ms, {run['cpu_percent']} % CPU")
    lane, *others = contest.entries
    return {
        "throughput": {label: {"runs": runs, **summary(runs)} for label, runs in backlogs.items()},
        "latency": {label: {"runs": runs, **summary(runs)} for label, runs in paces.items()},
        "lane_against": {label: ratio(backlogs[lane], backlogs[label]) for label in others},
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Of each figure the median over the runs, and the extremes."""
    return {
        name: {
            "median": round(median(run[name] for run in runs), 3),
            "min": min(run[name] for run in runs),
            "max": max(run[name] for run in runs),
        }
        for name in runs[0]
    }


def ratio(lane: list[dict[str, Any]], other: list[dict[str, Any]]) -> dict[str, float]:
    """Lane / other, round by round: neighbours in time had the same company on the machine."""
    ratios = [
        mine["events_per_second"] / theirs["events_per_second"] for mine, theirs in zip(lane, other, strict=True)
    ]
    return {"median": round(median(ratios), 3), "min": round(min(ratios), 3), "max": round(max(ratios), 3)}
