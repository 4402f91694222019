"""What every channel owes, whatever it speaks: each claim here is checked for each of `PROVIDERS`."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels import CHANNELS
from sinks.channels.base import Message
from streams.policy.delivery.results import (
    Accepted,
    AccountWide,
    NotStarted,
    Permanent,
    Transient,
    Unconfirmed,
)
from streams.simulator import Fault, Kind
from streams.simulator.protocols import PROTOCOLS, webpush
from tests.contract.providers import (
    CONCURRENCY,
    HTTP,
    PROVIDERS,
    TIMEOUT_SECONDS,
    EmailProvider,
    HttpProvider,
    Provider,
    email_provider,
    http_provider,
    provider_of,
)
from tests.support.smtp import Cut


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_of(request.param) as provider:
        yield provider


@pytest.fixture(params=HTTP)
async def http(request: pytest.FixtureRequest) -> AsyncIterator[HttpProvider]:
    async with http_provider(request.param) as provider:
        yield provider


# Nothing that a push service answers is about the account, and its answers have no body.
of_accounts = pytest.mark.parametrize("provider", [n for n in PROVIDERS if n != webpush.NAME], indirect=True)
of_bodies = pytest.mark.parametrize("http", [n for n in HTTP if n != webpush.NAME], indirect=True)


@pytest.fixture
async def mail() -> AsyncIterator[EmailProvider]:
    async with email_provider() as provider:
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
    """No channel is without these tests, by whichever provider it goes."""
    assert {ChannelName.EMAIL, *(speaks.channel for speaks in HTTP.values())} == CHANNELS.keys()
    assert HTTP.keys() == PROTOCOLS.keys()


async def test_accepted(provider: Provider) -> None:
    """What the provider took is Accepted, with the id under which the provider knows it."""
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Accepted)
    assert provider.taken_over == [result.provider_message_id]


async def test_a_repeat_is_recognisable(provider: Provider) -> None:
    """Where a channel says so, the same notification, sent again, is known as the same, and another one is not;
    where it does not, a repeat would come as another message."""
    for notification_id in ("n-1", "n-1", "n-2"):
        await provider.channel.send(message(provider, notification_id), soon())
    first, again, other = provider.identities
    assert (first == again) is provider.channel.recognises_repeats
    assert other not in (first, again)


async def test_permanent(provider: Provider) -> None:
    """A refusal for good is Permanent."""
    await provider.refuse_for_good()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Permanent)
    assert result.reason is DeliveryReason.REJECTED


async def test_transient(provider: Provider) -> None:
    """A refusal for now is Transient."""
    await provider.refuse_for_now()
    assert isinstance(await provider.channel.send(message(provider), soon()), Transient)


async def test_dead_address(provider: Provider) -> None:
    """An address that does not exist is named so, and never repeated in the error."""
    await provider.refuse_address()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Permanent)
    assert result.reason is DeliveryReason.DEAD_ADDRESS
    for secret in provider.secrets:
        assert secret.lower() not in result.error.lower()


@of_accounts
async def test_account(provider: Provider) -> None:
    """A refusal that concerns the account says nothing against the message, and nothing of the account."""
    await provider.refuse_account()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, AccountWide)
    for secret in provider.secrets:
        assert secret.lower() not in result.error.lower()
    assert result.reason is DeliveryReason.AUTH_FAILED


async def test_lost_before_the_message(provider: Provider) -> None:
    """A connection that ends before the message was handed over is Transient: it has certainly not arrived."""
    await provider.drop_before_message()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.CONNECTION_FAILED
    assert provider.taken_over == []


async def test_lost_after_the_message(provider: Provider) -> None:
    """A connection that ends after the message was handed over is Unconfirmed: here it has arrived."""
    await provider.drop_after_message()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Unconfirmed)
    assert result.reason is DeliveryReason.LOST_AFTER_DATA
    assert len(provider.taken_over) == 1


async def test_silence_before_the_message(mail: EmailProvider) -> None:
    """No answer in time, before the message was handed over, is Transient."""
    mail.server.plan("RCPT", Cut.SILENCE)
    result = await mail.channel.send(message(mail), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.TIMEOUT


async def test_silence_after_the_message(provider: Provider) -> None:
    """No answer in time, after the message was handed over, is Unconfirmed."""
    await provider.stay_silent_after_message()
    started = time.monotonic()
    result = await provider.channel.send(message(provider), soon())
    assert isinstance(result, Unconfirmed)
    assert result.reason is DeliveryReason.TIMEOUT
    assert time.monotonic() - started < 2 * TIMEOUT_SECONDS


async def test_nonsense_after_the_message(provider: Provider) -> None:
    """An answer that nobody understands, after the message was handed over, is Unconfirmed."""
    await provider.talk_nonsense_after_message()
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
        provider.stay_silent_after_message,
        provider.talk_nonsense_after_message,
    )
    for number, fail in enumerate(failures):
        await fail()
        assert not isinstance(await provider.channel.send(message(provider, f"bad-{number}"), soon()), Accepted)
        await provider.mend()
        assert isinstance(await provider.channel.send(message(provider, f"good-{number}"), soon()), Accepted)


async def test_sessions_that_the_provider_ended(provider: Provider) -> None:
    """That the provider ended an idle session is no failure of the next message."""
    for number in range(3):
        assert isinstance(await provider.channel.send(message(provider, f"n-{number}"), soon()), Accepted)
        await provider.end_sessions()
    assert len(provider.taken_over) == 3


async def test_concurrency(provider: Provider) -> None:
    """However many messages come at once, no more sessions are held than was allowed."""
    sending = [provider.channel.send(message(provider, f"n-{number}"), soon()) for number in range(40)]
    assert all(isinstance(result, Accepted) for result in await asyncio.gather(*sending))
    assert len(set(provider.taken_over)) == 40
    assert provider.sessions_at_once <= CONCURRENCY


@of_bodies
@pytest.mark.parametrize("kind", [Kind.MALFORMED, Kind.HUGE, Kind.WRONG_TYPE])
async def test_answers_without_an_id(http: HttpProvider, kind: Kind) -> None:
    """A good status and a body that names no message leave it open whether there is one."""
    await http.fail(Fault(kind=kind, accepts=True))
    result = await http.channel.send(message(http), soon())
    assert isinstance(result, Unconfirmed)
    assert isinstance(await http.channel.send(message(http, "n-2"), soon()), Accepted)


@of_bodies
@pytest.mark.parametrize("kind", [Kind.MALFORMED, Kind.HUGE, Kind.WRONG_TYPE])
async def test_refusals_without_a_code(http: HttpProvider, kind: Kind) -> None:
    """A bad status is a refusal, whatever is in its body."""
    await http.fail(Fault(kind=kind, status=400))
    assert isinstance(await http.channel.send(message(http), soon()), Permanent)
    await http.fail(Fault(kind=kind, status=429))
    result = await http.channel.send(message(http), soon())
    assert isinstance(result, Transient)
    assert result.reason is DeliveryReason.RATE_LIMITED
    await http.fail(Fault(kind=kind, status=401))
    assert isinstance(await http.channel.send(message(http), soon()), AccountWide)


async def test_server_error(http: HttpProvider) -> None:
    """A 500 is what the provider's documentation says of it: certainly not taken, or open."""
    await http.fail(Fault(kind=Kind.ERROR))
    assert type(await http.channel.send(message(http), soon())) is http.speaks.server_error


