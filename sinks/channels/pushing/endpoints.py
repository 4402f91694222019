"""Where a push service may be: an endpoint is a customer's word, and must not lead into our own network."""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

MOST_REMEMBERED = 1000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20")))
"""Special, and yet global to some versions of Python: IETF assignments, relays of 6to4, what was site-local, and
examples (RFC 9637)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotPublicError(OSError):
    """The name stands for an address that is nobody's on the Internet."""


class PublicAddresses(AbstractResolver):
    """Resolves names, and refuses those that have any address which is not public. What is connected to are the
    very addresses that were found here: there is no second question with another answer."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """`resolver` is the system's if it is not given."""
        self._resolver = resolver
        self._refused: dict[str, None] = {}

    def has_refused(self, name: str) -> bool:
        """Whether that was the last word about the name."""
        return name in self._refused

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        name = host.lower()
        if all(is_public(each["host"]) for each in found):
            self._refused.pop(name, None)
            return found
        if len(self._refused) >= MOST_REMEMBERED:
            self._refused.clear()
        self._refused[name] = None
        raise NotPublicError("the host has an address that is not public")

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()


def is_public(address: str) -> bool:
    """Whether it is one host's on the Internet, also behind the forms in which IPv6 carries an IPv4 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return all(_is_hosts(each) for each in _meant(parsed))


def _is_hosts(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NEVER if network.version == address.version)


def _meant(address: Address) -> tuple[Address, ...]:
    """The address, or those to which it leads in truth."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF),)
    return (address,)
