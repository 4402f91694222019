"""`delivery.receipts`: what recipients and providers told us, for `deliver` to read."""

import asyncio
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas import SOURCE, encode
from schemas.event_types import RECEIPTS
from schemas.receipts import ReceiptStatus
from sinks.outgoing import Outgoing
from sinks.producer import EventProducer
from streams.clock import utc
from streams.errors import UserError
from streams.policy.delivery.correlation import Correlation
from streams.settings import Settings

PATIENCE_SECONDS = 8.0
"""Twilio waits 15 s for an answer, and a receipt may have to wait for those that are being written."""


class Receipts:
    """Writes what comes while others are being written with the next ones: Kafka is asked once for all of them.

    Every method returns when Kafka has it, and raises UserError if it did not take it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = settings.clock()
        self._producer: EventProducer | None = None
        self._waiting: list[tuple[Sequence[Outgoing], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, event_type: str, company_id: str, data: Mapping[str, Any]) -> None:
        await self._put([self._event(event_type, company_id, data)])

    async def write_receipt(self, about: Correlation, status: ReceiptStatus, **details: Any) -> None:
        """`provider.receipt`; `details` are further fields of it."""
        await self.write_receipts([(about, status, details)])

    async def write_receipts(self, told: Iterable[tuple[Correlation, ReceiptStatus, Mapping[str, Any]]]) -> None:
        """All of them or, as far as the sender is told, none."""
        await self._put(
            [
                self._event("provider.receipt", about.company_id, {**about._asdict(), "status": status, **details})
                for about, status, details in told
            ]
        )

    async def write_everywhere(self, event_type: str, data: Mapping[str, Any]) -> None:
        """In every partition, for it is about every company."""
        event = self._event(event_type, None, data)
        await self._put([event._replace(partition=number) for number in range(self._settings.partitions)])

    def _event(self, event_type: str, company_id: str | None, data: Mapping[str, Any]) -> Outgoing:
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
        return Outgoing(event_type, RECEIPTS, company_id.encode() if company_id else None, value)

    async def _put(self, records: Sequence[Outgoing]) -> None:
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((records, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._send, [record for records, _ in group for record in records])
            except Exception as error:  # whatever it was, nobody may wait for ever
                for _, written in group:
                    if not written.done():
                        written.set_exception(error)
            else:
                for _, written in group:
                    if not written.done():
                        written.set_result(None)

    def _send(self, records: Iterable[Outgoing]) -> None:
        """Made with the first receipt: most workers never have one. And anew after a failure, which it keeps."""
        given = self._settings
        producer = self._producer or EventProducer(
            given.kafka_client_config(), given.topic_prefix, self._clock, PATIENCE_SECONDS
        )
        self._producer = None
        try:
            for record in records:
                producer.send(record)
            producer.settle()
        except UserError:
            producer.discard()
            raise
        self._producer = producer
