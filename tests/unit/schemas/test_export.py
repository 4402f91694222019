"""The contract in JSON Schema says what the models say."""

from pathlib import Path

import pytest

from schemas import EVENT_TYPES
from schemas.export import exported, main, stale, write


def test_the_exported_schemas_are_fresh() -> None:
    """The files in the repository are what `python -m schemas.export` would write."""
    assert stale() == []


def test_the_check_names_what_is_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was edited, is missing or is left over is found, and writing repairs all three."""
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "callback.json").write_text("{}")
    (tmp_path / "staff.json").unlink()
    (tmp_path / "room.json").write_text("{}")
    assert stale(tmp_path) == ["callback.json", "room.json", "staff.json"]
    write(tmp_path)
    assert stale(tmp_path) == []


def test_the_command_line() -> None:
    """`--check` succeeds on a fresh export; an unknown option is a usage error."""
    assert main(["--check"]) == 0
    assert main(["--chekc"]) == 2


def test_every_event_type_has_a_file() -> None:
    """For each type, `event_types.json` names a file that exists."""
    files = exported()
    assert all(f'"{name}"' in files["event_types.json"] for name in EVENT_TYPES)
    assert len(files) == 1 + len(
        {kind.model for kind in EVENT_TYPES.values()} | {EVENT_TYPES["appointment.deleted"].tombstone}
    )
