"""A worker as a process, and what the kernel says it used."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.job import Job

Process = subprocess.Popen[bytes]

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def worker(module: str, job: Job, *arguments: str) -> Iterator[Process]:
    """`python -m module` until the block ends; what it wrote last is added to any error."""
    log = Path(job.folder) / f"{'-'.join(('worker', *arguments))}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=job.environment(), stdout=output, stderr=output
        )
    try:
        yield process
    except BaseException as error:
        error.add_note(log.read_bytes()[-2000:].decode(errors="replace"))
        raise
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """It stands still meanwhile."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def must_run(process: Process) -> None:
    if process.poll() is not None:
        raise RuntimeError(f"the worker ended with {process.returncode}")


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def machine_cpu_seconds() -> float:
    values = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(values) - values[3] - values[4]) / _TICKS


def status(process: int, name: str) -> int:
    """A number of /proc/…/status, such as VmHWM (the peak of its memory, KiB) or Threads."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"the kernel names no {name}")


def peak_mebibytes(process: int) -> int:
    return status(process, "VmHWM") // 1024
