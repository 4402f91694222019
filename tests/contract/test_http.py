"""The ground of the HTTP channels, against real sockets: what is known when no answer comes."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import DefaultResolver
from aiohttp.abc import ResolveResult

from schemas.reasons import DeliveryReason
from sinks.channels.answers import Answer, cleaned, message_id
from sinks.channels.http import MAX_ANSWER_BYTES, Http
from streams.policy.delivery.results import NotStarted, Transient, Unconfirmed
from tests.support.smtp import closed_port, tls_context

Said = Answer | Transient | Unconfirmed | NotStarted
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"POST /x HTTP/1.1\r\n"


class Server:
    """Raw: what it reads and writes is the test's business."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self.received = b""
        self.connections = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._behave(reader, writer)
        writer.close()


@asynccontextmanager
async def listening(behave: Behave) -> AsyncIterator[tuple[Server, str]]:
    server = Server(behave)
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    try:
        yield server, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/x"
    finally:
        listener.close()


async def post(url: str, *, timeout: float = 5.0, begin_before: float | None = None) -> Said:
    http = Http(concurrency=2, timeout_seconds=timeout)
    try:
        return await http.post(url, b"a=1", {}, time.monotonic() + 5 if begin_before is None else begin_before)
    finally:
        await http.close()


async def request(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(3)


def answering(answer: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer)
        await writer.drain()

    return behave


def of(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_nobody_listens() -> None:
    """A refused connection is Transient: nothing was handed over."""
    with closed_port() as port:
        said = await post(f"http://127.0.0.1:{port}/")
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.CONNECTION_FAILED


async def test_no_such_host() -> None:
    """Nor was anything to a host that is not known."""
    said = await post("http://nobody.invalid/")
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.CONNECTION_FAILED


async def test_no_tls() -> None:
    """Nor where TLS does not come about: not one byte of the request was written."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.received += await reader.read(1000)
        writer.write(b"220 this is no TLS\r\n")

    async with listening(hang_up) as (server, url):
        said = await post(url.replace("http:", "https:"))
    assert isinstance(said, Transient)
    assert HEAD not in server.received


async def test_unknown_certificate() -> None:
    """Who cannot show whom they are gets nothing, and nothing is lost."""

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        server.received += await reader.read()

    server = Server(listen)
    listener = await asyncio.start_server(server, "127.0.0.1", 0, ssl=tls_context())
    said = await post(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/x")
    listener.close()
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.CONNECTION_FAILED
    assert "certificate" in said.error.lower()
    assert server.received == b""


async def test_silence_before_the_request() -> None:
    """No answer to the TLS handshake is a time-out before anything was written."""

    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(never) as (_, url):
        said = await post(url.replace("http:", "https:"), timeout=0.3)
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.TIMEOUT


@pytest.mark.parametrize("read", [0, 10, None])
async def test_cut_after_the_request(read: int | None) -> None:
    """A connection that ends once the request may have been written leaves it open, however little was read."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.received = await request(reader) if read is None else await reader.read(read)
        writer.transport.abort()

    async with listening(cut) as (server, url):
        said = await post(url)
    assert isinstance(said, Unconfirmed)
    assert said.reason is DeliveryReason.LOST_AFTER_DATA
    if read is None:
        assert server.received.startswith(HEAD)


async def test_silence_after_the_request() -> None:
    """No answer in time to a request that was written leaves it open."""

    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(never) as (_, url):
        started = time.monotonic()
        said = await post(url, timeout=0.3)
    assert said == Unconfirmed(DeliveryReason.TIMEOUT, "no answer within 0.3 s")
    assert time.monotonic() - started < 2 * 0.3


class SlowNames(DefaultResolver):
    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        await asyncio.sleep(0.2)
        return await super().resolve("127.0.0.1", port, family)


async def test_a_connection_that_comes_too_late() -> None:
    """Not one byte is written, and it is a failure: a server that is always so slow must not be tried for ever."""

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        server.received = await reader.read()

    http = Http(concurrency=1, timeout_seconds=5, resolver=SlowNames())
    async with listening(listen) as (server, url):
        said = await http.post(url.replace("127.0.0.1", "slow.example"), b"a=1", {}, time.monotonic() + 0.1)
        await http.close()
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.TIMEOUT
    assert server.received == b""


async def test_too_late_to_begin() -> None:
    """After the moment until which it may begin, nobody is asked."""

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        server.received = await reader.read()

    async with listening(listen) as (server, url):
        assert await post(url, begin_before=time.monotonic() - 0.001) == NotStarted()
    assert server.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"hello?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00\xff" * 50,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ],
)
async def test_no_http(answer: bytes) -> None:
    """What is no HTTP tells nothing of what was handed over."""
    async with listening(answering(answer)) as (_, url):
        said = await post(url)
    assert isinstance(said, Unconfirmed)
    assert "zz" not in said.error


