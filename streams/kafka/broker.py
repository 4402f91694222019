"""One broker process: it ends with its parent, and can be killed, paused and started again on its data.

The JVM runs under a small shell that holds the reading end of a pipe. However this process ends, SIGKILL
included, the kernel closes the writing end, and the shell kills the JVM: that needs no cooperation, works on
Linux and macOS, and (unlike PR_SET_PDEATHSIG) does not depend on which thread started the broker.
"""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import UserError
from streams.kafka.install import find_java, kafka_jars

# $1: a folder to remove if the parent is gone, or nothing; $2: the log; the rest is the command. `read` is a
# builtin and returns when the pipe ends; from then on the watch must not be stopped before it has cleaned up.
# The first line of output is the JVM's process id.
_ENDS_WITH_PARENT = """
exec 3<&0
remove=$1; log=$2; shift 2
"$@" </dev/null 3<&- >>"$log" 2>&1 &
jvm=$!
echo $jvm
{
  read -r _ <&3
  trap '' TERM
  kill -9 $jvm
  while kill -0 $jvm; do sleep 0.1; done
  [ -z "$remove" ] || rm -rf "$remove"
} >&2 &
watch=$!
wait $jvm
status=$?
kill $watch
exit $status
"""

START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 20.0


class Broker:
    """A broker on its folder: `server.properties`, `data/` and `broker.log` live there."""

    def __init__(self, node_id: int, folder: Path, port: int, *, heap_mb: int, remove: Path | None = None) -> None:
        """`remove` is a folder that is deleted if this process dies without stopping the broker."""
        self.node_id = node_id
        self.folder = folder
        self.port = port
        self.log = folder / "broker.log"
        self._heap_mb = heap_mb
        self._remove = remove
        self._shell: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def pid(self) -> int | None:
        """The JVM's process id; None when it does not run."""
        return self._pid if self._shell is not None and self._shell.poll() is None else None

    def format(self, cluster_id: str) -> None:
        """Prepare an empty folder; one that was used before keeps what it has."""
        if (self.folder / "data" / "meta.properties").exists():
            return
        command = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c"]
        done = subprocess.run(
            [*_java(256), *command, self.folder / "server.properties"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UserError(f"Kafka could not prepare {self.folder}: {(done.stderr or done.stdout).strip()}")

    def launch(self) -> None:
        """Start the process; `wait_until_ready` tells when it is there."""
        if self.pid is not None:
            return
        command = [*_java(self._heap_mb), "kafka.Kafka", str(self.folder / "server.properties")]
        shell = subprocess.Popen(
            ["/bin/sh", "-c", _ENDS_WITH_PARENT, "sh", str(self._remove or ""), str(self.log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is for us; we stop the broker in order
        )
        assert shell.stdout is not None
        self._pid = int(shell.stdout.readline())
        self._shell = shell  # not before: whoever ends us now would have us kill the process 0, which is our group

    def wait_until_ready(self) -> None:
        """Until the cluster counts this broker in: only then does it lead partitions and take topics."""
        end = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_member():
            if self.pid is None:
                raise UserError(f"the broker ended while starting; its log is {self.log}:\n{self._tail()}")
            if time.monotonic() > end:
                raise UserError(f"the broker was not ready after {START_TIMEOUT_SECONDS:.0f} s; see {self.log}")
            time.sleep(0.05)

    def _is_member(self) -> bool:
        """By its own view, which begins with its new registration; others may still remember its last life."""
        address = ("127.0.0.1", self.port)
        with socket.socket() as probe:
            if probe.connect_ex(address):
                return False
        # A new client each time: one that knows the cluster might ask another broker.
        admin = AdminClient({"bootstrap.servers": "{}:{}".format(*address), "log_level": 0})
        try:
            return self.node_id in admin.list_topics(timeout=2).brokers
        except KafkaException:
            return False

    def stop(self) -> None:
        """Stop in order (leadership is handed over); killed if that takes too long."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if self._shell is not None:
            try:
                self._shell.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            else:
                self._close()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        if self._shell is not None:
            self._shell.wait()
            self._close()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _close(self) -> None:
        assert self._shell is not None
        for pipe in (self._shell.stdin, self._shell.stdout):
            if pipe is not None:
                pipe.close()
        self._shell = None

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


def _java(heap_mb: int) -> list[str]:
    classpath = os.pathsep.join(map(str, kafka_jars()))
    return [
        str(find_java()),
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        # A broker for development does not live long enough for its code to be worth optimising.
        "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        classpath,
    ]