async def test_redirect(http: HttpProvider) -> None:
    """A redirect is not followed."""
    await http.fail(Fault(kind=Kind.REDIRECT))
    result = await http.channel.send(message(http), soon())
    assert isinstance(result, Transient)
    assert "redirect" in result.error
    assert sum(http.simulator.world.counts.values()) == 1


async def test_retry_after(http: HttpProvider) -> None:
    """How long the provider wants to be left alone comes with the refusal."""
    await http.fail(http.speaks.for_now.model_copy(update={"retry_after": "17"}))
    result = await http.channel.send(message(http), soon())
    assert isinstance(result, Transient)
    assert result.retry_after_seconds == 17.0


async def test_slow_answer_in_time(http: HttpProvider) -> None:
    """An answer that is late, but not too late, counts."""
    await http.fail(Fault(kind=Kind.SLOW, seconds=TIMEOUT_SECONDS / 5))
    assert isinstance(await http.channel.send(message(http), soon()), Accepted)


async def test_slow_answer_too_late(http: HttpProvider) -> None:
    """What was accepted, but not answered in time, may have arrived: here it has."""
    await http.fail(Fault(kind=Kind.SLOW, seconds=3600))
    assert isinstance(await http.channel.send(message(http), soon()), Unconfirmed)
    assert len(http.taken_over) == 1


async def test_the_answer_repeats_what_was_sent(http: HttpProvider) -> None:
    """Where a provider repeats a message or a secret in its error, the result does not."""
    for fault in (http.speaks.for_good, http.speaks.for_now, http.speaks.dead, http.speaks.account):
        await http.fail(fault)
        result = await http.channel.send(message(http), soon())
        assert isinstance(result, Permanent | Transient)
        for secret in http.secrets:
            assert secret.lower() not in result.error.lower()
