"""The providers of the contract suite: for each channel one that fails as it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.reasons import ChannelName
from sinks.channels.base import Channel
from sinks.channels.email import Email
from sinks.channels.fcm import Fcm
from sinks.channels.push import Push
from sinks.channels.twilio import Twilio
from sinks.channels.whatsapp import WhatsApp
from streams.policy.delivery.results import Transient, Unconfirmed
from streams.push_keys import parse_service_account
from streams.simulator import Accepted, Door, Fault, Kind, Rule, Simulator
from streams.simulator.protocols import fcm, twilio, webpush, whatsapp
from tests.contract.webpush_support import opened, subscribed
from tests.support.smtp import Cut, MailServer

CONCURRENCY = 3
TIMEOUT_SECONDS = 1.5


class Provider(Protocol):
    """Each fault comes once, with the next message, until `mend`."""

    channel: Channel
    address: str
    secrets: Sequence[str]
    """What no error may repeat."""

    @property
    def taken_over(self) -> list[str]:
        """The provider's ids of the messages that have arrived, repeats included."""
        ...

    @property
    def identities(self) -> list[str]:
        """What whoever gets them knows a repeat by."""
        ...

    @property
    def sessions_at_once(self) -> int: ...
    async def refuse_for_good(self) -> None: ...
    async def refuse_for_now(self) -> None: ...
    async def refuse_address(self) -> None: ...
    async def refuse_account(self) -> None: ...
    async def drop_before_message(self) -> None: ...
    async def drop_after_message(self) -> None: ...
    async def stay_silent_after_message(self) -> None: ...
    async def talk_nonsense_after_message(self) -> None: ...
    async def end_sessions(self) -> None: ...
    async def go_away(self) -> None: ...
    async def mend(self) -> None: ...


class EmailProvider:
    address = "anna@example.com"
    secrets: Sequence[str] = ("anna",)

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.channel: Channel = Email(
            server.address, "termine@example.org", concurrency=CONCURRENCY, timeout_seconds=TIMEOUT_SECONDS
        )

    @property
    def taken_over(self) -> list[str]:
        return [mail.message_id for mail in self.server.mails]

    @property
    def identities(self) -> list[str]:
        return self.taken_over

    @property
    def sessions_at_once(self) -> int:
        return self.server.most_at_once

    async def refuse_for_good(self) -> None:
        self.server.plan("RCPT", "554 5.7.1 not you")

    async def refuse_for_now(self) -> None:
        self.server.plan("RCPT", "450 4.2.0 later")

    async def refuse_address(self) -> None:
        self.server.plan("RCPT", "550 5.1.1 <anna@example.com>: no such user Anna")

    async def refuse_account(self) -> None:
        self.server.plan("MAIL", "530 5.7.0 authentication required")

    async def drop_before_message(self) -> None:
        self.server.plan("DATA", Cut.DROP)

    async def drop_after_message(self) -> None:
        self.server.plan("DOT", Cut.DROP)

    async def stay_silent_after_message(self) -> None:
        self.server.plan("DOT", Cut.SILENCE)

    async def talk_nonsense_after_message(self) -> None:
        self.server.plan("DOT", "hello?")

    async def end_sessions(self) -> None:
        self.server.drop_all()

    async def go_away(self) -> None:
        await self.server.__aexit__()

    async def mend(self) -> None: ...


@asynccontextmanager
async def email_provider() -> AsyncIterator[EmailProvider]:
    async with MailServer() as server:
        provider = EmailProvider(server)
        yield provider
        await provider.channel.close()


@dataclass(frozen=True)
class Speaks:
    """What the suite must know of a way to speak HTTP, of which a channel may have several. `open` makes it, given
    the base URL; the codes are those by which its provider refuses; `server_error` is what a 500 comes to,
    `identity` what a repeat is known by."""

    channel: ChannelName
    protocol: str
    address: str
    secrets: Sequence[str]
    open: Callable[[str], Channel]
    for_good: Fault
    for_now: Fault
    dead: Fault
    account: Fault
    server_error: type[Transient] | type[Unconfirmed]
    identity: Callable[[Accepted], str]


def refusal(code: int | str, **more: Any) -> Fault:
    return Fault(kind=Kind.REFUSE, code=code, **more)


