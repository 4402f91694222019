"""A browser and its push service, as the tests of push to browsers see them."""

import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from schemas.customer import Push
from schemas.notifications import Recipient
from schemas.push_addresses import Subscription
from schemas.reasons import Audience
from sinks.channels.base import Message
from sinks.channels.webpush import WebPush
from streams.policy.delivery.results import Result
from streams.simulator.protocols import signed, webpush

KEYS = webpush.PROTOCOL.settings("")
PLAIN = Message(
    company_id="co-7",
    notification_id="n-1",
    address="",
    name="Anna Müller",
    body_text="Salon: Ihr Termin am 22.11. um 14:30 😀",
    composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
    subject="Ihr Termin",
)


def opened(**changes: Any) -> WebPush:
    """With the keys that the simulated browsers know, and free to go anywhere."""
    settings = {"concurrency": 2, "timeout_seconds": 5, "allow_http": True, **changes}
    return WebPush(KEYS["STAFFETTA_VAPID_PRIVATE_KEY"], KEYS["STAFFETTA_VAPID_SUBJECT"], **settings)


@asynccontextmanager
async def channel(**changes: Any) -> AsyncIterator[WebPush]:
    push = opened(**changes)
    try:
        yield push
    finally:
        await push.close()


def subscribed(base_url: str, browser: str = "anna") -> Subscription:
    found = webpush.subscription(base_url, browser)
    return Subscription(found["endpoint"], found["keys"]["p256dh"], found["keys"]["auth"])


def recipient(subscription: Subscription) -> Recipient:
    keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
    push = Push.model_validate({"web_push": {"endpoint": subscription.endpoint, "keys": keys}})
    return Recipient(type=Audience.CUSTOMER, id="cu-1", name="Anna", push=push)


async def send(push: WebPush, subscription: Subscription, message: Message = PLAIN) -> Result:
    return await push.send(dataclasses.replace(message, address=subscription.address), time.monotonic() + 5)


def read(body: bytes, browser: str = "anna") -> Any:
    """What the browser reads."""
    return orjson.loads(signed.decrypted(body, webpush.browser_key(browser), webpush.browser_secret(browser)))
