"""FCM, and Google that gives tokens for it, as the tests of push to apps see them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sinks.channels.base import Message
from sinks.channels.fcm import Fcm
from sinks.channels.http import Http
from sinks.channels.push import Push
from sinks.channels.pushing.access import AccessTokens
from streams.policy.delivery.results import Accepted, Result
from streams.push_keys import ServiceAccount, parse_service_account
from streams.simulator.protocols import fcm
from tests.support.recording import Recorder, recording

TOKEN = "fJx7_token:APA91bH-anna"
NOW = 1_795_000_000.0
PLAIN = Message(
    company_id="co-7",
    notification_id="n-1",
    address=TOKEN,
    name="Anna Müller",
    body_text="Salon: Ihr Termin am 22.11. um 14:30 😀",
    composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
    subject="Ihr Termin",
)
TAKEN = {"name": "projects/simulated-project/messages/1"}


def account(url: str) -> ServiceAccount:
    return parse_service_account(json.dumps(fcm.service_account(url)))


@asynccontextmanager
async def channel(url: str, tokens: str | None = None) -> AsyncIterator[Fcm]:
    """`tokens`: where access tokens come from, if not from the same URL."""
    push = Fcm(url, account(tokens or url), concurrency=2, timeout_seconds=5, now=lambda: NOW)
    try:
        yield push
    finally:
        await push.close()


@asynccontextmanager
async def google() -> AsyncIterator[Recorder]:
    """A token for everybody who asks."""
    async with recording(200, {"access_token": "ya29.abc", "expires_in": 3599, "token_type": "Bearer"}) as tokens:
        yield tokens


async def send(push: Fcm | Push, message: Message = PLAIN) -> Result:
    return await push.send(message, time.monotonic() + 5)


async def body_of(message: Message) -> Any:
    async with recording(200, TAKEN) as provider, google() as tokens, channel(provider.url, tokens.url) as push:
        assert await send(push, message) == Accepted(TAKEN["name"])
    return provider.requests[0].json["message"]


class Tokens:
    """`AccessTokens` on a clock that is moved by hand."""

    def __init__(self, url: str, timeout_seconds: float = 5) -> None:
        self.moment = 0.0
        self.http = Http(concurrency=5, timeout_seconds=timeout_seconds)
        self.access = AccessTokens(account(url), self.http, monotonic=lambda: self.moment)

    async def at(self, moment: float) -> str | Result:
        self.moment = moment
        return await self.access.token()

    async def quiet(self) -> None:
        """Until nothing is asked for in the background."""
        if self.access._fetching is not None:
            await asyncio.wait([self.access._fetching])


@asynccontextmanager
async def tokens_of(url: str, **settings: Any) -> AsyncIterator[Tokens]:
    tokens = Tokens(url, **settings)
    try:
        yield tokens
    finally:
        await tokens.access.close()
        await tokens.http.close()
