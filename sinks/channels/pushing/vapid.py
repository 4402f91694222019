"""Who we are, for push services (RFC 8292), and what only the browser can read (RFC 8291)."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPusher

from schemas.push_addresses import Subscription

MOST_BYTES = 4096
MOST_PLAIN_BYTES = MOST_BYTES - 86 - 17
"""What is left of a body of 4096 bytes after the header (with its key) and the tag and delimiter of one record."""
SIGNATURE_SECONDS = 12 * 3600
"""A push service takes none that is good for more than a day."""
RENEWED_SECONDS = 3600
MOST_SERVICES = 100


class _Signed(NamedTuple):
    header: str
    ends_at: float


class Vapid:
    """Signs as `subject`, a `mailto:` or `https:` URL at which a push service reaches us. `now` is its clock."""

    def __init__(self, private_key: str, subject: str, now: Callable[[], float] = time.time) -> None:
        """`private_key`: 32 bytes in base64url. Raises ValueError if it is none."""
        self._vapid = Vapid02.from_raw(private_key.encode())
        self._vapid.conf = {"no-strict": True}  # it would refuse a subject with a path, which the RFC does not
        self._subject = subject
        self._now = now
        self._signed: dict[str, _Signed] = {}

    def authorization(self, origin: str) -> str:
        """The header of that name, for a push service; the same one for hours."""
        now, signed = self._now(), self._signed.get(origin)
        if signed is None or signed.ends_at - now < RENEWED_SECONDS:
            ends_at = int(now) + SIGNATURE_SECONDS
            claims = {"aud": origin, "exp": ends_at, "sub": self._subject}
            if len(self._signed) >= MOST_SERVICES:
                self._signed.clear()
            signed = self._signed[origin] = _Signed(self._vapid.sign(claims)["Authorization"], ends_at)
        return signed.header

    @property
    def public_key(self) -> str:
        """The `applicationServerKey` with which pages subscribe: a point of the curve, in base64url."""
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return urlsafe_b64encode(point).rstrip(b"=").decode()

    def signs(self) -> bool:
        """Whether what is signed passes for ours, under the public key."""
        claims = {"aud": "https://push.example", "exp": int(self._now()) + 60, "sub": self._subject}
        return bool(self._vapid.verify(self._vapid.sign(claims)["Authorization"]))


def encrypted(plain: bytes, subscription: Subscription) -> bytes:
    """In the coding `aes128gcm`, with a key and salt that are used once. Raises ValueError if the browser's key is
    no point of the curve."""
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    body: bytes = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(plain)["body"]
    return body
