"""Every topic, and how it is configured.

All topics have the same number of partitions, internal ones too, so that every role can join any of them
partition by partition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.event_types import RETRY_PREFIX, priority_topic
from schemas.reasons import ChannelName, Priority

_DAY_MS = 24 * 60 * 60 * 1000
_LARGEST = 4 * 1024 * 1024
_COMMON = {
    "message.timestamp.type": "CreateTime",
    # Brokers refuse records more than an hour ahead of their own clock. A clock that plays a day in a minute
    # (CLOCK_SPEED) runs further ahead than that.
    "message.timestamp.after.max.ms": str(2 * _DAY_MS),
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    name: str
    """Without the prefix."""
    config: Mapping[str, str]


def _kept(name: str, days: int, **config: str) -> TopicSpec:
    retention = {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}
    return TopicSpec(name, MappingProxyType({**_COMMON, **retention, **config}))


def _passed_on(name: str, days: int) -> TopicSpec:
    """For what comes from other topics and grows on its way: a request by what was tried, what could not be read
    by a third, in base64. It may have had 1 MB, the brokers' limit, before that."""
    return _kept(name, days, **{"max.message.bytes": str(_LARGEST)})


CONTRACT_TOPICS = (
    _kept("booking.directory", 90),
    _kept("booking.callbacks", 14),
    _kept("booking.appointments", 14),
    _kept("assignment.commands", 14),
    _kept("assignment.decisions", 90),
    _kept("assignment.journal", 90),
    _kept("notification.timers", 14),
    _kept("notification.requests", 14),
    *(_passed_on(priority_topic(channel, priority), 14) for channel in ChannelName for priority in Priority),
    _kept("delivery.receipts", 14),
    _kept("delivery.outcomes", 90),
    _passed_on("delivery.dead-letters", 30),
    _passed_on("intake.dead-letters", 30),
)
"""Those that no setting changes."""

# Compacted early: how long a worker takes to load its rows depends on how much is left uncompacted.
_CHANGELOG = MappingProxyType(
    {
        **_COMMON,
        "cleanup.policy": "compact",
        # For so long a worker that was stopped still hears which rows are gone, see `streams.lane.store`.
        "delete.retention.ms": str(_DAY_MS),
        "segment.bytes": str(64 * 1024 * 1024),
        "segment.ms": str(60 * 60 * 1000),
        "min.cleanable.dirty.ratio": "0.1",
        # A row may hold a whole record that has to wait, and a record may have 1 MB.
        "max.message.bytes": str(_LARGEST),
    }
)


def changelog(role: str) -> TopicSpec:
    """Of all the role's tables. Faust names it after its one table there, see `streams.lane.store`."""
    return TopicSpec(f"staffetta-{role}-state-changelog", _CHANGELOG)


def contract_topics(ladder_seconds: Iterable[int]) -> tuple[TopicSpec, ...]:
    """All public topics: the delay topics are as many as the ladder has steps."""
    return (*CONTRACT_TOPICS, *(_passed_on(f"{RETRY_PREFIX}{seconds}", 14) for seconds in ladder_seconds))


def wanted_topics(roles: Iterable[str], ladder_seconds: Iterable[int]) -> tuple[TopicSpec, ...]:
    """The contract's topics, and each role's changelog."""
    return (*contract_topics(ladder_seconds), *map(changelog, roles))
