"""The difference between the topics that are wanted and those that a cluster has."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from streams.topics.specs import TopicSpec


class Topic(NamedTuple):
    """A topic as a cluster has it."""

    partitions: int
    config: Mapping[str, str]


class WrongCount(NamedTuple):
    name: str
    has: int


class WrongConfig(NamedTuple):
    name: str
    key: str
    has: str | None
    wanted: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is between a cluster's topics and those that are wanted. Names are without prefix."""

    missing: tuple[TopicSpec, ...]
    wrong_count: tuple[WrongCount, ...]
    """Cannot be mended: keys would move to other partitions, away from their state and their order."""
    wrong_config: tuple[WrongConfig, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.wrong_count or self.wrong_config)


def plan(existing: Mapping[str, Topic], wanted: Iterable[TopicSpec], partitions: int) -> Plan:
    """Compare. `existing` is by name without prefix; topics that nobody wants are none of our business."""
    specs = tuple(wanted)
    present = [(spec, existing[spec.name]) for spec in specs if spec.name in existing]
    return Plan(
        missing=tuple(spec for spec in specs if spec.name not in existing),
        wrong_count=tuple(
            WrongCount(spec.name, topic.partitions) for spec, topic in present if topic.partitions != partitions
        ),
        wrong_config=tuple(each for spec, topic in present for each in _differences(spec, topic)),
    )


def _differences(spec: TopicSpec, topic: Topic) -> Iterator[WrongConfig]:
    for key, value in spec.config.items():
        has = topic.config.get(key)
        if has != value:
            yield WrongConfig(spec.name, key, has, value)
