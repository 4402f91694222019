"""Lines of a file as records: each line one CloudEvent in structured JSON."""

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from schemas import CONTENT_TYPE_HEADER, EVENT_TYPES, Ignored, Refused
from sinks.outgoing import judge


class EventLine(NamedTuple):
    """A record to be, as the codec reads it. `number` counts from 1; `topic` has no prefix."""

    number: int
    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = (CONTENT_TYPE_HEADER,)
    partition: int = -1

    @property
    def label(self) -> str:
        return f"line {self.number}"


class WrongLineError(Exception):
    """The line cannot be sent; the message says why."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


class _Address(msgspec.Struct):
    type: str
    partitionkey: str | None = None
    data: Any = None


_read = msgspec.json.Decoder(_Address).decode


def parse_line(number: int, text: bytes, *, check: bool = True) -> EventLine:
    """Where the event goes: the topic follows from its type, the key is `partitionkey`, else `data.company_id`.

    With `check`, it must also be one that the topic's readers would not refuse. Raises WrongLineError.
    """
    value = text.strip()
    try:
        event = _read(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongLineError(number, f"no CloudEvent in JSON: {error}") from None
    line = EventLine(number, _topic(number, event.type), _key(number, event), value)
    if check:
        try:
            judge(line.topic, line)
        except Refused as refused:
            raise WrongLineError(number, f"{refused.reason}: {refused.detail}") from None
        except Ignored as ignored:
            raise WrongLineError(number, f"{ignored.type!r} does not belong to {line.topic}") from None
    return line


def _topic(number: int, type: str) -> str:
    kind = EVENT_TYPES.get(type)
    if kind is None:
        close = difflib.get_close_matches(type, EVENT_TYPES, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise WrongLineError(number, f"{type!r} is no event type{meant}")
    if kind.topic is None:
        raise WrongLineError(number, f"{type!r} travels on several topics and cannot be produced")
    return kind.topic


def _key(number: int, event: _Address) -> bytes:
    company_id = event.data.get("company_id") if isinstance(event.data, dict) else None
    key = event.partitionkey or company_id
    if not isinstance(key, str) or not key:
        raise WrongLineError(number, "has neither partitionkey nor data.company_id")
    return key.encode()
