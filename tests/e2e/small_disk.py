"""A disk that is full, and then is not: a small file system where this user may mount one, else a limit."""

import contextlib
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

MEGABYTES = 2


class Disk(Protocol):
    folder: Path

    def fill(self, writer: int) -> None:
        """No more room, above all for this process."""
        ...

    def free(self, writer: int) -> None: ...


class SmallDisk:
    """A file system of its own, filled up with a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, writer: int) -> None:
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))

    def free(self, writer: int) -> None:
        self._filler.unlink()


class LimitedWriter:
    """Any folder; the process may not make its files any larger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._limits = resource.RLIM_INFINITY, resource.RLIM_INFINITY

    def fill(self, writer: int) -> None:
        self._limits = resource.prlimit(writer, resource.RLIMIT_FSIZE)
        largest = max(file.stat().st_size for file in self.folder.iterdir())
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (largest, self._limits[1]))

    def free(self, writer: int) -> None:
        resource.prlimit(writer, resource.RLIMIT_FSIZE, self._limits)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield LimitedWriter(folder)
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
