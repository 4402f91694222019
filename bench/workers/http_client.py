"""A channel that speaks HTTP, alone: `python -m bench.workers.http_client WAY KIND COUNT PUSH_PORT`.

`channel` hands messages to the channel of the product. `bare` is the yardstick: an aiohttp client as it comes. It
posts the requests that the channel would make, made beforehand, and reads the answers.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from unittest.mock import patch

import aiohttp
import orjson
import uvloop

from bench.job import Job
from bench.loads.mails import phone
from schemas.notifications import FilledTemplate, Recipient
from schemas.reasons import ChannelName
from sinks.channels import CHANNELS
from sinks.channels.base import Channel, Message
from sinks.channels.http import Http
from streams.policy.delivery.results import Accepted, NotStarted, Result
from streams.settings import load_settings
from streams.simulator.protocols import webpush

KINDS = {
    "SMS": ChannelName.SMS,
    "WhatsApp": ChannelName.WHATSAPP,
    "push to apps": ChannelName.PUSH,
    "push to browsers": ChannelName.PUSH,
}
BROWSERS = 100
TEXT = "Praxis am Markt: Ihr Termin am 25.11. um 14:30 ist bestätigt. Wir freuen uns auf Sie."
TEMPLATE = FilledTemplate(name="appointment_created", language="de", parameters=("Erika", "25.11.", "14:30"))
LONG = 600.0


class Ready(NamedTuple):
    """A request, made beforehand."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def messages(channel: Channel, kind: str, count: int, push_port: int) -> Iterator[Message]:
    """Each to somebody else, but for the browsers, which take turns."""
    now = datetime.now(UTC)
    for number in range(count):
        recipient = Recipient.model_validate_json(orjson.dumps(_recipient(kind, number, push_port)))
        yield Message(
            company_id="co-7",
            notification_id=f"00000000-0000-5000-8000-{number:012}",
            address=channel.address(recipient) or "",
            name=recipient.name,
            subject="Ihr Termin ist bestätigt",
            body_text=TEXT,
            composed_at=now,
            template=TEMPLATE,
            ttl_seconds=3600,
        )


def _recipient(kind: str, number: int, push_port: int) -> dict[str, Any]:
    who = {"type": "customer", "id": "cu-1", "name": "Erika Müller-Beispiel", "phone": phone(number)}
    if kind == "push to apps":
        return who | {"push": {"fcm_token": f"token:{number}"}}
    if kind == "push to browsers":
        browser = webpush.subscription(f"http://127.0.0.1:{push_port}", f"browser-{number % BROWSERS}")
        return who | {"push": {"web_push": browser}}
    return who


async def requests(channel: Channel, made: Sequence[Message]) -> list[Ready]:
    """What the channel would post; only the access token of FCM is really asked for."""
    found, post = [], Http.post

    async def note(http: Http, url: str, body: bytes, headers: Mapping[str, str], begin_before: float) -> Any:
        if url.endswith("/token"):
            return await post(http, url, body, headers, begin_before)
        found.append(Ready(url, body, dict(headers)))
        return NotStarted()

    with patch.object(Http, "post", note):
        for message in made:
            await channel.send(message, time.monotonic() + LONG)
    return found


async def send(channel: Channel, made: Iterator[Message]) -> None:
    for message in made:
        result: Result = await channel.send(message, time.monotonic() + LONG)
        if not isinstance(result, Accepted):
            raise RuntimeError(f"not accepted: {result}")


async def post(session: aiohttp.ClientSession, ready: Iterator[Ready]) -> None:
    for url, body, headers in ready:
        async with session.post(url, data=body, headers=headers) as response:
            content = await response.read()
            if not response.ok:
                raise RuntimeError(f"not accepted: {response.status} {content.decode()}")


async def main(job: Job, way: str, kind: str, count: int, push_port: int) -> None:
    channel = CHANNELS[KINDS[kind]](load_settings())
    assert channel is not None, f"there is no account for {kind}"
    made = list(messages(channel, kind, count, push_port))
    if way == "channel":
        waiting = iter(made)
        await asyncio.gather(*(send(channel, waiting) for _ in range(job.connections)))
    else:
        ready = iter(await requests(channel, made))
        connector = aiohttp.TCPConnector(limit=job.connections)
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(post(session, ready) for _ in range(job.connections)))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(Job.given(), sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
