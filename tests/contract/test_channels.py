"""What every channel owes, whatever it speaks: each claim here is checked for each line of `PROVIDERS`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

import pytest

from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels import CHANNELS
from sinks.channels.base import Channel, Message
from sinks.channels.email import Email
from streams.policy.delivery.results import Accepted, NotStarted, Permanent, Transient, Unconfirmed
from tests.support.smtp import Cut, MailServer

CONCURRENCY = 3
TIMEOUT_SECONDS = 0.5


class Provider(Protocol):
    """A provider that fails as it is told to, once for each call."""

    channel: Channel
    address: str

    @property
    def taken_over(self) -> list[str]:
        """The ids under which messages have arrived, repeats included."""
        ...

    @property
    def sessions_at_once(self) -> int: ...
    def refuse_for_good(self) -> None: ...
    def refuse_for_now(self) -> None: ...
    def refuse_address(self) -> None: ...
    def refuse_account(self) -> None: ...
    def drop_before_message(self) -> None: ...
    def drop_after_message(self) -> None: ...
    def stay_silent_before_message(self) -> None: ...
    def stay_silent_after_message(self) -> None: ...
    def talk_nonsense_after_message(self) -> None: ...
    def end_sessions(self) -> None: ...
    async def go_away(self) -> None: ...


class EmailProvider:
    address = "anna@example.com"

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.channel: Channel = Email(
            server.address, "termine@example.org", concurrency=CONCURRENCY, timeout_seconds=TIMEOUT_SECONDS
        )

    @property
    def taken_over(self) -> list[str]:
        return [mail.message_id for mail in self.server.mails]

    @property
    def sessions_at_once(self) -> int:
        return self.server.most_at_once

    def refuse_for_good(self) -> None:
        self.server.plan("RCPT", "554 5.7.1 not you")

    def refuse_for_now(self) -> None:
        self.server.plan("RCPT", "450 4.2.0 later")

    def refuse_address(self) -> None:
        self.server.plan("RCPT", "550 5.1.1 <anna@example.com>: no such user Anna")

    def refuse_account(self) -> None:
        self.server.plan("MAIL", "530 5.7.0 authentication required")

    def drop_before_message(self) -> None:
        self.server.plan("DATA", Cut.DROP)

    def drop_after_message(self) -> None:
        self.server.plan("DOT", Cut.DROP)

    def stay_silent_before_message(self) -> None:
        self.server.plan("RCPT", Cut.SILENCE)

    def stay_silent_after_message(self) -> None:
        self.server.plan("DOT", Cut.SILENCE)

    def talk_nonsense_after_message(self) -> None:
        self.server.plan("DOT", "hello?")

    def end_sessions(self) -> None:
        self.server.drop_all()

    async def go_away(self) -> None:
        await self.server.__aexit__()


@asynccontextmanager
async def email_provider() -> AsyncIterator[Provider]:
    async with MailServer() as server:
        provider = EmailProvider(server)
        yield provider
        await provider.channel.close()


PROVIDERS: dict[ChannelName, Callable[[], AbstractAsyncContextManager[Provider]]] = {
    ChannelName.EMAIL: email_provider,
}


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with PROVIDERS[request.param]() as provider:
        yield provider


def message(provider: Provider, notification_id: str = "n-1") -> Message:
    return Message(
        company_id="co-7",
        notification_id=notification_id,
        address=provider.address,
        name="Anna Müller",
        subject="Ihr Termin",
        body_text="Guten Tag",
        body_html="<p>Guten Tag</p>",
        composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
    )


def soon() -> float:
    return time.monotonic() + 5


def test_every_channel_is_under_contract() -> None:
    """No channel is without these tests."""
    assert PROVIDERS.keys() == CHANNELS.keys()


async def test_accepted(provider: Provider) -> None:
    """What the provider took is Accepted, with the id under which the provider knows it."""
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Accepted)
    assert provider.taken_over == [result.provider_message_id]


async def test_a_repeat_is_recognisable(provider: Provider) -> None:
    """The same notification, sent again, arrives under the same id; another one under another."""
    for notification_id in ("n-1", "n-1", "n-2"):
        await provider.channel.send(message(provider, notification_id), soon())
    first, again, other = provider.taken_over
    assert first == again != other


async def test_permanent(provider: Provider) -> None:
    """A refusal for good is Permanent."""
    provider.refuse_for_good()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Permanent)
    assert result.reason is DeliveryReason.REJECTED


async def test_transient(provider: Provider) -> None:
    """A refusal for now is Transient."""
    provider.refuse_for_now()
    assert isinstance(await provider.channel.send(message(provider), soon()), Transient)


async def test_dead_address(provider: Provider) -> None:
    """An address that does not exist is named so, and never repeated in the error."""
    provider.refuse_address()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Permanent)
    assert result.reason is DeliveryReason.DEAD_ADDRESS
    assert "anna" not in result.error.lower()


async def test_account(provider: Provider) -> None:
    """A refusal that concerns the account says nothing against the message."""
    provider.refuse_account()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.AUTH_FAILED


async def test_lost_before_the_message(provider: Provider) -> None:
    """A connection that ends before the message was handed over is Transient: it has certainly not arrived."""
    provider.drop_before_message()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.CONNECTION_FAILED
    assert provider.taken_over == []


async def test_lost_after_the_message(provider: Provider) -> None:
    """A connection that ends after the message was handed over is Unconfirmed: here it has arrived."""
    provider.drop_after_message()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Unconfirmed)
    assert result.reason is DeliveryReason.LOST_AFTER_DATA
    assert len(provider.taken_over) == 1


async def test_silence_before_the_message(provider: Provider) -> None:
    """No answer in time, before the message was handed over, is Transient."""
    provider.stay_silent_before_message()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.TIMEOUT


async def test_silence_after_the_message(provider: Provider) -> None:
    """No answer in time, after the message was handed over, is Unconfirmed."""
    provider.stay_silent_after_message()
    started = time.monotonic()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Unconfirmed)
    assert result.reason is DeliveryReason.TIMEOUT
    assert time.monotonic() - started < 2 * TIMEOUT_SECONDS


async def test_nonsense_after_the_message(provider: Provider) -> None:
    """An answer that nobody understands, after the message was handed over, is Unconfirmed."""
    provider.talk_nonsense_after_message()
    assert isinstance(await provider.channel.send(message(provider), soon()), Unconfirmed)


async def test_nobody_there(provider: Provider) -> None:
    """A provider that cannot be reached is Transient."""
    await provider.go_away()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.CONNECTION_FAILED


async def test_too_late_to_begin(provider: Provider) -> None:
    """After the moment until which it may begin, nothing is handed over."""
    assert await provider.channel.send(message(provider), time.monotonic() - 0.001) == NotStarted()
    assert provider.taken_over == []


async def test_goes_on_after_each_failure(provider: Provider) -> None:
    """No failure spoils the message after it."""
    failures = (
        provider.refuse_for_good,
        provider.refuse_for_now,
        provider.refuse_account,
        provider.drop_before_message,
        provider.drop_after_message,
        provider.stay_silent_before_message,
        provider.stay_silent_after_message,
        provider.talk_nonsense_after_message,
    )
    for number, fail in enumerate(failures):
        fail()
        assert not isinstance(await provider.channel.send(message(provider, f"bad-{number}"), soon()), Accepted)
        assert isinstance(await provider.channel.send(message(provider, f"good-{number}"), soon()), Accepted)


async def test_sessions_that_the_provider_ended(provider: Provider) -> None:
    """That the provider ended an idle session is no failure of the next message."""
    for number in range(3):
        assert isinstance(await provider.channel.send(message(provider, f"n-{number}"), soon()), Accepted)
        provider.end_sessions()
    assert len(provider.taken_over) == 3


async def test_concurrency(provider: Provider) -> None:
    """However many messages come at once, no more sessions are held than was allowed."""
    sending = [provider.channel.send(message(provider, f"n-{number}"), soon()) for number in range(40)]
    assert all(isinstance(result, Accepted) for result in await asyncio.gather(*sending))
    assert len(set(provider.taken_over)) == 40
    assert provider.sessions_at_once <= CONCURRENCY
