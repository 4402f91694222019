"""What no webhook can read."""

from typing import Any

import pytest

from streams.webhooks import requests
from tests.unit.webhooks.support import Kafka, counted, first_line, serving

POST = b"POST /webhooks/whatsapp HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (POST + b"Content-Length: 4000000\r\n\r\n" + bytes(4_000_000), 413),
        (POST + b"Content-Length: 10\r\n\r\nslow", 408),
        (POST + b"Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip", 400),
    ],
    ids=["too large", "too slow", "no gzip"],
)
async def test_what_is_not_read_is_counted(monkeypatch: Any, request_: bytes, status: int) -> None:
    """A body that is too large, does not come, or is broken is refused and counted as unreadable."""
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.2)
    before = counted("whatsapp", "unreadable")
    async with serving(Kafka(), monkeypatch) as client:
        answer = await first_line(str(client.make_url("/")), request_)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert counted("whatsapp", "unreadable") == before + 1
