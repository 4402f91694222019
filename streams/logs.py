"""Logging: structlog to stderr, for people (`console`) or for machines (`json`).

An event is a short fixed phrase; what varies goes into fields, reasons as their enum members. Log ids, never
names, addresses or texts. Tracebacks are plain, because their local variables would hold just those.
"""

import logging
import sys
import traceback
from collections import Counter
from enum import Enum
from math import inf
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_NOISY = ("aiokafka", "faust", "mode", "alembic", "asyncio")
"""Libraries that tell their inner life at info."""
_INDISCREET = ("aiokafka.conn", "aiokafka.producer")
"""Loggers that show at debug what they send: the password of the log-in, and whole events."""
_SERVER = "aiohttp.server"
_REPEATED_EVERY = 5.0
"""Seconds between two lines of theirs that say the same: without a broker, aiokafka says so at every attempt."""
_REMEMBERED = 1000
"""Lines of theirs that are known to have been said."""
_MODE_PREFIX = "[^"
"""Begins what a Faust service says of its own start and stop, under the name of whatever module it is from."""


def configure_logging(
    level: Literal["debug", "info", "warning", "error"], format: Literal["console", "json"], role: str
) -> None:
    """Route structlog and the standard library's loggers to stderr; every line carries `role`."""

    def add_role(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["role"] = role
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_role,
        _enum_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(format)],
        )
    )
    handler.addFilter(_quotes_no_request)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(logging.WARNING)
    if level != "debug":
        handler.addFilter(_is_worth_reading)
        handler.addFilter(_Seldom())
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def _is_worth_reading(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not str(record.msg).startswith(_MODE_PREFIX)


def _quotes_no_request(record: logging.LogRecord) -> bool:
    """Leaves out what the server says of requests that cannot be read, and the words of other exceptions: they may
    quote a request as well."""
    if record.name != _SERVER or not record.exc_info or record.exc_info[0] is None:
        return True
    from aiohttp import web  # loaded long since, if its server says something
    from aiohttp.http_exceptions import HttpProcessingError

    kind, _, where = record.exc_info
    if issubclass(kind, (HttpProcessingError, web.RequestPayloadError)):
        return False
    record.exception = "".join((*traceback.format_tb(where), kind.__qualname__))
    record.exc_info = None
    return True


class _Seldom(logging.Filter):
    """Lets the same line of a noisy library through once in a while, and says how often it came meanwhile. One
    with a traceback always passes."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}
        self._held_back: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info or record.name.partition(".")[0] not in _NOISY:
            return True
        line = record.name, record.getMessage()
        if record.created - self._said.get(line, -inf) < _REPEATED_EVERY:
            self._held_back[line] += 1
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
            self._held_back.clear()
        self._said[line] = record.created
        if times := self._held_back.pop(line, 0):
            record.held_back = times
        return True


def _rendering(format: Literal["console", "json"]) -> list[Processor]:
    if format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _enum_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if isinstance(value, Enum):
            event[name] = value.value
    return event
