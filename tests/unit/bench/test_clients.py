"""The clients of `bench/channels.py`, into the simulator."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from bench.providers import providers
from bench.workers.http_client import KINDS, messages, post, requests, send
from sinks.channels import CHANNELS
from sinks.channels.base import Channel
from streams.settings import Settings

COUNT = 3


def values(settings: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("STAFFETTA_").lower(): value for name, value in settings.items()}


async def bare(channel: Channel, kind: str, port: int) -> None:
    ready = await requests(channel, list(messages(channel, kind, COUNT, port)))
    async with aiohttp.ClientSession() as session:
        await post(session, iter(ready))
    await channel.close()


async def product(channel: Channel, kind: str, port: int) -> None:
    await send(channel, messages(channel, kind, COUNT, port))
    await channel.close()


@pytest.mark.parametrize("kind", KINDS)
def test_both_are_accepted_and_counted(kind: str, tmp_path: Path) -> None:
    """What the bare client posts is as right as what the channel sends; the simulator counts either, but not
    what is made beforehand."""
    with providers(tmp_path) as server:
        settings = Settings(**values(server.settings))  # type: ignore[arg-type]
        for number, way in enumerate((bare, product), start=1):
            channel = CHANNELS[KINDS[kind]](settings)
            assert channel is not None
            asyncio.run(way(channel, kind, server.push_port))
            assert server.taken == number * COUNT
