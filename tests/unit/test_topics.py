"""The difference between wanted topics and those of a cluster."""

import pytest
from structlog.testing import capture_logs

from schemas.reasons import ChannelName
from streams.topics import (
    CONTRACT_TOPICS,
    Topic,
    TopicSpec,
    UnreachableError,
    WrongConfig,
    WrongCount,
    contract_topics,
    plan,
    wanted_topics,
)
from streams.topics.starting import patiently

SPEC = TopicSpec("things", {"retention.ms": "1000", "cleanup.policy": "delete"})


def test_nothing_to_do() -> None:
    """A topic that is as it should be gives an empty plan, whatever else is configured for it."""
    existing = {"things": Topic(12, {**SPEC.config, "flush.ms": "5"}), "somebody.elses": Topic(3, {})}
    assert not plan(existing, [SPEC], 12)


def test_missing() -> None:
    """A topic that is not there is to be created."""
    assert plan({}, [SPEC], 12).missing == (SPEC,)


@pytest.mark.parametrize("has", [1, 11, 13])
def test_wrong_count(has: int) -> None:
    """Fewer partitions are as wrong as more."""
    assert plan({"things": Topic(has, SPEC.config)}, [SPEC], 12).wrong_count == (WrongCount("things", has),)


def test_wrong_config() -> None:
    """Every key that differs is named with what it is and what it should be."""
    found = plan({"things": Topic(12, {"retention.ms": "7", "cleanup.policy": "delete"})}, [SPEC], 12)
    assert found.wrong_config == (WrongConfig("things", "retention.ms", "7", "1000"),)


def test_a_place_for_every_channel() -> None:
    """Each channel of the contract has its topic for each priority, whether it is set up or not."""
    names = {spec.name for spec in CONTRACT_TOPICS}
    assert {
        f"delivery.{channel}{priority}" for channel in ChannelName for priority in ("", ".high", ".low")
    } <= names


def test_changelogs() -> None:
    """Each role has a compacted changelog named after it."""
    specs = {spec.name: spec for spec in wanted_topics(["assign", "notify"], (1, 60))}
    names = specs.keys() - {spec.name for spec in CONTRACT_TOPICS}
    assert names == {
        "staffetta-assign-state-changelog",
        "staffetta-notify-state-changelog",
        "delivery.retry.1",
        "delivery.retry.60",
    }
    changelogs = {name for name in names if name.endswith("-changelog")}
    assert all(specs[name].config["cleanup.policy"] == "compact" for name in changelogs)


def test_delay_topics() -> None:
    """Each step of the ladder is a topic that keeps its records for 14 days."""
    found = contract_topics((1, 3600))[-2:]
    assert [spec.name for spec in found] == ["delivery.retry.1", "delivery.retry.3600"]
    assert {spec.config["retention.ms"] for spec in found} == {str(14 * 86_400_000)}


def test_brokers_that_are_away_are_asked_again() -> None:
    """Whatever a starting worker asks, it asks until a broker answers, and says each time that none does."""
    answers = [UnreachableError("no broker answers"), UnreachableError("no broker answers"), 7]

    def ask() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with capture_logs() as logs:
        assert patiently(ask) == 7
    assert [entry["event"] for entry in logs] == ["no broker answers; trying again"] * 2
