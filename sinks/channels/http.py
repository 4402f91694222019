"""The ground under the channels that speak HTTP: one request, one answer, and how far it had come if none came."""

import time
from collections.abc import Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError

from schemas.reasons import DeliveryReason
from sinks.channels.answers import Answer, cleaned
from streams.policy.delivery.results import NotStarted, Transient, Unconfirmed

MAX_ANSWER_BYTES = 64 * 1024
IDLE_SECONDS = 15.0
"""For how long a connection is kept without use: shorter than servers do, which may end one just as it is used."""
_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError)


class _Body(aiohttp.BytesPayload):
    """Knows how far it came. aiohttp asks for it with a connection in hand, and writes the headers together with
    its first bytes."""

    def __init__(self, content: bytes, begin_before: float) -> None:
        super().__init__(content)
        self.is_handed_over = False
        self.is_too_late = False
        self._begin_before = begin_before

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if time.monotonic() > self._begin_before:
            self.is_too_late = True
            raise ValueError("there was a connection only when it was too late to send anything")
        self.is_handed_over = True
        await super().write_with_length(writer, content_length)


class Http:
    """Requests over at most `concurrency` connections, which are opened as needed and used again.

    `timeout_seconds` is for all of it, from the wait for a connection to the end of the answer. Redirects are not
    followed, cookies not kept, and of an answer not more than `MAX_ANSWER_BYTES` is read. `resolver` is asked
    where a host is.
    """

    def __init__(
        self, *, concurrency: int, timeout_seconds: float, resolver: AbstractResolver | None = None
    ) -> None:
        self._concurrency = concurrency
        self._timeout_seconds = timeout_seconds
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], begin_before: float
    ) -> Answer | Transient | Unconfirmed | NotStarted:
        """The answer, whatever its status, unless that is a redirect; else what is known without one.

        A request counts as handed over from the moment when its first byte may be written: before that a fault is
        Transient, from then on Unconfirmed. Nothing is written after `begin_before` (`time.monotonic()`). A server
        with which there is no connection by then has failed, and is not one that was never asked.
        """
        if time.monotonic() > begin_before:
            return NotStarted()
        return await self._ask("POST", url, headers, _Body(body, begin_before))

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer | Transient | Unconfirmed | NotStarted:
        """As `post`, where nothing is sent."""
        return await self._ask("GET", url, headers, None)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: _Body | None
    ) -> Answer | Transient | Unconfirmed | NotStarted:
        try:
            async with self._opened().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if 300 <= response.status < 400:
                    error = f"HTTP {response.status}: a redirect, which is not followed; is the base URL right?"
                    return Transient(DeliveryReason.UNAVAILABLE, error)
                return await _read(response)
        except TimeoutError:
            return _lost(body, DeliveryReason.TIMEOUT, f"no answer within {self._timeout_seconds:g} s")
        except _FAULTS as error:
            if body is not None and body.is_too_late:
                return Transient(DeliveryReason.TIMEOUT, str(error))
            return _lost(body, DeliveryReason.CONNECTION_FAILED, _described(error))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """Opened in the loop that uses it, which there is none of yet when channels are made."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._concurrency, keepalive_timeout=IDLE_SECONDS, resolver=self._resolver
                ),
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "staffetta", "Accept": "application/json"},
            )
        return self._session


async def _read(response: aiohttp.ClientResponse) -> Answer:
    """The status alone says a lot: what ends the body too early is kept for whoever needs more."""
    body, broken = bytearray(), None
    try:
        while len(body) < MAX_ANSWER_BYTES and (chunk := await response.content.readany()):
            body += chunk
    except TimeoutError:
        broken = DeliveryReason.TIMEOUT
    except _FAULTS:
        broken = DeliveryReason.LOST_AFTER_DATA
    return Answer(response.status, response.headers, bytes(body[:MAX_ANSWER_BYTES]), broken)


def _described(error: Exception) -> str:
    """In the words of the library, unless they quote what came: an answer may repeat the message."""
    if isinstance(error, aiohttp.ClientResponseError | HttpProcessingError):
        return "an answer that is no HTTP"
    return cleaned(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _lost(body: _Body | None, reason: DeliveryReason, error: str) -> Transient | Unconfirmed:
    if body is None or not body.is_handed_over:
        return Transient(reason, error)
    if reason is DeliveryReason.CONNECTION_FAILED:
        reason = DeliveryReason.LOST_AFTER_DATA
    return Unconfirmed(reason, error)
