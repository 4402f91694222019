"""Log lines, as they arrive on stderr."""

import json
import logging
from collections.abc import Iterator
from enum import Enum
from functools import partial
from typing import Any

import aiokafka.conn
import aiokafka.producer.producer
import pytest
import structlog
from aiohttp import web

from streams.logs import _INDISCREET, _NOISY, configure_logging
from streams.settings import Settings
from streams.supervisor.http import Webhooks, serving
from streams.webhooks import add_webhooks
from tests.unit.webhooks.support import SETTINGS, first_line


class Reason(Enum):
    NO_ADDRESS = "no_address"


@pytest.fixture(autouse=True)
def restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in (*_NOISY, *_INDISCREET):
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


@pytest.mark.parametrize("library", [aiokafka.conn, aiokafka.producer.producer])
def test_debug_shows_no_password(capsys: pytest.CaptureFixture[str], library: Any) -> None:
    """At no level do libraries tell what they send: the log-in to Kafka, or whole events."""
    configure_logging("debug", "json", "deliver")
    library.log.debug("Request: %s", "s3cr3t")
    logging.getLogger("aiokafka.client").debug("bootstrap")
    assert [line["event"] for line in lines(capsys)] == ["bootstrap"]


EMAIL = b"POST /webhooks/email HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cr3t"
TWILIO = b"POST /webhooks/twilio HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
UNSUBSCRIBE = b"POST /unsubscribe/x HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        EMAIL + b"\nContent-Length: 0\r\n\r\n",
        EMAIL + b"\x01\r\nContent-Length: 0\r\n\r\n",
        b"GET /unsubscribe/s3cr3t\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        TWILIO + b"s3cr3t\r\n\r\n",
        UNSUBSCRIBE + b"s3cr3t",
        b"\x16\x03\x01s3cr3t\r\n\r\n",
    ],
    ids=["line end", "control character", "path", "body", "body that nobody reads", "no HTTP"],
)
@pytest.mark.parametrize("level", ["info", "debug"])
async def test_a_wrong_request_is_not_logged(
    capsys: pytest.CaptureFixture[str], level: Any, request_: bytes
) -> None:
    """Whatever strangers send is answered, and nothing of it comes into the log."""
    configure_logging(level, "json", "supervisor")
    add_to = partial(add_webhooks, settings=Settings(_env_file=None, **SETTINGS))
    async with serving([], "127.0.0.1", 0, Webhooks(add_to, None)) as url:
        assert b" 40" in await first_line(url, request_)
    assert lines(capsys) == []


@pytest.mark.parametrize("format", ["console", "json"])
async def test_a_fault_of_ours_is_logged_without_the_request(
    capsys: pytest.CaptureFixture[str], format: Any
) -> None:
    """Where it was, and of which kind; not its words, which may quote the request."""

    async def handler(request: web.Request) -> web.Response:
        raise LookupError(request.query_string)

    configure_logging("info", format, "supervisor")
    faulty = Webhooks(lambda app: app.add_routes([web.get("/faulty", handler)]), None)
    async with serving([], "127.0.0.1", 0, faulty) as url:
        assert b" 500 " in await first_line(url, b"GET /faulty?s3cr3t HTTP/1.1\r\nHost: x\r\n\r\n")
    said = capsys.readouterr().err
    assert "LookupError" in said
    assert "raise LookupError(request.query_string)" in said
    assert "s3cr3t" not in said
