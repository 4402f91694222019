"""Access to FCM: one token for many messages, replaced in time, and what it means that there is none."""

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from schemas.reasons import DeliveryReason
from sinks.channels.pushing.access import PAUSE_SECONDS, SCOPE
from streams.policy.delivery.results import Accepted, AccountWide, Result, Transient
from streams.simulator.protocols import fcm
from streams.simulator.protocols.signed import read_rs256
from tests.contract.fcm_support import TAKEN, channel, google, send, tokens_of
from tests.support.recording import recording
from tests.support.smtp import closed_port

ONE = {"access_token": "one", "expires_in": 1000}


async def test_assertion() -> None:
    """The token is asked for by an assertion that the service account has signed, for messaging alone."""
    async with recording(200, TAKEN) as provider, google() as tokens, channel(provider.url, tokens.url) as push:
        before = int(time.time())
        await send(push)
    (request,) = tokens.requests
    assert (request.method, request.path) == ("POST", "/token")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(request.body.decode(), strict_parsing=True)
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = read_rs256(form["assertion"][0], fcm._key().public_key())
    assert before <= claims["iat"] <= time.time()
    assert claims == {
        "iss": fcm.CLIENT_EMAIL,
        "scope": SCOPE,
        "aud": f"{tokens.url}/token",
        "iat": claims["iat"],
        "exp": claims["iat"] + 3600,
    }


async def test_one_token_for_many_messages() -> None:
    """However many messages come at once, one token is asked for."""
    async with recording(200, TAKEN) as provider, google() as tokens, channel(provider.url, tokens.url) as push:
        assert {type(said) for said in await asyncio.gather(*(send(push) for _ in range(20)))} == {Accepted}
        assert isinstance(await send(push), Accepted)
    assert (len(provider.requests), len(tokens.requests)) == (21, 1)


async def test_replaced_ahead_of_time() -> None:
    """After three quarters of its life a token is replaced, and until then nobody waits for the new one."""
    async with (
        recording(200, {"access_token": "one", "expires_in": 1000}) as google,
        tokens_of(google.url) as tokens,
    ):
        assert await tokens.at(0) == "one"
        assert await tokens.at(749) == "one"
        google.answer = {"access_token": "two", "expires_in": 1000}
        assert len(google.requests) == 1
        assert await tokens.at(750) == "one"
        await tokens.quiet()
        assert await tokens.at(751) == "two"
        assert len(google.requests) == 2


@pytest.mark.parametrize("said", ["1" + 400 * "0", "-1", "0", "true", "null", '"soon"', "1e300", "{}"])
async def test_a_life_that_nobody_has(said: str) -> None:
    """A token whose life is not said, or is longer than Google gives, is used for as long as one may be."""
    async with (
        recording(200, f'{{"access_token": "one", "expires_in": {said}}}'.encode()) as google,
        tokens_of(google.url) as tokens,
    ):
        assert await tokens.at(0) == "one"
        assert await tokens.at(0.74 * 3600) == "one"
        assert len(google.requests) == 1
        await tokens.at(0.96 * 3600)
        assert len(google.requests) == 2


async def test_a_token_that_cannot_be_replaced() -> None:
    """While it is good it is used, and replaced as soon as that can be; once it has ended, there is none."""
    async with (
        recording(200, {"access_token": "one", "expires_in": 1000}) as google,
        tokens_of(google.url) as tokens,
    ):
        await tokens.at(0)
        google.status = 503
        for moment in (750, 751, 750 + PAUSE_SECONDS - 1):
            assert await tokens.at(moment) == "one"
            await tokens.quiet()
        assert len(google.requests) == 2
        assert await tokens.at(750 + PAUSE_SECONDS) == "one"
        await tokens.quiet()
        assert len(google.requests) == 3
        assert type(await tokens.at(951)) is Transient


async def test_a_token_that_is_refused() -> None:
    """Whoever revoked it: the next message goes with another one."""
    async with (
        recording(401, {"error": {"status": "UNAUTHENTICATED"}}) as provider,
        google() as tokens,
        channel(provider.url, tokens.url) as push,
    ):
        assert isinstance(await send(push), AccountWide)
        tokens.answer = {"access_token": "ya29.new", "expires_in": 3599}
        provider.status, provider.answer = 200, TAKEN
        assert isinstance(await send(push), Accepted)
    assert provider.requests[1].headers["authorization"] == "Bearer ya29.new"


@pytest.mark.parametrize(
    ("status", "answer", "expected", "reason"),
    [
        (400, {"error": "invalid_grant", "error_description": "Invalid JWT"}, AccountWide, "auth_failed"),
        (401, {"error": "invalid_client"}, AccountWide, "auth_failed"),
        (403, b"", AccountWide, "auth_failed"),
        (404, b"<html>", AccountWide, "auth_failed"),
        (408, b"", Transient, "unavailable"),
        (429, {"error": "rate_limit_exceeded"}, Transient, "rate_limited"),
        (500, {"error": "internal_failure"}, Transient, "unavailable"),
        (200, {}, Transient, "unavailable"),
        (200, {"access_token": 5}, Transient, "unavailable"),
        (200, {"access_token": "a\r\nX: y"}, Transient, "unavailable"),
        (200, b"{", Transient, "unavailable"),
    ],
)
async def test_no_token(status: int, answer: Any, expected: type[Result], reason: str) -> None:
    """Without a token nothing is handed over: the account is refused, or Google is away; never is it in doubt."""
    async with (
        recording(status, answer) as tokens,
        recording(200, TAKEN) as provider,
        channel(provider.url, tokens.url) as push,
    ):
        said = await send(push)
    assert type(said) is expected
    assert isinstance(said, Transient)
    assert said.reason.value == reason
    assert said.error.startswith("no access token: ")
    assert provider.requests == []


async def test_nobody_gives_tokens() -> None:
    """A refused connection, and one that ends without an answer, are failures of the connection."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    listener = await asyncio.start_server(cut, "127.0.0.1", 0)
    with closed_port() as port:
        for number in (port, listener.sockets[0].getsockname()[1]):
            async with tokens_of(f"http://127.0.0.1:{number}") as tokens:
                said = await tokens.at(0)
            assert type(said) is Transient
            assert said.reason is DeliveryReason.CONNECTION_FAILED
    listener.close()


async def test_silence_instead_of_a_token() -> None:
    """No token in time is a time-out of something that was not handed over."""

    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    listener = await asyncio.start_server(never, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with tokens_of(url, timeout_seconds=0.3) as tokens:
        said = await tokens.at(0)
    assert type(said) is Transient
    assert said.reason is DeliveryReason.TIMEOUT
    listener.close()
