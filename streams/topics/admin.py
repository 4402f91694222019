"""Looking at a cluster's topics, mending them, and refusing to work with wrong ones."""

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from streams.errors import UserError
from streams.settings import Settings
from streams.topics.planning import Plan, Topic, WrongConfig, WrongCount, plan
from streams.topics.specs import TopicSpec

_TIMEOUT_SECONDS = 5.0


class UnreachableError(UserError):
    """No broker answered. A worker waits and tries again; a command gives up."""


class TopicAdmin:
    """The topics of one prefix on one cluster. Blocking; every method may raise UserError."""

    def __init__(self, client: Mapping[str, str], prefix: str, partitions: int, replication_factor: int = -1):
        """`client`: librdkafka's connection properties. A replication factor of -1 leaves it to the brokers."""
        self._client = client
        self._prefix = prefix
        self._partitions = partitions
        self._replication_factor = replication_factor
        self._last_error = ""
        # What librdkafka would print about a lost connection is said once, by UnreachableError.
        self._admin = AdminClient({**client, "log_level": 0, "error_cb": self._remember})

    def partition_counts(self) -> dict[str, int]:
        """Every topic of the prefix, by its name without it."""
        try:
            topics = self._admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        except KafkaException as error:
            raise self._explained(error) from error
        return {
            name.removeprefix(self._prefix): len(topic.partitions)
            for name, topic in topics.items()
            if name.startswith(self._prefix)
        }

    def cluster_id(self) -> str:
        """Which cluster this is: offsets mean nothing in another one."""
        try:
            return str(self._admin.list_topics(timeout=_TIMEOUT_SECONDS).cluster_id)
        except KafkaException as error:
            raise self._explained(error) from error

    def plan(self, wanted: Collection[TopicSpec]) -> Plan:
        """What `apply` would do."""
        counts = self.partition_counts()
        names = [spec.name for spec in wanted if spec.name in counts]
        configs = self._configs(names) if names else {}
        existing = {name: Topic(counts[name], configs[name]) for name in names}
        return plan(existing, wanted, self._partitions)

    def apply(self, wanted: Collection[TopicSpec]) -> Plan:
        """Create what is missing and set what differs; returns what was done.

        Changes nothing and raises if any topic has another number of partitions.
        """
        found = self.plan(wanted)
        if found.wrong_count:
            raise self._wrong_count(found.wrong_count)
        self._create(found.missing)
        self._configure(found.wrong_config)
        return found

    def check(self, names: Iterable[str]) -> None:
        """Refuse to work with topics that are missing or have another number of partitions."""
        counts = self.partition_counts()
        wanted = tuple(names)
        for name in wanted:
            if name not in counts:
                raise UserError(f"there is no topic {self._prefix}{name}: run `staffetta topics apply`")
        wrong = [WrongCount(name, counts[name]) for name in wanted if counts[name] != self._partitions]
        if wrong:
            raise self._wrong_count(wrong)

    def _wrong_count(self, wrong: Iterable[WrongCount]) -> UserError:
        named = ", ".join(f"{self._prefix}{name} ({has})" for name, has in wrong)
        return UserError(
            f"STAFFETTA_PARTITIONS is {self._partitions}, but these topics have another number of partitions, "
            f"which cannot be changed: {named}. Correct the setting, or use another STAFFETTA_TOPIC_PREFIX"
        )

    def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = {ConfigResource(ResourceType.TOPIC, self._prefix + name): name for name in names}
        described = self._admin.describe_configs(list(resources), request_timeout=_TIMEOUT_SECONDS)
        return {
            resources[resource]: {key: entry.value for key, entry in self._wait(future).items()}
            for resource, future in described.items()
        }

    def _create(self, missing: Collection[TopicSpec]) -> None:
        new = [
            NewTopic(
                self._prefix + spec.name,
                num_partitions=self._partitions,
                replication_factor=self._replication_factor,
                config=dict(spec.config),
            )
            for spec in missing
        ]
        if new:
            for future in self._admin.create_topics(new, operation_timeout=_TIMEOUT_SECONDS).values():
                self._wait(future)
            self._wait_until_known({spec.name for spec in missing})

    def _wait_until_known(self, names: set[str]) -> None:
        """A broker answers before all brokers know of a new topic; a worker that starts now must find it."""
        end = time.monotonic() + _TIMEOUT_SECONDS
        while unknown := names - self.partition_counts().keys():
            if time.monotonic() > end:
                raise UserError(f"the brokers do not know their new topics yet: {', '.join(sorted(unknown))}")
            time.sleep(0.05)

    def _configure(self, changes: Iterable[WrongConfig]) -> None:
        by_topic: dict[str, list[ConfigEntry]] = {}
        for change in changes:
            entry = ConfigEntry(change.key, change.wanted, incremental_operation=AlterConfigOpType.SET)
            by_topic.setdefault(change.name, []).append(entry)
        resources = [
            ConfigResource(ResourceType.TOPIC, self._prefix + name, incremental_configs=entries)
            for name, entries in by_topic.items()
        ]
        if resources:
            for future in self._admin.incremental_alter_configs(resources).values():
                self._wait(future)

    def _wait(self, future: Future[Any]) -> Any:
        try:
            return future.result()
        except KafkaException as error:
            raise self._explained(error) from error

    def _remember(self, error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:
            # "ADDRESS/ROLE: what happened (after 0ms in state ...)"
            self._last_error = error.str().partition(": ")[2].partition(" (after")[0]

    def _explained(self, error: KafkaException) -> UserError:
        cause: KafkaError = error.args[0]
        if cause.code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT):
            if cause.code() == KafkaError.INVALID_REPLICATION_FACTOR:
                refused = f"Kafka refused STAFFETTA_REPLICATION_FACTOR={self._replication_factor}: {cause.str()}"
                return UserError(f"{refused} Set it to at most the number of brokers, or start more of them")
            return UserError(f"Kafka refused: {cause.str()}")
        self._admin.poll(0)  # lets `_remember` hear why
        return UnreachableError(
            f"no broker answers at {self._client['bootstrap.servers']} ({self._last_error or cause.str()}): "
            "set STAFFETTA_BROKERS, or start one with `staffetta kafka`"
        )


def topic_admin(settings: Settings) -> TopicAdmin:
    return TopicAdmin(
        settings.kafka_client_config(), settings.topic_prefix, settings.partitions, settings.replication_factor
    )
