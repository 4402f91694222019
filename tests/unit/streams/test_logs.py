"""Log lines, as they arrive on stderr."""

import json
import logging
from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
import structlog

from streams.logs import _NOISY, configure_logging


class Reason(Enum):
    NO_ADDRESS = "no_address"


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A line holds level, time, role and the fields, an enum by its value; a library's lines look the same."""
    configure_logging("info", "json", "notify")
    structlog.get_logger("x").info("suppressed", reason=Reason.NO_ADDRESS)
    logging.getLogger("library").warning("odd %s", "thing", extra={"reason": Reason.NO_ADDRESS})
    ours, theirs = lines(capsys)
    assert {**ours, "timestamp": None} == {
        "event": "suppressed",
        "level": "info",
        "reason": "no_address",
        "role": "notify",
        "timestamp": None,
    }
    assert {**theirs, "timestamp": None} == {**ours, "event": "odd thing", "level": "warning", "timestamp": None}


def test_a_library_does_not_repeat_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same line of a noisy library comes every few seconds, with how many were held back; what it says
    besides, what others say, and what has a traceback is not held back."""
    configure_logging("info", "json", "notify")
    seconds = 1000.0
    monkeypatch.setattr(logging.time, "time", lambda: seconds)  # type: ignore[attr-defined]
    library = logging.getLogger("aiokafka")
    for port in (1, 2, 1, 1):
        library.error("no connection to %d", port)
        logging.getLogger("ours").warning("odd")
    for _ in range(2):
        library.error("broken", exc_info=ValueError())
    seconds += 6
    library.error("no connection to %d", 1)
    said = [(line["event"], line.get("held_back")) for line in lines(capsys)]
    assert said == [
        ("no connection to 1", None),
        ("odd", None),
        ("no connection to 2", None),
        *[("odd", None)] * 3,
        *[("broken", None)] * 2,
        ("no connection to 1", 2),
    ]


def test_level(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is left out, and of noisy libraries what is below a warning."""
    configure_logging("info", "json", "notify")
    structlog.get_logger("x").debug("detail")
    logging.getLogger("aiokafka.consumer").info("joined the group")
    logging.getLogger("streams.lane.application").info("[^LaneApp]: Starting...")
    logging.getLogger("aiokafka.consumer").warning("left the group")
    assert [line["event"] for line in lines(capsys)] == ["left the group"]


@pytest.mark.parametrize("format", ["console", "json"])
def test_tracebacks_hold_no_values(capsys: pytest.CaptureFixture[str], format: Any) -> None:
    """A traceback shows where it happened, and not the local variables, which may be somebody's data."""
    configure_logging("info", format, "notify")
    customer = "Änne " + "Muster"
    try:
        raise LookupError(len(customer))
    except LookupError:
        structlog.get_logger("x").exception("failed")
    said = capsys.readouterr().err
    assert "LookupError: 11" in said
    assert "Änne Muster" not in said
