"""What a worker is told, in one environment variable."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import orjson

VARIABLE = "BENCH_JOB"


@dataclass(frozen=True, slots=True)
class Job:
    brokers: str
    group: str
    """Also the start of the names of all topics, with a dash after it."""
    partitions: int
    folder: str
    latency: bool = False
    """Events come one by one: react at once instead of collecting."""
    clock_origin: float = 0.0
    clock_started_at: float = 0.0
    """The business clock shows `clock_origin` at the real moment `clock_started_at`."""
    smtp_port: int = 0
    connections: int = 20
    """To the mail server or provider, at most."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further variables, by their full names."""

    @property
    def prefix(self) -> str:
        return f"{self.group}-"

    @property
    def events(self) -> str:
        return f"{self.group}-events"

    @property
    def decisions(self) -> str:
        return f"{self.group}-decisions"

    @property
    def changelog(self) -> str:
        return f"{self.group}-state-changelog"

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings, VARIABLE: orjson.dumps(asdict(self)).decode()}

    @classmethod
    def given(cls) -> "Job":
        return cls(**orjson.loads(os.environ[VARIABLE]))
