"""A record that ends or hangs the process every time it is applied, found across restarts.

A note per partition number, in the data folder, says what was being applied. It is marked only while the role's
step runs, which is short, so that kills from outside hardly ever count: what dies there three times in a row
without any progress is applied record by record, and what dies alone twice is dead-lettered.
"""

import json
import logging
import os
from pathlib import Path
from typing import Any

from streams.batch import Batch, Record

log = logging.getLogger("staffetta.lane")

DEATHS_BEFORE_SINGLES = 3
DEATHS_ALONE = 2


class DeathNote:
    """What one partition number was applying when the process died, and how often."""

    _SIZE = 4096

    def __init__(self, folder: Path, partition: int) -> None:
        self._path = folder / f"applying-{partition}.json"
        self._file: int | None = None
        self._positions: dict[str, int] = {}
        self._count = self._deaths = self._singles = 0
        self._killed: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            self._read(os.pread(self._file, self._SIZE, 0))
        except (OSError, ValueError) as error:
            self._without(error)

    @property
    def limit(self) -> int | None:
        """1 while records must be applied one by one, to find the one that kills."""
        return 1 if self._singles else None

    def kills(self, topic: str, record: Record) -> bool:
        """Whether this record has ended the process often enough, applied alone."""
        return self._killed.get(_place(topic, record), 0) >= DEATHS_ALONE

    def applying(self, batch: Batch) -> None:
        """The step begins. `batch` has at least one record."""
        if self._singles:
            topic, records = batch.runs[0]
            self._write(_place(topic, records[0]))
            return
        positions = batch.state.positions
        if positions != self._positions:
            self._positions, self._deaths = dict(positions), 0
        self._count = len(batch)
        self._write("batch")

    def applied(self) -> None:
        """The step has returned: what kills from here on is not the record."""
        if self._singles:
            self._singles -= 1
            if not self._singles:
                self._killed, self._deaths = {}, 0
        self._write(None)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read(self, content: bytes) -> None:
        text = content.decode().rstrip(" \0")
        note: dict[str, Any] = json.loads(text) if text else {}
        self._positions = note.get("positions", {})
        self._count, self._deaths = note.get("count", 0), note.get("deaths", 0)
        self._singles, self._killed = note.get("singles", 0), note.get("killed", {})
        applying = note.get("applying")
        if applying == "batch":
            self._deaths += 1
            if self._deaths >= DEATHS_BEFORE_SINGLES:
                self._singles = self._count
        elif applying:
            self._killed[applying] = self._killed.get(applying, 0) + 1

    def _write(self, applying: str | None) -> None:
        if self._file is None:
            return
        note = {
            "applying": applying,
            "positions": self._positions,
            "count": self._count,
            "deaths": self._deaths,
            "singles": self._singles,
            "killed": self._killed,
        }
        try:
            os.pwrite(self._file, json.dumps(note).encode().ljust(self._SIZE), 0)
        except OSError as error:
            self._without(error)

    def _without(self, error: Exception) -> None:
        """The note is a help against records that kill; the road does not depend on it."""
        log.warning("%s cannot be kept (%s); a record that kills the worker would not be found", self._path, error)
        self.close()


def _place(topic: str, record: Record) -> str:
    return f"{topic}/{record.offset}"
