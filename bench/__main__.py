"""`make bench`: how fast it is, against what, and how that grows. See docs/performance.md."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console

from bench import plots, report
from bench.narrator import Narrator
from bench.parts import PARTS
from bench.scale import FULL, QUICK
from streams.kafka import DevKafka

HEAP_MB = 2048
JAVA_OPTIONS = "-XX:NewSize=1g -XX:TieredStopAtLevel=4"
"""Against the broker's own, which are for development. With a small heap its garbage collector stops it for 20 ms
every 2 s: that would be everybody's p99. And here it lives long enough for its code to be optimised."""


def main() -> None:
    arguments = _arguments()
    os.environ["_JAVA_OPTIONS"] = JAVA_OPTIONS
    chosen = list(PARTS) if arguments.part == "all" else [arguments.part]
    scale = QUICK if arguments.quick else FULL
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    narrator = Narrator(sum(PARTS[name].steps(scale) for name in chosen))
    measured: dict[str, object] = {"when": datetime.now(UTC).isoformat(timespec="seconds"), **report.environment()}
    for name in chosen:
        narrator.title(PARTS[name].title)
        with DevKafka(heap_mb=HEAP_MB) as kafka:
            measured[name] = PARTS[name].measure(kafka.bootstrap, scale, narrator)
        (out / "results.json").write_bytes(
            orjson.dumps(measured, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
        )
    plots.draw(measured, out)
    report.show(measured, Console())
    Console().print(f"\nAll figures and the plots are in {out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=[*PARTS, "all"])
    parser.add_argument("--quick", action="store_true", help="a tenth of it, once: to see that it works")
    parser.add_argument("--out", type=Path, default=Path("var/bench"), help="folder for the JSON and the plots")
    return parser.parse_args()


if __name__ == "__main__":
    main()
