"""Push to browsers, by the push service that each of them has chosen (RFC 8030).

https://www.rfc-editor.org/rfc/rfc8030, RFC 8291 (encryption), RFC 8292 (VAPID)
"""

import time
from collections.abc import Callable, Mapping
from typing import Self

import orjson

from schemas.notifications import Recipient
from schemas.push_addresses import Subscription, usable_subscription
from schemas.reasons import DeliveryReason
from sinks.channels.answers import DEAD, REJECTED, THROTTLED, UNAVAILABLE, Answer, Meaning
from sinks.channels.base import Message
from sinks.channels.discretion import discreet
from sinks.channels.examining import Examination
from sinks.channels.http import Http
from sinks.channels.pushing import content
from sinks.channels.pushing.endpoints import PublicAddresses
from sinks.channels.pushing.vapid import MOST_PLAIN_BYTES, Vapid, encrypted
from streams.errors import UserError
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient, Unsendable
from streams.settings import Settings

# Not the account's fault as far as anybody can tell: a subscription knows the key with which it was made, and an
# endpoint may answer whatever it likes, which must not hold up everybody else's messages.
NOT_FOR_US = Meaning(Permanent, DeliveryReason.AUTH_FAILED)
MEANINGS: dict[int, Meaning] = {
    400: REJECTED,
    401: NOT_FOR_US,
    403: NOT_FOR_US,
    404: DEAD,
    410: DEAD,
    413: REJECTED,
    429: THROTTLED,
}
"""By status."""
ACCEPTED = frozenset({200, 201, 202})
MOST_WORDS = 1000
"""Bytes. What is longer is not repeated: whoever answers is whom a customer named, and may say anything."""


class WebPush:
    """Sends to browsers' subscriptions, over at most `concurrency` connections.

    With `allow_http` (for tests) an endpoint may be anywhere, and without TLS; else it is a name with public
    addresses only, and https.
    """

    recognises_repeats = True

    def __init__(
        self,
        private_key: str,
        subject: str,
        *,
        concurrency: int,
        timeout_seconds: float,
        allow_http: bool = False,
        addresses: PublicAddresses | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._vapid = Vapid(private_key, subject, now)
        self._subject = subject
        self._addresses = None if allow_http else addresses or PublicAddresses()
        self._http = Http(concurrency=concurrency, timeout_seconds=timeout_seconds, resolver=self._addresses)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        if settings.vapid_private_key is None or settings.vapid_subject is None:
            return None
        return cls(
            settings.vapid_private_key,
            settings.vapid_subject,
            concurrency=settings.push_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
            allow_http=settings.webpush_allow_http,
        )

    def address(self, recipient: Recipient) -> str | None:
        found = usable_subscription(recipient.push)
        return found.address if found is not None and self._may_be_asked(found) else None

    async def send(self, message: Message, begin_before: float) -> Result:
        subscription = Subscription.read(message.address)
        if subscription is None or not self._may_be_asked(subscription):
            return Unsendable(DeliveryReason.DEAD_ADDRESS, "no push can be sent to a subscription of this form")
        plain = content.fitted(message, MOST_PLAIN_BYTES, lambda title, text: _plain(message, title, text))
        if plain is None:
            return Unsendable(
                DeliveryReason.REJECTED, f"even without a text it has more than {MOST_PLAIN_BYTES} bytes"
            )
        try:
            body = encrypted(plain, subscription)
        except ValueError:
            return Unsendable(DeliveryReason.DEAD_ADDRESS, "the subscription's key is none")
        headers = self._headers(message, subscription)
        said = await self._http.post(subscription.endpoint, body, headers, begin_before)
        if isinstance(said, Answer):
            return _judged(said, message, subscription)
        if isinstance(said, Transient) and self._leads_astray(subscription):
            return Unsendable(DeliveryReason.REJECTED, "the endpoint's host has an address that is not public")
        return said

    def examinations(self) -> Mapping[str, Examination]:
        return {"webpush": self._examine}

    async def close(self) -> None:
        await self._http.close()
        if self._addresses is not None:
            await self._addresses.close()

    async def _examine(self) -> str:
        """There is nobody to ask: each push service knows us by the key alone."""
        if not self._vapid.signs():
            raise UserError("what is signed with STAFFETTA_VAPID_PRIVATE_KEY is not taken as ours: make a new key")
        return f"signs as {self._subject}; pages subscribe with applicationServerKey {self._vapid.public_key}"

    def _may_be_asked(self, subscription: Subscription) -> bool:
        """A number in place of a name would be connected to as it is, with nobody asked where that is."""
        return self._addresses is None or (subscription.is_secure and subscription.host_name is not None)

    def _leads_astray(self, subscription: Subscription) -> bool:
        return self._addresses is not None and self._addresses.has_refused(subscription.host_name or "")

    def _headers(self, message: Message, subscription: Subscription) -> dict[str, str]:
        return {
            "Authorization": self._vapid.authorization(subscription.origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(content.ttl_seconds(message)),
            "Topic": content.topic(message),
            "Urgency": content.urgency(message),
        }


def _plain(message: Message, title: str, text: str) -> bytes:
    return orjson.dumps({"notification": {"title": title, "body": text}, "data": content.data(message)})


def _judged(said: Answer, message: Message, subscription: Subscription) -> Result:
    """The topic is the id: by it the push service knows a repeat. What it calls the message itself is a URL that
    lets everybody who has it take the message back."""
    if said.status in ACCEPTED:
        return Accepted(content.topic(message))
    if said.is_success:
        return said.unclear()
    meaning = MEANINGS.get(said.status, UNAVAILABLE if said.status >= 500 else REJECTED)
    path = "/" + subscription.endpoint.split("/", 3)[3]
    secrets = (*subscription, path, path.rpartition("/")[2])
    words = discreet(said.body.decode(errors="replace"), message, secrets) if len(said.body) <= MOST_WORDS else ""
    return meaning.of(
        f"HTTP {said.status}: {words}" if words else f"HTTP {said.status}", said.retry_after_seconds()
    )
