"""The webhooks of a worker, in a server of their own, and what they would have written."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from schemas import decode
from schemas.event_types import RECEIPTS
from sinks.outgoing import Outgoing
from streams import metrics, webhooks
from streams.errors import UserError
from streams.settings import Settings
from streams.webhooks.receipts import Receipts

PUBLIC_URL = "https://notify.example.org/staffetta"
SETTINGS: dict[str, Any] = {
    "recipient_hash_key": "key",
    "public_url": PUBLIC_URL,
    "partitions": 3,
    "twilio_auth_token": "12345",
    "whatsapp_app_secret": "secret",
    "whatsapp_verify_token": "verify",
    "webhook_email_token": "token",
}
Client = TestClient[web.Request, web.Application]


class Kafka:
    """In the place of the brokers. Everything that it takes can be read."""

    def __init__(self) -> None:
        self.is_away = False
        self.calls: list[Sequence[Outgoing]] = []

    @property
    def records(self) -> list[Outgoing]:
        return [record for call in self.calls for record in call]

    @property
    def said(self) -> list[dict[str, Any]]:
        """The events' data, without what is the same in all, and with their types."""
        events = [orjson.loads(record.value or b"") for record in self.records]
        for event in events:
            del event["data"]["at"]
        return [{"type": event["type"], **event["data"]} for event in events]

    def send(self, _: Receipts, records: Sequence[Outgoing]) -> None:
        if self.is_away:
            raise UserError("no broker acknowledged it")
        for record in records:
            decode(RECEIPTS, record)
        self.calls.append(list(records))


@asynccontextmanager
async def serving(kafka: Kafka, monkeypatch: Any, **settings: Any) -> AsyncIterator[Client]:
    monkeypatch.setattr(Receipts, "_send", lambda receipts, records: kafka.send(receipts, records))
    app = web.Application()
    webhooks.add_webhooks(app, Settings(_env_file=None, **{**SETTINGS, **settings}))
    async with TestClient(TestServer(app)) as client:
        yield client


async def first_line(url: str, request: bytes) -> bytes:
    """Of the answer to whatever these bytes are; empty if the server hangs up instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
    writer.write(request)
    line = await reader.readline()
    writer.close()
    return line


def counted(webhook: str, result: str) -> float:
    labels: Mapping[str, str] = {"webhook": webhook, "result": result}
    name = "staffetta_webhook_requests_total"
    return metrics.SUPERVISOR_REGISTRY.get_sample_value(name, dict(labels)) or 0.0
