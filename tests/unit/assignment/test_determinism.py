"""The same records in another process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLAY = """
import hashlib
from tests.support.booking import records
from tests.unit.assignment.test_agenda import STORY, Desk
desk = Desk(part=7, at_most=20)
for record in records(STORY):
    desk.apply([record])
print(hashlib.sha256(repr(desk.outputs).encode()).hexdigest(), len(desk.outputs))
"""


def test_every_process_decides_alike() -> None:
    """Two processes write the same bytes in the same order, whatever the seed of their hashes."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", PLAY],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1
    assert int(digests.pop().split()[1]) > 100
