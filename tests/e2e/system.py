"""A whole system of its own: topics, a database, a mail server, other providers if wanted, and workers on them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.event_types import DIRECTORY
from sinks.database.engine import create_engine
from sinks.database.schema import upgrade
from streams.app import ROLES, role_topics
from streams.audit import Log, examine, read_settled, recorded
from streams.audit.reading import lag, read
from streams.settings import Settings
from streams.topics import topic_admin, wanted_topics
from tests.e2e.mailbox import MailBox
from tests.e2e.providers import Providers, providers
from tests.e2e.workers import Worker
from tests.support import booking
from tests.support.kafka import PARTITIONS, KafkaSpace

SETTLE_SECONDS = 120.0


def _delivered(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        raise KafkaException(error)


class System:
    """`settings`: in lower case and without the prefix, as the attributes of `Settings`. Without `providers` there
    is nothing but mail."""

    def __init__(
        self, bootstrap: str, folder: Path, box: MailBox, providers: Providers | None = None, **settings: object
    ) -> None:
        self.box = box
        self._providers = providers
        self.folder = folder
        values = {
            "brokers": bootstrap,
            "topic_prefix": f"e2e-{uuid4().hex[:8]}.",
            "partitions": PARTITIONS,
            "data_dir": folder / "data",
            "database_url": f"sqlite:///{folder / 'staffetta.db'}",
            "smtp_url": box.url,
            "smtp_from": "Staffetta <post@staffetta.example>",
            "recipient_hash_key": "a key for tests",
            "session_timeout_seconds": 3,
            "provider_timeout_seconds": 3,
            "unconfirmed_grace_seconds": 1,
            "retry_schedule_seconds": "1,1",
            "breaker_seconds": 1,
            "web_port": 0,
            "log_format": "json",
            **(providers.settings if providers is not None else {}),
            **settings,
        }
        given = {f"STAFFETTA_{name.upper()}": str(value) for name, value in values.items()}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("STAFFETTA_")}
        self.environment |= given
        self.settings = Settings(**values)  # type: ignore[arg-type]
        self.kafka = KafkaSpace(bootstrap, self.settings.topic_prefix)
        self.database = create_engine(self.settings.database_url)
        self.workers: list[Worker] = []
        if providers is not None:
            providers.front.ports = self._webhook_ports
        self._producer: Producer | None = None

    # --- what a user does first ---

    def prepare(self) -> None:
        """`topics apply` and `db upgrade`, without processes of their own."""
        topic_admin(self.settings).apply(wanted_topics(ROLES, self.settings.delay_ladder_seconds))
        upgrade(self.database, lambda step: None)

    def staffetta(self, *arguments: str, **settings: object) -> "subprocess.CompletedProcess[str]":
        """The program, run to its end; `settings` replace those of the system."""
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self.environment | {f"STAFFETTA_{name.upper()}": str(value) for name, value in settings.items()},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str, **settings: object) -> Worker:
        """A worker; `settings` replace those of the system. It is ended with the system."""
        changed = {f"STAFFETTA_{name.upper()}": str(value) for name, value in settings.items()}
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = Worker(self.environment | changed, log, *arguments)
        self.workers.append(worker)
        return worker

    def ready(self, *arguments: str, **settings: object) -> Worker:
        worker = self.start(*arguments, **settings)
        worker.wait_until_ready()
        return worker

    def end(self) -> None:
        for worker in self.workers:
            worker.leave()
        for worker in self.workers:
            try:
                worker.ended(30)
            finally:
                worker.kill()
        self.database.dispose()
        self.kafka.delete_all()

    # --- the booking system's side ---

    def send(self, *messages: booking.Message) -> None:
        """Write them in their order, and wait until the broker has them; as `produce` does, also where others
        follow the directory that they rest on."""
        for _, group in groupby(messages, key=lambda message: message.topic == DIRECTORY):
            for message in group:
                self.produce(message.topic, message.key, message.value)
            self.flush()

    def produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        on_delivery: Callable[[KafkaError | None, Message], None] = _delivered,
        **options: Any,
    ) -> None:
        if self._producer is None:
            self._producer = Producer(
                {
                    "bootstrap.servers": self.kafka.bootstrap,
                    "partitioner": "murmur2_random",
                    "enable.idempotence": True,
                    "linger.ms": 2,
                    "message.max.bytes": 2_000_000,
                    "log_level": 0,
                }
            )
        headers = options.pop("headers", [("content-type", b"application/cloudevents+json; charset=UTF-8")])
        name = self.settings.topic_prefix + topic
        self._producer.produce(name, value, key, headers=headers, on_delivery=on_delivery, **options)
        self._producer.poll(0)

    def flush(self) -> None:
        if self._producer is not None:
            assert self._producer.flush(60) == 0, "not everything was written"

    # --- looking ---

    @property
    def providers(self) -> Providers:
        assert self._providers is not None, "this system has no providers but mail"
        return self._providers

    def _webhook_ports(self) -> list[int]:
        """Of the workers that live and listen; those without `deliver` have no webhooks."""
        return [port for worker in self.workers if worker.has_webhooks and (port := worker.port) is not None]

    def read(self, *topics: str) -> Log:
        return read(self.settings, topics)

    def events(self, topic: str) -> list[dict[str, Any]]:
        """Everything in a topic of ours."""
        return [entry.event for entry in self.read(topic).get(topic, ())]

    def lag(self, roles: Iterable[str] = ROLES) -> int:
        return sum(lag(self.settings, role, role_topics(self.settings)[role]) for role in roles)

    def settled(self) -> Log:
        return read_settled(self.settings, role_topics(self.settings), SETTLE_SECONDS)

    def check(self) -> Log:
        """Wait until all is settled; then every guarantee must hold, and the database have it all. Returns what is
        in the topics."""
        if self._providers is not None:
            self._providers.settled()
        began = time.monotonic()
        log, partitions = self.settled(), self.settings.partitions
        behind = {role: self.lag([role]) for role in ROLES} if time.monotonic() - began > SETTLE_SECONDS else None
        messages = self._providers.messages if self._providers is not None else ()
        findings = examine(log, partitions, self.box.accepted, messages)
        findings += recorded.check(self.database, log, partitions)
        said = "\n".join(f"{finding.kind}: {finding.what}" for finding in findings[:20])
        settled = "all was settled" if behind is None else f"not settled in {SETTLE_SECONDS:.0f} s, lag {behind}"
        assert not findings, f"{len(findings)} findings; {settled}\n{said}"
        return log


@contextmanager
def system(
    bootstrap: str,
    folder: Path,
    *,
    prepared: bool = True,
    with_providers: bool = False,
    mail_password: str | None = None,
    **settings: object,
) -> Iterator[System]:
    """With its topics and tables, unless it is not to be `prepared`, a mail server of its own, and the simulated
    providers of the other channels `with_providers`."""
    with ExitStack() as stack:
        box = stack.enter_context(MailBox(mail_password))
        others = stack.enter_context(providers()) if with_providers else None
        made = System(bootstrap, folder, box, others, **settings)
        try:
            if prepared:
                made.prepare()
            yield made
        finally:
            made.end()
