"""Where a push message goes, as one text: what a channel sends to, an allow-list matches and a hash stands for."""

import base64
import binascii
import re
from typing import NamedTuple, Self

from schemas.customer import Push, WebPush

_TOKEN = re.compile(r"[A-Za-z0-9:_.~%-]{1,1024}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = rf"(?:{_LABEL}\.)*(?=[A-Za-z]){_LABEL}"
_IPV4 = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_ENDPOINT = re.compile(
    rf"https?://(?:(?P<name>{_NAME})|{_IPV4})(?::(?P<port>[0-9]{{1,5}}))?/[!$-;=?-\[\]-~]{{0,2000}}"
)
"""Of a form that every parser of URLs reads alike: no user, no fragment, no host in any clever notation."""
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}={0,2}")
_POINT_BYTES, _SECRET_BYTES = 65, 16
_UNCOMPRESSED = 4
_DEFAULT_PORTS = {"http:": 80, "https:": 443}


class Subscription(NamedTuple):
    """A browser's (RFC 8030, RFC 8291). As an address it is the endpoint, with the keys as its fragment."""

    endpoint: str
    p256dh: str
    """The browser's public key: an uncompressed point of P-256, in base64url without padding."""
    auth: str
    """The secret of 16 bytes, in base64url without padding."""

    @classmethod
    def read(cls, address: str) -> Self | None:
        """The subscription of an address, if it is one's."""
        endpoint, _, fragment = address.partition("#")
        auth, _, p256dh = fragment.partition(".")
        found = cls(endpoint, p256dh, auth)
        return found if found.is_usable else None

    @property
    def address(self) -> str:
        return f"{self.endpoint}#{self.auth}.{self.p256dh}"

    @property
    def is_usable(self) -> bool:
        point, secret = decoded(self.p256dh), decoded(self.auth)
        if len(point) != _POINT_BYTES or point[0] != _UNCOMPRESSED or len(secret) != _SECRET_BYTES:
            return False
        match = _ENDPOINT.fullmatch(self.endpoint)
        return match is not None and int(match["port"] or 443) < 65_536

    @property
    def origin(self) -> str:
        """Scheme, host and port of the endpoint, each origin in one form only (RFC 6454)."""
        scheme, _, authority, _ = self.endpoint.split("/", 3)
        host, _, port = authority.lower().partition(":")
        if not port or int(port) == _DEFAULT_PORTS[scheme]:
            return f"{scheme}//{host}"
        return f"{scheme}//{host}:{int(port)}"

    @property
    def is_secure(self) -> bool:
        return self.endpoint.startswith("https:")

    @property
    def host_name(self) -> str | None:
        """In lower case; None where the endpoint names a number instead."""
        match = _ENDPOINT.fullmatch(self.endpoint)
        name = match["name"] if match is not None else None
        return None if name is None else name.lower()


def decoded(key: str) -> bytes:
    """Base64url, padded or not; empty if it is something else."""
    if not _KEY.fullmatch(key):
        return b""
    try:
        return base64.urlsafe_b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4))
    except binascii.Error:
        return b""


def usable_token(push: Push | None) -> str | None:
    """The device's FCM token, if it has the form of one."""
    token = push.fcm_token if push is not None else None
    return token if token is not None and _TOKEN.fullmatch(token) else None


def usable_subscription(push: Push | None) -> Subscription | None:
    """The browser's subscription, if something can be sent to one of this form."""
    if push is None or push.web_push is None:
        return None
    found = _of(push.web_push)
    return found if found.is_usable else None


def _of(web_push: WebPush) -> Subscription:
    keys = web_push.keys
    return Subscription(web_push.endpoint, keys.p256dh.rstrip("="), keys.auth.rstrip("="))


def usable_push(push: Push | None) -> str | None:
    """The address of either kind, as a channel that knows both takes it."""
    subscription = usable_subscription(push)
    return usable_token(push) or (subscription.address if subscription is not None else None)
