"""Records on which the process dies, found by what it left in the data folder."""

from pathlib import Path

import pytest

from streams.batch import Batch
from streams.lane.deaths import DEATHS_ALONE, DEATHS_BEFORE_SINGLES, DeathNote
from streams.state import State
from tests.support.lane_records import FakeRecord


class Life:
    """One process on a partition: it reads the note, and applies batches until it dies in one."""

    def __init__(self, folder: Path, position: int = 0) -> None:
        self.note = DeathNote(folder, 0)
        self.state = State(0, ())
        self.state.positions = {"events": position}

    def begin(self, size: int = 5) -> None:
        first = self.state.positions["events"]
        records = [FakeRecord(first + n) for n in range(self.note.limit or size)]
        self.note.applying(Batch(self.state, [("events", records)], 0.0))

    def end(self, size: int = 5) -> None:
        self.note.applied()
        self.state.positions["events"] += size


def test_a_record_that_kills_is_found_after_five_deaths(tmp_path: Path) -> None:
    """Three deaths in the same batch make it run record by record; two deaths alone make it a dead letter."""
    for _ in range(DEATHS_BEFORE_SINGLES):
        life = Life(tmp_path)
        assert life.note.limit is None
        life.begin()
    for _ in range(DEATHS_ALONE):
        life = Life(tmp_path)
        assert life.note.limit == 1
        assert not life.note.kills("events", FakeRecord(0))
        life.begin()
        life.end(1)
        life.begin()  # the second record kills
    life = Life(tmp_path, position=1)
    assert life.note.kills("events", FakeRecord(1))
    assert not life.note.kills("events", FakeRecord(0))
    assert not life.note.kills("commands", FakeRecord(1))


def test_batches_again_when_the_record_is_gone(tmp_path: Path) -> None:
    """After as many single records as the batch had, batches are formed as before."""
    for _ in range(DEATHS_BEFORE_SINGLES):
        Life(tmp_path).begin(size=3)
    life = Life(tmp_path)
    for _ in range(3):
        assert life.note.limit == 1
        life.begin()
        life.end(1)
    assert life.note.limit is None
    assert Life(tmp_path).note.limit is None


def test_progress_makes_earlier_deaths_void(tmp_path: Path) -> None:
    """Kills from outside hit other records each time: while there is progress they never add up."""
    for position in range(0, 50, 5):
        life = Life(tmp_path, position)
        assert life.note.limit is None
        life.begin()
        life.end()
        life.begin()


def test_a_death_between_batches_is_nobodys(tmp_path: Path) -> None:
    """A process killed while it waits or commits says nothing about a record."""
    for _ in range(10):
        life = Life(tmp_path)
        assert life.note.limit is None
        life.begin()
        life.end()


@pytest.mark.parametrize("content", [b"{half a no", b"\0" * 4096, b""])
def test_a_broken_note_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    """A note that cannot be read, as after a power cut, counts as none."""
    (tmp_path / "applying-0.json").write_bytes(content)
    life = Life(tmp_path)
    life.begin()
    life.end()
    assert life.note.limit is None


def test_without_a_folder_the_road_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where no note can be kept, work goes on without, and the log says so."""
    (tmp_path / "file").touch()
    life = Life(tmp_path / "file")
    life.begin()
    life.end()
    assert "cannot be kept" in caplog.text
