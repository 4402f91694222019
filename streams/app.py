"""The only wiring: settings in, one role on the lane out. The supervisor runs `python -m streams.app ROLE`."""

import gc

if __name__ == "__main__":
    gc.disable()  # while this is imported: looking for cycles takes a seventh of the start

import asyncio
import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import structlog
import uvloop

from schemas import CONTENT_TYPE_HEADER
from streams import metrics, topics
from streams.batch import Batch, Effects, Role
from streams.errors import UserError
from streams.faust_credentials import faust_credentials
from streams.lane.application import create_app, run
from streams.lane.lane import Lane
from streams.lane.plain import PlainWriter
from streams.lane.settings import LaneSettings
from streams.lane.store import DatabaseStore, KafkaStore, Store
from streams.logs import configure_logging
from streams.settings import Settings, load_settings
from streams.supervisor.child import Ready, give_up, serve, watch_parent

log = structlog.get_logger("staffetta")

MEBIBYTE = 1024 * 1024
IGNORED_EVERY = 60.0
"""Seconds within which an unknown event type is named in the log once."""
IGNORED_NAMED = 100
"""So many are, in that time: a type may be anything, and another in each record."""


@dataclass(frozen=True, slots=True)
class RoleKind:
    """A role before it is built. Its class is imported when it is asked for: a process has one role, and need not
    wait for the libraries of the others."""

    path: str
    build: Callable[[Any, Settings], Role]
    """(the class, settings)"""
    reads: Callable[[Any, Settings], tuple[str, ...]] = lambda role, given: role.topics
    """Its input topics."""

    @property
    def role(self) -> Any:
        module, _, name = self.path.partition(":")
        return getattr(importlib.import_module(module), name)


def _hash_key(settings: Settings) -> bytes:
    return (settings.recipient_hash_key or "").encode()


ROLES: dict[str, RoleKind] = {
    "assign": RoleKind("agents.assign:Assign", lambda role, given: role(given.partitions)),
    "notify": RoleKind(
        "agents.notify:Notify",
        lambda role, given: role(
            partitions=given.partitions,
            recipient_hash_key=_hash_key(given),
            retry_schedule_seconds=given.retry_schedule_seconds,
            smtp_from=given.smtp_from,
        ),
    ),
    "deliver": RoleKind("agents.deliver:Deliver", lambda role, given: role(given)),
    "retry": RoleKind(
        "agents.retry:Retry",
        lambda role, given: role(given.partitions, given.delay_ladder_seconds),
        lambda role, given: role.reads(given.delay_ladder_seconds),
    ),
    "record": RoleKind("agents.record:Recorder", lambda role, given: role(given.partitions)),
}


def role_topics(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Role -> its input topics."""
    return {name: kind.reads(kind.role, settings) for name, kind in ROLES.items()}


def create_lane(settings: Settings, name: str) -> Lane:
    """The role's lane, with everything around it but Faust."""
    kind = ROLES[name]
    role = kind.build(kind.role, settings)
    lane_settings = LaneSettings(
        brokers=",".join(settings.brokers),
        client={key: value for key, value in settings.kafka_client_config().items() if key != "bootstrap.servers"},
        group=f"{settings.topic_prefix}staffetta-{name}",
        topic_prefix=settings.topic_prefix,
        partitions=settings.partitions,
        data_dir=settings.data_dir,
        clock=settings.clock(),
        session_timeout=settings.session_timeout_seconds,
        # A revoked partition awaits what it has in flight. Heartbeats go on meanwhile.
        rebalance_timeout=max(30.0, 3 * settings.provider_timeout_seconds),
        let_go_timeout=settings.let_go_seconds,
        instance_id=settings.instance_id or "",
        buffer_bytes=settings.memory_budget_mb * MEBIBYTE,
    )
    observer = Observer(lane_settings)
    store = _store(settings, role, lane_settings)
    lane = Lane(role, lane_settings, store, observer.applied, observer.recovered)
    observer.watch(lane)
    return lane


def _store(settings: Settings, role: Role, lane_settings: LaneSettings) -> Store:
    if role.name != "record":
        return KafkaStore(lane_settings, role.tables, [CONTENT_TYPE_HEADER])
    from sinks.database import engine, schema, store

    database = engine.create_engine(settings.database_url)
    schema.require_schema(database)
    cluster = topics.cluster_id(settings)
    rows = store.RecordStore(database, role.topics, topic_prefix=settings.topic_prefix, cluster_id=cluster)
    return DatabaseStore(rows, PlainWriter(lane_settings, [CONTENT_TYPE_HEADER]))


class Observer:
    """What the lane did, into metrics and, where a person should know, the log."""

    def __init__(self, settings: LaneSettings) -> None:
        self._settings = settings
        self._named: set[tuple[str, str]] = set()
        self._named_since = -inf

    def applied(self, batch: Batch, effects: Effects, seconds: float) -> None:
        metrics.add(effects.counted)
        metrics.BATCH_RECORDS.observe(len(batch))
        metrics.BATCH_SECONDS.observe(seconds)
        for ignored in effects.ignored:
            self._name(*ignored)

    def watch(self, lane: Lane) -> None:
        metrics.PARTITIONS_OWNED.set_function(lambda: len(lane.partitions))
        metrics.QUEUE_RECORDS.set_function(lambda: sum(each.queue.count for each in lane.partitions.values()))

    def recovered(self, seconds: float) -> None:
        metrics.RECOVERIES.inc()
        metrics.LOAD_SECONDS.observe(seconds)

    def _name(self, topic: str, event_type: str) -> None:
        now = time.monotonic()
        if now - self._named_since >= IGNORED_EVERY:
            self._named.clear()
            self._named_since = now
        ignored = topic, event_type
        if ignored in self._named or len(self._named) > IGNORED_NAMED:
            return
        self._named.add(ignored)
        if len(self._named) > IGNORED_NAMED:
            log.warning("more event types are not known here than are named")
        else:
            log.warning("event type is not known here and is passed over", topic=topic, type=event_type)


async def _run(settings: Settings, lane: Lane) -> None:
    app = create_app(lane, broker_credentials=faust_credentials(settings))

    def ready() -> Ready:
        if lane.opened.is_set():
            return Ready(True, "running")
        return Ready(False, "recovering" if lane.prepared else "starting")

    server = await serve(ready)
    try:
        await run(app)
    finally:
        if server is not None:
            await server.cleanup()


def main(name: str) -> None:
    watch_parent()
    try:
        settings = load_settings([name])
        configure_logging(settings.log_level, settings.log_format, name)
        topics.check(settings, name)
        lane = create_lane(settings, name)
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # Faust's threads make loops of their own
        asyncio.run(_run(settings, lane))
    except UserError as error:
        give_up(error)


if __name__ == "__main__":
    gc.enable()
    main(sys.argv[1])
