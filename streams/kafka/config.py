"""server.properties of a broker for development: KRaft, broker and controller in one, loopback only."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Ports(NamedTuple):
    client: int
    controller: int


def server_properties(
    index: int, ports: Sequence[Ports], data_dir: Path, overrides: Mapping[str, str] | None = None
) -> str:
    """The configuration of broker `index` of a cluster of `len(ports)`; node ids count from 1."""
    mine = ports[index]
    replicas = min(3, len(ports))
    voters = ",".join(f"{node}@127.0.0.1:{each.controller}" for node, each in enumerate(ports, start=1))
    settings = {
        "process.roles": "broker,controller",
        "node.id": index + 1,
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://127.0.0.1:{mine.client},CONTROLLER://127.0.0.1:{mine.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{mine.client}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": data_dir / "data",
        "default.replication.factor": replicas,
        "min.insync.replicas": max(1, replicas - 1),
        "auto.create.topics.enable": "false",
        **_internal_topics(replicas),
        **_FAST,
        **_SMALL,
        **(overrides or {}),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _internal_topics(replicas: int) -> dict[str, object]:
    """Few partitions, since each costs files and start-up time."""
    return {
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": max(1, replicas - 1),
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": max(1, replicas - 1),
        "share.coordinator.state.topic.num.partitions": 1,
    }


_FAST: dict[str, object] = {
    "group.initial.rebalance.delay.ms": 0,
    # Tests of lost workers use sessions of a second or two.
    "group.min.session.timeout.ms": 1000,
    # A broker that was killed is let in again only when its old registration has run out.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
}

_SMALL: dict[str, object] = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
}
