"""The data folder, before anybody relies on it."""

import tempfile
from pathlib import Path

from streams.errors import UserError


def prepare(folder: Path, probe: bytes = b"") -> None:
    """Make it where it is missing, and try to write into it. Raises UserError, with what to do."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(probe)
            file.flush()
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to ({error.strerror}): make room or set STAFFETTA_DATA_DIR"
        ) from error
