"""The page behind an unsubscribe link, when Kafka is away."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from schemas.reasons import ChannelName, NotificationType
from streams.errors import UserError
from streams.policy.delivery.unsubscribing import Choice, sign
from streams.settings import Settings
from streams.webhooks.receipts import Receipts
from streams.webhooks.unsubscribing import Unsubscribing

CHOICE = Choice("co-7", ChannelName.EMAIL, NotificationType.APPOINTMENT_REMINDER, "0" * 64)


class Away(Receipts):
    async def write(self, event_type: str, company_id: str, data: Mapping[str, Any]) -> None:
        raise UserError("no broker acknowledged it")


async def test_yes_is_said_only_when_it_is_written() -> None:
    """Nobody is told that they get no more mails while nothing is written: they are asked to try again."""
    settings = Settings(_env_file=None, recipient_hash_key="key")
    app = web.Application()
    Unsubscribing(settings, Away(settings)).add_to(app)
    async with TestClient(TestServer(app)) as client:
        answer = await client.post(f"/unsubscribe/{sign(CHOICE, b'key')}")
        assert answer.status == 503
        assert "try again" in await answer.text()
