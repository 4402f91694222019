"""What a worker is told, in one environment variable."""

import os
from dataclasses import asdict, dataclass

import orjson

VARIABLE = "STAFFETTA_BENCH_JOB"


@dataclass(frozen=True, slots=True)
class Job:
    brokers: str
    group: str
    """Also the start of all topic names: `<group>-events`, `<group>-decisions`, `<group>-load-changelog`."""
    partitions: int
    folder: str
    latency: bool = False
    """Events come one by one: react at once instead of collecting."""

    @property
    def events(self) -> str:
        return f"{self.group}-events"

    @property
    def decisions(self) -> str:
        return f"{self.group}-decisions"

    @property
    def changelog(self) -> str:
        return f"{self.group}-load-changelog"

    def environment(self) -> dict[str, str]:
        return {**os.environ, VARIABLE: orjson.dumps(asdict(self)).decode()}

    @classmethod
    def given(cls) -> "Job":
        return cls(**orjson.loads(os.environ[VARIABLE]))
