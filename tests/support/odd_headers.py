"""Header names that are not UTF-8. No client for Python writes them; those for C, Go and PHP take any bytes."""

from collections.abc import Sequence
from unittest.mock import patch

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as Builder

ODD = "ce_gr\udcfc\udcdfe"
"""`ce_grüße` in Latin-1."""
ODD_AS_READ = "ce_gr\ufffd\ufffde"


class AnyBytes(str):
    """A text with bytes in it that are no UTF-8."""

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", "surrogateescape")


async def write(bootstrap: str, topic: str, records: Sequence[tuple[str, str]]) -> None:
    """(header name, value) of each, under one key."""
    with (
        patch("aiokafka.producer.producer.DefaultRecordBatchBuilder", Builder),
        patch("aiokafka.producer.message_accumulator.DefaultRecordBatchBuilder", Builder),
    ):
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            for name, value in records:
                await producer.send(topic, value.encode(), b"a", headers=[(AnyBytes(name), b"1")])
            await producer.flush()
