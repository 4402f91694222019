"""The figures as pictures, one file each."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.axes import Axes

COLOURS = {
    "lane": "#1f6feb",
    "bare loop": "#6e7781",
    "Quix Streams": "#bf8700",
    "Faust": "#cf222e",
    "deliver": "#1f6feb",
    "bare pool": "#6e7781",
    "EmailMessage": "#bf8700",
}
matplotlib.rcParams |= {
    "svg.hashsalt": "staffetta",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "font.size": 9,
}


def draw(measured: dict[str, Any], folder: Path) -> None:
    """Of what was measured: throughput.svg, latency.svg, growth.svg, partitions.svg, mails.svg, away.svg."""
    contests: dict[str, Any] = {part: measured[part] for part in ("a", "b") if part in measured}
    titles = {"a": "The lane alone", "b": "The role assign"}
    if contests:
        _save(_bars(contests, titles, "throughput", "events_per_second", "events/s"), folder / "throughput.svg")
        _save(_latencies(contests, titles), folder / "latency.svg")
    if "c" in measured:
        _save(_growth(measured["c"]), folder / "growth.svg")
        if "partitions" in measured["c"]:
            _save(_partitions(measured["c"]["partitions"]), folder / "partitions.svg")
    if "d" in measured:
        servers = measured["d"]["servers"]
        titles = {name: f"Mails {name}" for name in servers}
        _save(_bars(servers, titles, "throughput", "events_per_second", "mails/s"), folder / "mails.svg")
        _save(_away(measured["d"]["away"]), folder / "away.svg")


def _bars(contests: dict[str, Any], titles: dict[str, str], kind: str, figure: str, unit: str) -> Any:
    """Medians, with the span from the slowest round to the fastest."""
    sheet, axes = pyplot.subplots(1, len(contests), figsize=(4.2 * len(contests), 2.8), squeeze=False)
    for axis, (part, contest) in zip(axes[0], contests.items(), strict=True):
        for place, (label, runs) in enumerate(contest[kind].items()):
            found = runs[figure]
            axis.bar(place, found["median"], color=COLOURS[label])
            axis.vlines(place, found["min"], found["max"], color="black", linewidth=1)
        axis.set_xticks(range(len(contest[kind])), list(contest[kind]))
        axis.set_title(titles[part])
        axis.set_ylabel(unit)
    return sheet


def _latencies(contests: dict[str, Any], titles: dict[str, str]) -> Any:
    sheet, axes = pyplot.subplots(1, len(contests), figsize=(4.2 * len(contests), 2.8), squeeze=False)
    for axis, (part, contest) in zip(axes[0], contests.items(), strict=True):
        for label, runs in contest["latency"].items():
            figures = [runs[name] for name in ("p50_ms", "p90_ms", "p99_ms")]
            axis.plot(range(3), [found["median"] for found in figures], "o-", color=COLOURS[label], label=label)
            for place, found in enumerate(figures):
                axis.vlines(place, found["min"], found["max"], color=COLOURS[label], linewidth=1)
        axis.set_xticks(range(3), ["p50", "p90", "p99"])
        axis.set_yscale("log")
        axis.set_ylabel("ms, at 200 events/s")
        axis.set_title(titles[part])
        axis.legend(frameon=False)
    return sheet


def _away(away: dict[str, Any]) -> Any:
    """Mails that the server has taken, over the seconds since it is back."""
    sheet, axis = pyplot.subplots(figsize=(4.2, 2.8))
    seconds, taken = zip(*away["curve"], strict=True)
    axis.step(seconds, taken, where="post", color=COLOURS["deliver"])
    axis.set_xlabel(f"seconds after {away['away_seconds']:.0f} s of absence")
    axis.set_ylabel("mails accepted")
    axis.set_ylim(bottom=0)
    return sheet


def _growth(growth: dict[str, Any]) -> Any:
    """Microseconds of CPU per event, over what grows."""
    names = ("staff per branch", "companies", "open callbacks")
    sheet, axes = pyplot.subplots(1, 3, figsize=(8.4, 2.6), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        _curve(axis, growth[name], "#1f6feb")
        axis.set_xscale("log")
        axis.set_xlabel(name)
    axes[0].set_ylabel("microseconds of CPU an event")
    axes[0].set_ylim(bottom=0)
    return sheet


def _curve(axis: Axes, points: dict[Any, Any], colour: str) -> None:
    places = [int(place) for place in points]
    axis.plot(places, [point["median"] for point in points.values()], "o-", color=colour)
    axis.vlines(
        places,
        [point["min"] for point in points.values()],
        [point["max"] for point in points.values()],
        color=colour,
        linewidth=1,
    )


def _partitions(points: dict[Any, Any]) -> Any:
    names = {"events_per_second": "events/s", "p99_ms": "p99, ms", "peak_mib": "peak memory, MiB"}
    sheet, axes = pyplot.subplots(1, len(names), figsize=(8.4, 2.6))
    for axis, (name, label) in zip(axes, names.items(), strict=True):
        _curve(axis, {place: point[name] for place, point in points.items()}, "#1f6feb")
        axis.set_xscale("log", base=2)
        axis.set_xticks([int(place) for place in points], list(map(str, points)))
        axis.set_xlabel("partitions")
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
    return sheet


def _save(sheet: Any, file: Path) -> None:
    sheet.savefig(file, metadata={"Date": None})
    pyplot.close(sheet)
