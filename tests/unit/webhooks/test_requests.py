"""What no webhook can read, or wait for."""

from functools import partial
from typing import Any

import pytest

from streams.settings import Settings
from streams.supervisor import http
from streams.webhooks import add_webhooks, requests
from tests.unit.webhooks.support import SETTINGS, Kafka, counted, first_line, serving

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


@pytest.mark.parametrize("webhook_port", [None, 0], ids=["one port", "its own port"])
async def test_headers_that_never_end(monkeypatch: Any, webhook_port: int | None) -> None:
    """Whoever sends no whole request is hung up on, on either port."""
    monkeypatch.setattr(http, "_IDLE_SECONDS", 0.2)
    urls: list[str] = []
    monkeypatch.setattr(http.log, "info", lambda _, url: urls.append(url))
    webhooks = http.Webhooks(partial(add_webhooks, settings=Settings(_env_file=None, **SETTINGS)), webhook_port)
    async with http.serving([], "127.0.0.1", 0, webhooks) as url:
        for each in (url, *urls):
            assert await first_line(each, POST) == b""
