"""No request is ever made to an address of our own network, whatever a subscription says."""

import asyncio
import socket
from collections.abc import Sequence

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from schemas.reasons import DeliveryReason
from sinks.channels.pushing.endpoints import PublicAddresses
from streams.policy.delivery.results import Accepted, Permanent, Transient
from tests.contract.webpush_support import channel, recipient, send, subscribed
from tests.support.recording import recording


class Zone(AbstractResolver):
    """Every name has these addresses; an answer may change with each question."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if not answer:
            raise OSError(socket.EAI_NONAME, "no such name")
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for each in answer
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
    ],
)
async def test_names_that_lead_home(addresses: list[str]) -> None:
    """A name of ours, or one that also is, is refused for good, and nobody is connected to."""
    async with (
        recording(201) as service,
        channel(addresses=PublicAddresses(Zone(addresses)), allow_http=False) as push,
    ):
        port = service.url.rpartition(":")[2]
        said = await send(push, subscribed(f"https://push.example.org:{port}"))
    assert isinstance(said, Permanent)
    assert said.reason is DeliveryReason.REJECTED
    assert "not public" in said.error
    assert service.requests == []


async def test_unknown_names() -> None:
    """That a name is not known may pass."""
    async with channel(addresses=PublicAddresses(Zone([])), allow_http=False) as push:
        said = await send(push, subscribed("https://push.example.org"))
    assert type(said) is Transient
    assert said.reason is DeliveryReason.CONNECTION_FAILED


@pytest.mark.parametrize(
    "endpoint",
    ["https://localhost:{port}", "https://LOCALHOST:{port}", "https://ip6-localhost:{port}"],
)
async def test_localhost(endpoint: str) -> None:
    """Asked with the system's own resolver: this machine is never reached."""
    async with recording(201) as service, channel(allow_http=False) as push:
        said = await send(push, subscribed(endpoint.format(port=service.url.rpartition(":")[2])))
    assert isinstance(said, Permanent | Transient)
    assert service.requests == []


@pytest.mark.parametrize(
    "base_url",
    ["http://push.example.org", "http://127.0.0.1:{port}", "https://127.0.0.1:{port}", "https://93.184.216.34"],
)
async def test_no_address_at_all(base_url: str) -> None:
    """Without TLS, or with a number in place of a name, a subscription is no address, and none is asked."""
    async with recording(201) as service, channel(allow_http=False) as push:
        anna = subscribed(base_url.format(port=service.url.rpartition(":")[2]))
        assert push.address(recipient(anna)) is None
        assert isinstance(await send(push, anna), Permanent)
    assert service.requests == []


async def test_the_setting_for_tests() -> None:
    """With it, an endpoint may be without TLS and anywhere."""
    async with recording(201) as service, channel(allow_http=True) as push:
        anna = subscribed(service.url)
        assert push.address(recipient(anna)) == anna.address
        assert isinstance(await send(push, anna), Accepted)
        named = subscribed(service.url.replace("127.0.0.1", "localhost"))
        assert isinstance(await send(push, named), Accepted)


class AsIfPublic(PublicAddresses):
    """What was found to be public leads to this machine all the same: nothing else is there in a test."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        return [ResolveResult(**{**each, "host": "127.0.0.1"}) for each in found]  # type: ignore[typeddict-item]


async def test_names_that_change_their_mind() -> None:
    """A name is asked about once, and what was looked at is what is connected to: another address has no moment to
    come in between."""
    zone, connections = Zone(["93.184.216.34"], ["10.0.0.1"]), 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with channel(addresses=AsIfPublic(zone), allow_http=False) as push:
        said = await send(push, subscribed(f"https://push.example.org:{port}"))
    assert type(said) is Transient  # there is no TLS
    assert zone.asked == ["push.example.org"]
    assert connections == 1
    listener.close()
