"""Everything that can happen to processes, in random order and at random instants."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.app import ROLES, role_topics
from streams.kafka import DevKafka
from tests.e2e.system import System
from tests.e2e.workers import Worker
from tests.support.waiting import wait_until

PATIENCE_SECONDS = 120.0


class Progress:
    """What each role's group has committed, as seen from outside."""

    def __init__(self, system: System) -> None:
        settings = system.settings
        self._last = dict.fromkeys(ROLES, 0)
        self._outsiders = {
            role: Consumer(
                {
                    "bootstrap.servers": ",".join(settings.brokers),
                    "group.id": f"{settings.topic_prefix}staffetta-{role}",
                    "log_level": 0,
                }
            )
            for role in ROLES
        }
        self._places = {
            role: [
                TopicPartition(settings.topic_prefix + topic, number)
                for topic in topics
                for number in range(settings.partitions)
            ]
            for role, topics in role_topics(settings).items()
        }

    def of(self, role: str) -> int:
        """While the brokers are away: as it was."""
        with contextlib.suppress(KafkaException):
            found = self._outsiders[role].committed(self._places[role], timeout=5)
            self._last[role] = sum(max(0, place.offset) for place in found)
        return self._last[role]

    def close(self) -> None:
        for outsider in self._outsiders.values():
            outsider.close()


class RoleFaults:
    """Does things to the roles of two workers. A role is hurt only when it has moved since the last time."""

    busy = ROLES
    """Those that the load keeps busy: only they can be seen to move."""

    def __init__(self, system: System, rng: random.Random, broker: DevKafka | None = None) -> None:
        """`broker`: the system's own, if it may be hurt, too."""
        self.done: Counter[str] = Counter()
        self._system, self._rng, self._broker = system, rng, broker
        self._workers = [system.start(), system.start()]
        self._past: list[Worker] = []
        self._progress = Progress(system)
        self._hurt_at = dict.fromkeys(ROLES, 0)
        self._resuming: list[threading.Timer] = []

    @property
    def workers(self) -> list[Worker]:
        """All there ever were."""
        return [*self._past, *self._workers]

    def wait_until_ready(self) -> None:
        """Before the load begins: a reminder that is due soon is too late where its worker takes long to start."""
        for worker in self._workers:
            worker.wait_until_ready()

    def inject(self, faults: list[Callable[[], None]]) -> None:
        self._wait_until_moved(*self.busy)
        for fault in faults:
            time.sleep(self._rng.uniform(0.0, 1.0))  # an instant that nothing has chosen
            fault()

    def settle(self) -> None:
        """Nobody is paused any more, and every role moves."""
        for timer in self._resuming:
            timer.join()
        self._wait_until_moved(*self.busy)
        self._progress.close()

    def _wait_until_moved(self, *roles: str) -> None:
        for role in roles:
            moved = lambda role=role: self._progress.of(role) > self._hurt_at[role]  # noqa: E731
            try:
                wait_until(moved, f"progress of {role}", PATIENCE_SECONDS)
            except AssertionError as error:
                tails = "\n\n".join(worker.log[-4000:] for worker in self._workers)
                raise AssertionError(f"{error}; done so far: {dict(self.done)}; the logs end:\n{tails}") from None

    def _note(self, what: str, *roles: str) -> None:
        self.done[what] += 1
        for role in roles:
            self._hurt_at[role] = self._progress.of(role)

    def _killing(self, role: str) -> Callable[[], None]:
        def kill() -> None:
            self._wait_until_moved(role)
            self._rng.choice(self._workers).kill_role(role)
            self._note(f"SIGKILL {role}", role)

        return kill

    def _pausing(self, role: str) -> Callable[[], None]:
        """Longer than the session: others take over, then it wakes up and believes that nothing has happened."""

        def pause() -> None:
            self._wait_until_moved(role)
            pid = self._rng.choice(self._workers).pid(role)
            os.kill(pid, signal.SIGSTOP)
            seconds = self._system.settings.session_timeout_seconds * self._rng.uniform(1.3, 2.0)
            self._resuming.append(threading.Timer(seconds, _resume, [pid]))
            self._resuming[-1].start()
            self._note(f"SIGSTOP {role}", role)

        return pause

    def _stop_broker(self) -> None:
        assert self._broker is not None
        self._wait_until_moved(*self.busy)
        self._broker.stop()
        self._broker.start()
        self._note("broker stopped", *self.busy)

    def _kill_broker(self) -> None:
        assert self._broker is not None
        self._wait_until_moved(*self.busy)
        self._broker.kill()
        self._broker.start()
        self._note("broker killed", *self.busy)


def _resume(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # ended meanwhile, with its supervisor
        os.kill(pid, signal.SIGCONT)


class Faults(RoleFaults):
    """Does things to whole workers and their broker, too."""

    def plan(self, rounds: int) -> list[Callable[[], None]]:
        """Twenty faults a round."""
        kills = [self._killing(role) for role in (*ROLES, *ROLES)]
        pauses = [self._pausing(role) for role in ROLES]
        others = [self._stop_broker, self._kill_broker, self._kill_broker, self._kill_worker, self._let_worker_go]
        faults = [*kills, *pauses, *others] * rounds
        self._rng.shuffle(faults)
        return faults

    def _kill_worker(self) -> None:
        """The supervisor: its roles must end with it."""
        worker = self._leaving()
        worker.kill()
        self._note("SIGKILL worker", *ROLES)

    def _let_worker_go(self) -> None:
        worker = self._leaving()
        worker.leave()
        self._note("SIGTERM worker", *ROLES)

    def _leaving(self) -> Worker:
        """One of the workers; another one is started in its place."""
        self._wait_until_moved(*ROLES)
        worker = self._workers.pop(self._rng.randrange(len(self._workers)))
        self._past.append(worker)
        self._workers.append(self._system.start())
        return worker
