"""What a lane is set to. Times are seconds, sizes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams.clock import Clock, ScaledClock


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSettings:
    brokers: str
    group: str
    """Consumer group, Faust app id, and the start of transactional ids and changelog names."""
    data_dir: Path
    partitions: int
    topic_prefix: str = ""
    client: Mapping[str, str] = field(default_factory=dict)
    """librdkafka's connection and security properties, without bootstrap.servers."""
    clock: Clock = field(default_factory=ScaledClock)
    session_timeout: float = 10.0
    rebalance_timeout: float = 30.0
    let_go_timeout: float = 8.0
    """How long a revoked partition may take to finish what is in flight; then the process ends."""
    instance_id: str = ""
    max_batch: int = 5000
    buffer_bytes: int = 32 * 1024 * 1024
    """For records that are fetched and not yet applied, of all partitions together."""
    gather: float = 0.001
    """The least time between two transactions of one partition while few records wait."""
    gather_answers: float = 0.005
    """How long the first answer of a job waits for those of the others that were begun with it."""
    commit_interval: float = 1.0
    """How often positions of partitions at rest are committed to the group."""
    transaction_timeout: float = 15.0
    watchdog: float = 60.0
    """A batch or a recovery without progress for this long ends the process."""

    @property
    def kafka(self) -> dict[str, str]:
        """librdkafka's properties for any client."""
        return {"bootstrap.servers": self.brokers, "log_level": "3", **self.client}