class HttpProvider:
    """The simulator, seen by one channel."""

    def __init__(self, simulator: Simulator, speaks: Speaks) -> None:
        self.simulator, self.speaks = simulator, speaks
        self.address, self.secrets = speaks.address, speaks.secrets
        self.channel = speaks.open(self.door.url)

    @property
    def door(self) -> Door:
        return self.simulator.doors[self.speaks.protocol]

    @property
    def taken_over(self) -> list[str]:
        return [message.id for message in self.simulator.world.accepted]

    @property
    def identities(self) -> list[str]:
        return list(map(self.speaks.identity, self.simulator.world.accepted))

    @property
    def sessions_at_once(self) -> int:
        return self.door.most_at_once

    async def fail(self, fault: Fault) -> None:
        """With the next message."""
        self.simulator.world.rules.add(Rule(fault=fault, times=1))

    async def refuse_for_good(self) -> None:
        await self.fail(self.speaks.for_good)

    async def refuse_for_now(self) -> None:
        await self.fail(self.speaks.for_now)

    async def refuse_address(self) -> None:
        await self.fail(self.speaks.dead)

    async def refuse_account(self) -> None:
        await self.fail(self.speaks.account)

    async def drop_before_message(self) -> None:
        """HTTP has no moment between the connection and the message but TLS, which is in `test_http.py`."""
        await self.door.shut()

    async def drop_after_message(self) -> None:
        await self.fail(Fault(kind=Kind.CUT, accepts=True))

    async def stay_silent_after_message(self) -> None:
        await self.fail(Fault(kind=Kind.SLOW, seconds=3600))

    async def talk_nonsense_after_message(self) -> None:
        await self.fail(Fault(kind=Kind.MALFORMED, accepts=True))

    async def end_sessions(self) -> None:
        self.door.drop_all()
        for _ in range(10):  # turns of the loop in which the channel gets to know it
            await asyncio.sleep(0)

    async def go_away(self) -> None:
        await self.door.shut()

    async def mend(self) -> None:
        await self.door.open()


class BrowserProvider(HttpProvider):
    """Its ids are the topics: what a push service calls a message is nobody's business but its own."""

    def __init__(self, simulator: Simulator, speaks: Speaks) -> None:
        super().__init__(simulator, speaks)
        self.address = subscribed(self.door.url).address

    @property
    def taken_over(self) -> list[str]:
        return self.identities

    async def talk_nonsense_after_message(self) -> None:
        """Its answers have no body; a status that means nothing is the nonsense that it can talk."""
        await self.fail(Fault(kind=Kind.WRONG_TYPE, accepts=True, status=206))


SMS = Speaks(
    channel=ChannelName.SMS,
    protocol=twilio.NAME,
    address="+4915112345678",
    secrets=("4915112345678", twilio.ACCOUNT_SID, twilio.AUTH_TOKEN, "Guten Tag"),
    open=lambda url: Twilio(
        url,
        twilio.ACCOUNT_SID,
        twilio.AUTH_TOKEN,
        twilio.FROM,
        concurrency=CONCURRENCY,
        timeout_seconds=TIMEOUT_SECONDS,
    ),
    for_good=refusal(21408),
    for_now=refusal(20429),
    dead=refusal(21614),
    account=refusal(20003),
    server_error=Unconfirmed,
    identity=lambda message: message.id,
)
WHATSAPP = Speaks(
    channel=ChannelName.WHATSAPP,
    protocol=whatsapp.NAME,
    address="+4915112345678",
    secrets=("4915112345678", whatsapp.PHONE_NUMBER_ID, whatsapp.TOKEN, "Guten Tag"),
    open=lambda url: WhatsApp(
        url,
        whatsapp.PHONE_NUMBER_ID,
        whatsapp.TOKEN,
        concurrency=CONCURRENCY,
        timeout_seconds=TIMEOUT_SECONDS,
    ),
    for_good=refusal(131051),
    for_now=refusal(130429),
    dead=refusal(131026),
    account=refusal(190),
    server_error=Transient,
    identity=lambda message: message.id,
)
APP = Speaks(
    channel=ChannelName.PUSH,
    protocol=fcm.NAME,
    address="fJx7_token:APA91bH-anna",
    secrets=("APA91bH", "Guten Tag", fcm.CLIENT_EMAIL, "ya29"),
    open=lambda url: Push(
        Fcm(
            url,
            parse_service_account(json.dumps(fcm.service_account(url))),
            concurrency=CONCURRENCY,
            timeout_seconds=TIMEOUT_SECONDS,
        ),
        None,
    ),
    for_good=refusal("INVALID_ARGUMENT"),
    for_now=refusal("QUOTA_EXCEEDED"),
    dead=refusal("UNREGISTERED"),
    account=refusal("THIRD_PARTY_AUTH_ERROR"),
    server_error=Transient,
    identity=lambda message: str(message.call.correlation),
)
BROWSER = Speaks(
    channel=ChannelName.PUSH,
    protocol=webpush.NAME,
    address="",  # follows from the URL
    secrets=("/push/anna", "Guten Tag", *webpush.subscription("", "anna")["keys"].values()),
    open=lambda url: Push(None, opened(concurrency=CONCURRENCY, timeout_seconds=TIMEOUT_SECONDS)),
    for_good=refusal(400),
    for_now=refusal(429),
    dead=refusal(410),
    account=refusal(403),
    server_error=Transient,
    identity=lambda message: str(message.call.correlation),
)
HTTP: dict[str, Speaks] = {speaks.protocol: speaks for speaks in (SMS, WHATSAPP, APP, BROWSER)}


@asynccontextmanager
async def http_provider(name: str) -> AsyncIterator[HttpProvider]:
    async with Simulator() as simulator:
        provider = (BrowserProvider if name == webpush.NAME else HttpProvider)(simulator, HTTP[name])
        yield provider
        await provider.channel.close()


def provider_of(name: str) -> AbstractAsyncContextManager[Provider]:
    return http_provider(name) if name in HTTP else email_provider()


PROVIDERS = ("smtp", *HTTP)
