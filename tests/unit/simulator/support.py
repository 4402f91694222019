"""The simulator, called as a client of the provider would call it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp

from streams.simulator import Fault, Rule, Simulator, World
from streams.simulator.protocols import twilio, whatsapp

SMS: Mapping[str, str] = {"To": "+4915112345678", "From": twilio.FROM, "Body": "Guten Tag"}
CHAT: Mapping[str, Any] = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": "+4915112345678",
    "type": "text",
    "text": {"body": "Guten Tag"},
}


class Said(NamedTuple):
    """`status` 0: the connection ended without an answer."""

    status: int
    content: Any = None
    headers: Mapping[str, str] = {}


@dataclass
class Stage:
    """A simulator and a client. Its clock stands still until it is moved; whoever sleeps there waits for
    `wake_up`."""

    public_url: str | None = None
    now: float = 1000.0
    asleep: "asyncio.Queue[tuple[float, asyncio.Event]]" = field(default_factory=asyncio.Queue)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Stage"]:
        self.world = World(public_url=self.public_url, clock=lambda: self.now, sleep=self.sleep)
        async with Simulator(self.world) as self.simulator, aiohttp.ClientSession() as self.client:
            yield self

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self.asleep.put_nowait((seconds, woken))
        await woken.wait()

    async def wake_up(self) -> float:
        """The first of those who sleep, once there is one; for how long it was to sleep."""
        seconds, woken = await self.asleep.get()
        woken.set()
        return seconds

    def rule(self, fault: Fault, **choice: Any) -> None:
        self.world.rules.add(Rule(fault=fault, **choice))

    async def sms(
        self,
        *,
        account: str = twilio.ACCOUNT_SID,
        token: str = twilio.AUTH_TOKEN,
        without: str = "",
        **fields: str,
    ) -> Said:
        form = {name: value for name, value in {**SMS, **fields}.items() if name != without}
        url = f"{self.simulator.doors['twilio'].url}/2010-04-01/Accounts/{account}/Messages.json"
        headers = {"Authorization": twilio.credentials(twilio.ACCOUNT_SID, token)}
        return await self._said("POST", url, data=form, headers=headers)

    async def chat(
        self,
        *,
        token: str = whatsapp.TOKEN,
        number: str = whatsapp.PHONE_NUMBER_ID,
        without: str = "",
        **fields: Any,
    ) -> Said:
        content = {name: value for name, value in {**CHAT, **fields}.items() if name != without}
        url = f"{self.simulator.doors['whatsapp'].url}/v23.0/{number}/messages"
        return await self._said("POST", url, json=content, headers={"Authorization": f"Bearer {token}"})

    async def account(self, *, account: str = twilio.ACCOUNT_SID, token: str = twilio.AUTH_TOKEN) -> Said:
        url = f"{self.simulator.doors['twilio'].url}/2010-04-01/Accounts/{account}.json"
        headers = {"Authorization": twilio.credentials(twilio.ACCOUNT_SID, token)}
        return await self._said("GET", url, headers=headers)

    async def number(self, *, number: str = whatsapp.PHONE_NUMBER_ID, token: str = whatsapp.TOKEN) -> Said:
        url = f"{self.simulator.doors['whatsapp'].url}/v23.0/{number}"
        return await self._said("GET", url, headers={"Authorization": f"Bearer {token}"})

    async def control(self, method: str, path: str, content: Any = None) -> Said:
        return await self._said(method, self.simulator.control.url + path, json=content)

    async def _said(self, method: str, url: str, **request: Any) -> Said:
        try:
            async with self.client.request(method, url, allow_redirects=False, **request) as answer:
                is_json = answer.content_type == "application/json"
                content = await answer.json() if is_json else await answer.text()
                return Said(answer.status, content, answer.headers)
        except aiohttp.ClientError:
            return Said(0)


@asynccontextmanager
async def stage(public_url: str | None = None) -> AsyncIterator[Stage]:
    async with Stage(public_url).open() as opened:
        yield opened
