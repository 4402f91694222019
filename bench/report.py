"""The figures against their targets, and on what they were measured."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, NamedTuple

import confluent_kafka
from rich.console import Console
from rich.table import Table

from streams.kafka.install import KAFKA_VERSION

LIBRARIES = ("faust-streaming", "aiokafka", "confluent-kafka", "quixstreams", "uvloop", "pydantic", "msgspec")


class Verdict(NamedTuple):
    what: str
    figure: str
    target: str
    met: bool


def environment() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "kafka": KAFKA_VERSION,
        "python": platform.python_version(),
        "librdkafka": confluent_kafka.libversion()[0],
        **{name: version(name) for name in LIBRARIES},
    }


def verdicts(measured: dict[str, Any]) -> Iterator[Verdict]:
    if "a" in measured:
        for other, target in (("bare loop", 0.9), ("Quix Streams", 3.0), ("Faust", 9.0)):
            yield _ratio(f"a. lane / {other}", measured["a"]["lane_against"][other]["median"], target)
    if "b" in measured:
        yield _ratio(
            "b. assign on the lane / bare loop", measured["b"]["lane_against"]["bare loop"]["median"], 0.9
        )
        lane, bare = (measured["b"]["latency"][label] for label in ("lane", "bare loop"))
        yield _at_most("b. median latency, ms", lane["p50_ms"]["median"], 10)
        yield _at_most("b. p99 latency, ms (the bare loop's)", lane["p99_ms"]["median"], bare["p99_ms"]["median"])
    if "c" in measured:
        most = measured["c"]["open callbacks"][max(measured["c"]["open callbacks"])]
        yield _at_most("c. peak memory, MiB", most["peak_mib"], 2000)
        yield _at_most("c. recovered in seconds", most["recovered_seconds"], 60)
    if "d" in measured:
        for server, contest in measured["d"]["servers"].items():
            against = contest["deliver_against"]["bare pool"]["median"]
            yield _ratio(f"d. deliver / bare pool, {server}", against, 0.9)
        yield _at_most("d. p99 of urgent mails, ms", measured["d"]["urgent"]["p99_ms"]["median"], 1000)
        yield _at_most("d. lost or doubled", measured["d"]["away"]["lost"] + measured["d"]["away"]["doubled"], 0)
    if "e" in measured:
        for kind, contest in measured["e"].items():
            for label, against in contest["against"].items():
                yield _ratio(f"e. {kind}: {label} / bare client", against["median"], 0.8)


def show(measured: dict[str, Any], console: Console) -> None:
    table = Table("what", "measured", "target", "", title="Targets")
    for verdict in verdicts(measured):
        table.add_row(verdict.what, verdict.figure, verdict.target, "met" if verdict.met else "missed")
    console.print(table)


def _ratio(what: str, figure: float, target: float) -> Verdict:
    return Verdict(what, f"{figure:.2f}", f"at least {target:g}", figure >= target)


def _at_most(what: str, figure: float, target: float) -> Verdict:
    return Verdict(what, f"{figure:g}", f"at most {target:g}", figure <= target)
