"""The demo's phones do wrong what they are told to, and take the rest."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from schemas.reasons import DeliveryReason
from sinks.channels.twilio import Twilio
from streams.demo import cases
from streams.demo.phones import Phones
from streams.demo.reach import NOWHERE
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from tests.contract.test_twilio_channel import PLAIN
from tests.support.recording import Recorder, recording


@pytest.fixture
async def webhooks() -> AsyncIterator[Recorder]:
    async with recording(200) as webhooks:
        yield webhooks


@pytest.fixture
def phones(webhooks: Recorder) -> Iterator[Phones]:
    with Phones(webhooks.url) as phones:
        for rule in (*NOWHERE.values(), cases.NOT_MOBILE, cases.TOO_SLOW):
            phones.add(rule)
        yield phones


@pytest.fixture
async def sms(phones: Phones, webhooks: Recorder) -> AsyncIterator[Twilio]:
    found = {name.removeprefix("STAFFETTA_").lower(): value for name, value in phones.settings().items()}
    settings = Settings(**found, public_url=webhooks.url, provider_timeout_seconds=2.5)  # type: ignore[arg-type]
    channel = Twilio.from_settings(settings)
    assert channel is not None
    yield channel
    await channel.close()


async def send(sms: Twilio, number: str = PLAIN.address) -> Result:
    return await sms.send(dataclasses.replace(PLAIN, address=number), time.monotonic() + 5)


async def said_of(phones: Phones, webhooks: Recorder) -> list[str]:
    """The statuses that the receipts tell, once all are there."""
    await asyncio.to_thread(phones.settled)
    return [request.form["MessageStatus"] for request in webhooks.requests]


async def test_takes(phones: Phones, webhooks: Recorder, sms: Twilio) -> None:
    """What nothing stands in the way of is accepted, delivered, and seen."""
    accepted = await send(sms)
    assert isinstance(accepted, Accepted)
    assert await said_of(phones, webhooks) == ["sent", "delivered"]
    [message] = phones.messages()
    assert (message["id"], message["content"]["Body"]) == (accepted.provider_message_id, PLAIN.body_text)


async def test_off(phones: Phones, webhooks: Recorder, sms: Twilio) -> None:
    """An SMS to a phone that is off is accepted, and then said not to have arrived."""
    assert isinstance(await send(sms, "+4915100000017"), Accepted)
    assert await said_of(phones, webhooks) == ["sent", "undelivered"]


async def test_puts_off(phones: Phones, sms: Twilio) -> None:
    """While it takes no SMS, it takes none for any number; afterwards all is as before."""
    phones.take_sms(False)
    for number in (PLAIN.address, "+4915100000017"):
        put_off = await send(sms, number)
        assert isinstance(put_off, Transient)
        assert put_off.reason is DeliveryReason.RATE_LIMITED
    assert not phones.messages()
    phones.take_sms(True)
    assert isinstance(await send(sms), Accepted)
    assert isinstance(await send(sms, cases.LANDLINE_NUMBER), Permanent)


async def test_leaves_in_doubt(phones: Phones, sms: Twilio) -> None:
    """One number's SMS is accepted, and nobody told so in time."""
    assert isinstance(await send(sms, cases.SLOW_NUMBER), Unconfirmed)
    assert [message["recipient"] for message in phones.messages()] == [cases.SLOW_NUMBER]


async def test_stop(phones: Phones, webhooks: Recorder, sms: Twilio) -> None:
    """Whoever answers STOP is heard of by the webhook, and gets no SMS any more."""
    phones.write(cases.STOPPED_NUMBER, "Stop")
    await asyncio.to_thread(phones.settled)
    [request] = webhooks.requests
    assert (request.path, request.form["Body"]) == ("/webhooks/twilio/inbound", "Stop")
    refused = await send(sms, cases.STOPPED_NUMBER)
    assert isinstance(refused, Permanent)
    assert refused.reason is DeliveryReason.OPTED_OUT
