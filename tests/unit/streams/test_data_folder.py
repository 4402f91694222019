"""A data folder that cannot be had."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.errors import UserError


@pytest.mark.parametrize("command", [["db", "upgrade"], ["worker"]])
def test_a_folder_that_cannot_be(command: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever needs it says so in the words of `doctor`, before anything else is begun."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("STAFFETTA_DATA_DIR", f"{tmp_path}/file/x")
    monkeypatch.setenv("STAFFETTA_RECIPIENT_HASH_KEY", "key")
    monkeypatch.delenv("STAFFETTA_DATABASE_URL", raising=False)
    monkeypatch.setattr("streams.supervisor.supervisor.supervise", None)
    error = CliRunner().invoke(app, command).exception
    assert isinstance(error, UserError)
    assert (error.exit_code, str(error)) == (
        1,
        f"{tmp_path}/file/x cannot be written to (Not a directory): make room or set STAFFETTA_DATA_DIR",
    )
