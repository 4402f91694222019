"""`delivery.receipts`: what recipients and providers told us, for `deliver` to read."""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from schemas import SOURCE, encode
from schemas.event_types import RECEIPTS
from sinks.outgoing import Outgoing
from sinks.producer import EventProducer
from streams.clock import utc
from streams.errors import UserError
from streams.settings import Settings


class Receipts:
    """Writes one event after the other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = settings.clock()
        self._one_at_a_time = asyncio.Lock()
        self._producer: EventProducer | None = None

    async def write(self, event_type: str, company_id: str, data: Mapping[str, Any]) -> None:
        """Returns when Kafka has it. Raises UserError if it did not take it."""
        now = utc(self._clock.now())
        value = encode(
            event_type,
            id=str(uuid.uuid4()),
            source=f"{SOURCE}/webhooks",
            time=now,
            subject=None,
            company_id=company_id,
            data={**data, "company_id": company_id, "at": now},
        )
        async with self._one_at_a_time:
            await asyncio.to_thread(self._send, Outgoing(event_type, RECEIPTS, company_id.encode(), value))

    def _send(self, receipt: Outgoing) -> None:
        """Made with the first receipt: most workers never have one. And anew after a failure, which it keeps."""
        given = self._settings
        producer = self._producer or EventProducer(given.kafka_client_config(), given.topic_prefix, self._clock)
        self._producer = None
        try:
            producer.send(receipt)
            producer.settle()
        except UserError:
            producer.discard()
            raise
        self._producer = producer
