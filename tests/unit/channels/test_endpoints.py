"""Which addresses are public."""

import socket
from collections.abc import Sequence

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from sinks.channels.pushing.endpoints import MOST_REMEMBERED, NotPublicError, PublicAddresses, is_public


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public(address: str) -> None:
    """A host's on the Internet, however it is written."""
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.0.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "example.org",
        "",
    ],
)
def test_not_public(address: str) -> None:
    """Private, loopback, link-local, multicast, reserved, documentation, and IPv6 that carries one of them."""
    assert not is_public(address)


class Zone(AbstractResolver):
    """Answers one after the other, whatever is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = iter(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in next(self._answers)
        ]

    async def close(self) -> None: ...


async def test_names_with_public_addresses() -> None:
    """They are resolved as ever."""
    addresses = PublicAddresses(Zone(["93.184.216.34", "2606:2800:220:1::1"]))
    found = await addresses.resolve("push.example.org", 443)
    assert [each["host"] for each in found] == ["93.184.216.34", "2606:2800:220:1::1"]
    assert not addresses.has_refused("push.example.org")


async def test_names_with_any_other_address() -> None:
    """One private address is enough to refuse the name, until it has none."""
    addresses = PublicAddresses(Zone(["93.184.216.34", "10.0.0.1"], ["93.184.216.34"]))
    with pytest.raises(NotPublicError):
        await addresses.resolve("Push.example.org", 443)
    assert addresses.has_refused("push.example.org")
    assert await addresses.resolve("push.example.org", 443)
    assert not addresses.has_refused("push.example.org")


async def test_localhost() -> None:
    """The system's own resolver is asked, and what it says of this machine is refused."""
    addresses = PublicAddresses()
    with pytest.raises(NotPublicError):
        await addresses.resolve("localhost", 443)
    await addresses.close()


async def test_memory_is_bounded() -> None:
    """However many names were refused, not more than so many are remembered."""
    addresses = PublicAddresses(Zone(*[["10.0.0.1"]] * (MOST_REMEMBERED + 1)))
    for number in range(MOST_REMEMBERED + 1):
        with pytest.raises(NotPublicError):
            await addresses.resolve(f"n{number}.example.org")
    assert addresses.has_refused(f"n{MOST_REMEMBERED}.example.org")
    assert not addresses.has_refused("n0.example.org")
