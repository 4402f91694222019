"""A Kafka cluster for development and tests: one broker process or several, on free loopback ports."""

import base64
import random
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.errors import UserError
from streams.kafka.broker import Broker
from streams.kafka.config import Ports, server_properties
from streams.kafka.install import find_java, kafka_jars

# Below the range from which systems take the ports of outgoing connections (Linux from 32768). A port of that
# range could be taken by a client that reconnects while the broker is down, even by connecting to itself.
_PORTS = range(20_000, 32_000)


class DevKafka:
    """A genuine Apache Kafka that lives as long as the `with` block, and no longer than this process.

    Brokers are addressed by index from 0. One that was stopped or killed starts again on the same port and
    the same data.
    """

    def __init__(
        self,
        brokers: int = 1,
        data_dir: Path | None = None,
        port: int | None = None,
        *,
        heap_mb: int = 512,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        """Without `data_dir` the data lives in a temporary folder and is removed at the end.

        `port` is the first broker's; the others, and all controllers, take free ones. `overrides` go into
        server.properties.
        """
        self._ports = _choose_ports(brokers, port)
        self._temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="staffetta-kafka-"))
        self._overrides = overrides
        remove = self.data_dir if self._temporary else None
        self._brokers = [
            Broker(index + 1, self.data_dir / f"broker-{index}", each.client, heap_mb=heap_mb, remove=remove)
            for index, each in enumerate(self._ports)
        ]

    @property
    def bootstrap(self) -> str:
        """For `bootstrap.servers`: every broker's address, comma-separated."""
        return ",".join(f"127.0.0.1:{each.client}" for each in self._ports)

    def pid(self, index: int = 0) -> int | None:
        return self._brokers[index].pid

    def __enter__(self) -> Self:
        try:
            self._prepare()
            for broker in self._brokers:
                broker.launch()
            for broker in self._brokers:
                broker.wait_until_ready()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise UserError(f"cannot keep Kafka's data in {self.data_dir}: {error.strerror}") from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop every broker; a temporary folder is removed (nobody needs its data: they are killed)."""
        with ThreadPoolExecutor(len(self._brokers)) as pool:
            list(pool.map(Broker.kill if self._temporary else Broker.stop, self._brokers))
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def start(self, index: int = 0) -> None:
        """Start a broker that was stopped or killed; returns when the cluster has it again."""
        self._brokers[index].launch()
        self._brokers[index].wait_until_ready()

    def stop(self, index: int = 0) -> None:
        """SIGTERM: the broker hands over what it leads and ends."""
        self._brokers[index].stop()

    def kill(self, index: int = 0) -> None:
        """SIGKILL: the broker is gone at once."""
        self._brokers[index].kill()

    def pause(self, index: int = 0) -> None:
        """SIGSTOP: the broker keeps its connections and answers nothing."""
        self._brokers[index].pause()

    def resume(self, index: int = 0) -> None:
        """SIGCONT."""
        self._brokers[index].resume()

    def _prepare(self) -> None:
        find_java()
        kafka_jars()
        used = len(list(self.data_dir.glob("broker-*")))
        if used not in (0, len(self._brokers)):
            raise UserError(f"{self.data_dir} holds the data of {used} broker(s), not of {len(self._brokers)}")
        cluster_id = _cluster_id(self.data_dir)
        for index, broker in enumerate(self._brokers):
            broker.folder.mkdir(parents=True, exist_ok=True)
            properties = server_properties(index, self._ports, broker.folder, self._overrides)
            (broker.folder / "server.properties").write_text(properties)
        with ThreadPoolExecutor(len(self._brokers)) as pool:
            list(pool.map(lambda broker: broker.format(cluster_id), self._brokers))


def _cluster_id(data_dir: Path) -> str:
    """Kafka's form of a UUID, the same whenever this folder is used. It must not begin with a dash."""
    file = data_dir / "cluster.id"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        file.write_text(base64.urlsafe_b64encode(b"staffetta" + secrets.token_bytes(7)).decode().rstrip("="))
    return file.read_text()


def _choose_ports(brokers: int, first: int | None) -> list[Ports]:
    chosen: list[int] = []
    if first is not None:
        if not is_free(first):
            raise UserError(f"port {first} of 127.0.0.1 is in use; choose another with --port")
        chosen.append(first)
    candidates = iter(random.SystemRandom().sample(_PORTS, len(_PORTS)))
    while len(chosen) < 2 * brokers:
        port = next(candidates)
        if port not in chosen and is_free(port):
            chosen.append(port)
    return [Ports(chosen[index], chosen[brokers + index]) for index in range(brokers)]


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are winding up do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
