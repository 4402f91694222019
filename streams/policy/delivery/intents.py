"""The rows by which `deliver` remembers what it has taken on, and what it has finished with."""

import zlib
from collections.abc import Mapping
from typing import NamedTuple, Self

import msgspec

from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName, DeliveryReason, Priority
from schemas.receipts import ReceiptStatus

MEMORY_MS = 30 * 86_400_000
"""How long, in record time, an id is known after its notification came to an end; the inputs live 14 days."""

Key = tuple[str, str]
"""(company id, notification id)"""


class Line(NamedTuple):
    """What waits for the same sending slots."""

    channel: ChannelName
    priority: Priority


class Doubt(msgspec.Struct, array_like=True, frozen=True):
    """An attempt that may have arrived."""

    reason: DeliveryReason
    error: str
    at: float


class Intent(msgspec.Struct, array_like=True, frozen=True):
    """A notification that was taken on. From then on this row is the message: its record counts as applied."""

    channel: ChannelName
    request: bytes
    """The `data` of its `notification.attempt_due`."""
    record_ms: int
    """The timestamp of its record."""
    composed_at: float
    """The clock when it was taken on: the date of the message, however often it is handed over."""
    holder: str = ""
    """Who has it in flight: one time of holding the partition. With another's name, its answer is lost."""
    due_at: float = 0.0
    """While it waits: when the next attempt is due, by the clock."""
    doubt: Doubt | None = None
    """Set when the attempt may have arrived: the next one is its repetition."""
    since_ms: int = 0
    """The timestamp of the first record of this notification that was taken on."""
    priority: Priority = Priority.NORMAL
    about: str | None = None
    """The customer whom it speaks of."""

    @property
    def line(self) -> Line:
        return Line(self.channel, self.priority)


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """A notification whose last attempt a receipt may still be about, with all that another channel needs."""

    told: ReceiptStatus | None
    """What is known of the attempt; None: it was given up, and may have arrived all the same."""
    until: float
    """By the clock: what comes later is not ours any more."""
    intent: bytes
    """The intent's row, compressed."""
    about: str | None
    """The customer whom it speaks of."""
    provider_message_id: str | None = None

    @classmethod
    def of(
        cls, delivery: "Delivery", told: ReceiptStatus | None, until: float, provider_message_id: str | None
    ) -> Self:
        request = delivery.due.model_dump_json(exclude_none=True).encode()
        intent = msgspec.structs.replace(delivery.intent, request=request, holder="", doubt=None)
        row = zlib.compress(encode(intent), 1)
        return cls(told, until, row, delivery.due.about_customer, provider_message_id)

    @property
    def delivery(self) -> "Delivery":
        return Delivery.from_row(zlib.decompress(self.intent))


WrittenTo = Mapping[ChannelName, bytes]
"""By channel, the hash of the address to which a notification went, where receipts may tell of it."""


class Parked(msgspec.Struct, array_like=True, frozen=True):
    """A notification whose next attempt is on its way through the topics: this one attempt is let in again, and
    no other record of the same id."""

    channel: ChannelName
    attempt: int
    redrive: int
    due_at: float
    composed_at: float
    since_ms: int
    arrived: tuple[bytes, ...] = ()
    """Receipts that came since and say that an attempt before has arrived: this one is not to be made."""
    written_to: WrittenTo = {}

    def expects(self, due: AttemptDue, channel: ChannelName) -> bool:
        there = due.attempt, due.redrive, due.due_at.timestamp()
        return channel == self.channel and there == (self.attempt, self.redrive, self.due_at)


class Finished(msgspec.Struct, array_like=True, frozen=True):
    """A notification that came to its end."""

    record_ms: int
    redrive: int
    sent: bool
    since_ms: int = 0
    written_to: WrittenTo = {}

    def covers(self, redrive: int) -> bool:
        """Whether another request for it changes nothing: it was sent, or this very one has failed. Only an
        operator's redrive, which counts up, gives a failed one another chance."""
        return self.sent or redrive <= self.redrive

    def is_forgotten(self, now_ms: int) -> bool:
        return now_ms - self.record_ms > MEMORY_MS


encode = msgspec.msgpack.Encoder().encode
decode_finished = msgspec.msgpack.Decoder(Finished).decode
decode_kept = msgspec.msgpack.Decoder(Kept).decode
decode_intent = msgspec.msgpack.Decoder(Intent).decode
decode_parked = msgspec.msgpack.Decoder(Parked).decode


class Delivery(NamedTuple):
    """A notification that was taken on, its request read."""

    intent: Intent
    due: AttemptDue

    @classmethod
    def from_row(cls, row: bytes) -> Self:
        intent = decode_intent(row)
        return cls(intent, AttemptDue.model_validate_json(intent.request))

    @property
    def key(self) -> Key:
        return self.due.company_id, self.due.notification_id