@pytest.mark.parametrize(
    ("answer", "body", "broken"),
    [
        (of("201 Created", b'{"a": 1}'), b'{"a": 1}', None),
        (of("503 Away", b"\xff\xfe"), b"\xff\xfe", None),
        (of("204 Nothing", b""), b"", None),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nabc", b"abc", DeliveryReason.LOST_AFTER_DATA),
        (
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"ab",
            DeliveryReason.LOST_AFTER_DATA,
        ),
        (of("201 Created", gzip.compress(b"abc", mtime=0), "Content-Encoding: gzip"), b"abc", None),
        (of("201 Created", b"not gzip", "Content-Encoding: gzip"), b"", DeliveryReason.LOST_AFTER_DATA),
    ],
)
async def test_answers(answer: bytes, body: bytes, broken: DeliveryReason | None) -> None:
    """A status is an answer, whatever comes of its body."""
    async with listening(answering(answer)) as (_, url):
        said = await post(url)
    assert isinstance(said, Answer)
    assert (said.body, said.broken) == (body, broken)


async def test_silence_in_the_answer() -> None:
    """So it is if the body stops coming."""

    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nabc")
        await reader.read()

    async with listening(stop) as (_, url):
        said = await post(url, timeout=0.3)
    assert isinstance(said, Answer)
    assert (said.status, said.body, said.broken) == (201, b"abc", DeliveryReason.TIMEOUT)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_huge_answer(encoding: str) -> None:
    """Of an answer no more is kept than a message could need, compressed or not."""
    body = b"[" * 20_000_000
    if encoding == "gzip":
        body = gzip.compress(body, 1)
    async with listening(answering(of("201 Created", body, f"Content-Encoding: {encoding}"))) as (_, url):
        said = await post(url)
    assert isinstance(said, Answer)
    assert len(said.body) == MAX_ANSWER_BYTES


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_redirect(status: str) -> None:
    """A redirect is not followed, and says so: no message goes where nobody configured."""
    async with (
        listening(answering(of("201 Created", b"{}"))) as (elsewhere, other),
        listening(answering(of(status, b"", f"Location: {other}"))) as (server, url),
    ):
        said = await post(url)
    assert isinstance(said, Transient)
    assert "redirect" in said.error
    assert (server.connections, elsewhere.connections) == (1, 0)


async def test_connections_are_used_again() -> None:
    """Requests that follow each other share a connection."""

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request(reader)
            writer.write(of("201 Created", b"{}"))

    async with listening(twice) as (server, url):
        http = Http(concurrency=5, timeout_seconds=5)
        for _ in range(3):
            assert isinstance(await http.post(url, b"a=1", {}, time.monotonic() + 5), Answer)
        await http.close()
    assert server.connections == 1


def answer(**headers: str) -> Answer:
    return Answer(429, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (answer(), None),
        (answer(Retry_After="0"), 0.0),
        (answer(Retry_After=" 17 "), 17.0),
        (answer(Retry_After="86400"), 86_400.0),
        (answer(Retry_After="-1"), None),
        (answer(Retry_After="soon"), None),
        (answer(Retry_After="1e999"), None),
        (answer(Retry_After="Tue, 24 Nov 2026 10:00:30 GMT", Date="Tue, 24 Nov 2026 10:00:00 GMT"), 30.0),
        (answer(Retry_After="Tue, 24 Nov 2026 09:00:00 GMT", Date="Tue, 24 Nov 2026 10:00:00 GMT"), 0.0),
        (answer(Retry_After="Fri, 31 Dec 9999 23:59:59 GMT", Date="Thu, 01 Jan 1970 00:00:00 GMT"), 999_999_999.0),
    ],
)
def test_retry_after(said: Answer, seconds: float | None) -> None:
    """`Retry-After` in both its forms; a date counts from the provider's own clock."""
    assert said.retry_after_seconds() == seconds


@pytest.mark.parametrize(
    "secret",
    [
        "+4915112345678",
        "4915112345678",
        "+49 151 1234-5678",
        "anna.mueller@example.com",
        "https://push.example.org/send/abc?token=1",
        "EAAGm0PX4ZCpsBAKZCZCqexampletoken",
        "Anna Müller",
        "ihr Termin",
    ],
)
def test_errors_are_cleaned(secret: str) -> None:
    """Whatever a provider repeats of a message or an account is not recorded; what it says about it is."""
    said = cleaned(f"The number {secret} is not valid (code 21211),\n see {secret}", ["Anna Müller", "Ihr Termin"])
    assert secret.lower() not in said.lower()
    assert said.startswith("The number … is not valid (code 21211), see")


@pytest.mark.parametrize("sign", ["\x00", "\ud800", "\u2028", "\x1b", "\n"])
def test_signs_that_no_record_can_hold(sign: str) -> None:
    """What databases, logs or JSON would choke on is not in an error, and no name for a message has it."""
    assert cleaned(f"not{sign}now") == "not now"
    assert message_id(f"SM{sign}1") is None
    assert message_id("SM1") == "SM1"


@pytest.mark.parametrize("nonsense", ["a", "1", "a.", "1 ", "a@", "+1", "://"])
def test_cleaning_nonsense(nonsense: str) -> None:
    """Whatever a provider answers, going through it takes no longer than its length: these would take hours."""
    assert len(cleaned(nonsense * 1_000_000)) <= 300
