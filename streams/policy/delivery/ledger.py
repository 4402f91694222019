"""What `deliver` has taken on, for one partition number: its rows, and the little that is counted over them."""

import zlib
from collections import Counter, defaultdict
from typing import NamedTuple

import msgspec

from schemas.notifications import AttemptDue
from schemas.reasons import ChannelName
from streams.policy.delivery.intents import (
    MEMORY_MS,
    Delivery,
    Finished,
    Kept,
    Key,
    Line,
    Parked,
    WrittenTo,
    decode_finished,
    decode_intent,
    decode_kept,
    decode_parked,
    encode,
)
from streams.policy.delivery.known import rows as known
from streams.policy.delivery.slots import ORDER
from streams.policy.delivery.turns import Turns
from streams.state import State

INTENTS = "intents"
"""In flight: the provider may get them, or have got them, at any time."""
WAITING = "waiting"
"""Taken on, not in flight. There may be thousands, so their rows are compressed."""
FINISHED = "finished"
"""Ids of what came to its end, so that nothing is sent for the same id again."""
PARKED = "parked"
"""On their way through the topics, for a later attempt or on another channel."""
KEPT = "kept"
"""Handed over, with a receipt still to come."""
EARLY = "early"
"""Receipts about what is in flight: they may overtake the answer."""
TABLES = (INTENTS, WAITING, FINISHED, PARKED, KEPT, EARLY, *known.TABLES)

AT_ANY_TIME = 0.0
"""Due for what waits for a slot alone: whatever happens to the clock, it is."""
DAY_MS = 86_400_000


class Since(NamedTuple):
    """Since when a notification is known; `composed_at` is None for one that is new."""

    ms: int
    composed_at: float | None
    arrived: tuple[bytes, ...] = ()
    """Receipts by which an attempt before has arrived."""


class Ledger:
    """Reads and changes the rows, and keeps what would cost a scan. Built from the rows; a rollback ends it."""

    def __init__(self, state: State, holder: str) -> None:
        self._state = state
        self._holder = holder
        self.in_flight: Counter[Line] = Counter()
        self.orphans: list[Delivery] = []
        """In flight under another holder, who is gone: their answers are lost."""
        self.waiting_bytes: Counter[Line] = Counter()
        self.waiting_count: Counter[Line] = Counter()
        self._turns: defaultdict[Line, Turns] = defaultdict(Turns)
        self._swept_day = 0
        for company_id in state.scopes(INTENTS):
            for row in state.rows(INTENTS, company_id).values():
                intent = decode_intent(row)
                self.in_flight[intent.line] += 1
                if intent.holder != holder:
                    self.orphans.append(Delivery.from_row(row))
        self._line_up()

    def _line_up(self) -> None:
        """In the order in which they were taken on, as far as rows tell."""
        found: list[tuple[float, int, Key, Line]] = []
        for company_id in self._state.scopes(WAITING):
            for notification_id, row in self._state.rows(WAITING, company_id).items():
                intent = decode_intent(zlib.decompress(row))
                self._count(intent.line, len(row), 1)
                found.append((intent.due_at, intent.record_ms, (company_id, notification_id), intent.line))
        for due_at, _, key, line in sorted(found):
            self._turns[line].add(key, due_at)

    @property
    def next_due(self) -> float | None:
        """When something that waits is due; 0: it is."""
        moments = (turns.next_due for turns in self._turns.values())
        return min((moment for moment in moments if moment is not None), default=None)

    def due(self, now: float) -> set[Line]:
        """Where something waits that is due."""
        return {line for line, turns in self._turns.items() if turns.is_due(now)}

    def goes_first(self, line: Line, now: float) -> bool:
        """Whether something waits that goes before a new one of this line: what was taken on earlier does, unless
        it is less urgent."""
        urgent = ORDER[: ORDER.index(line.priority) + 1]
        return any(self._turns[Line(line.channel, each)].is_due(now) for each in urgent)

    def admit(self, due: AttemptDue, channel: ChannelName, record_ms: int) -> Since | None:
        """Let an attempt in, once; None for every repetition: of what was taken on already, of what is at its end,
        of an attempt before the one that is expected."""
        key = due.company_id, due.notification_id
        if self.is_in_flight(key) or self._state.get(WAITING, *key) is not None:
            return None
        parked = self.parked(key)
        if parked is not None:
            if not parked.expects(due, channel):
                return None
            self._state.delete(PARKED, *key)
            return Since(parked.since_ms, parked.composed_at, parked.arrived)
        row = self._state.get(FINISHED, *key)
        if row is None or (finished := decode_finished(row)).is_forgotten(record_ms):
            return Since(record_ms, None)
        return None if finished.covers(due.redrive) else Since(finished.since_ms or record_ms, None)

    def park(self, delivery: Delivery, written_to: WrittenTo) -> None:
        """It leaves as a record, which must come back to be attempted; `delivery` is as it will come back."""
        intent, due = delivery
        parked = Parked(
            intent.channel,
            due.attempt,
            due.redrive,
            due.due_at.timestamp(),
            intent.composed_at,
            intent.since_ms,
            written_to=written_to,
        )
        self._state.put(PARKED, *delivery.key, encode(parked))

    def parked(self, key: Key) -> Parked | None:
        row = self._state.get(PARKED, *key)
        return None if row is None else decode_parked(row)

    def arrived_before(self, key: Key, parked: Parked, receipt: bytes) -> None:
        """An attempt before the one that is parked has arrived, says a receipt."""
        row = msgspec.structs.replace(parked, arrived=(*parked.arrived, receipt))
        self._state.put(PARKED, *key, encode(row))

    def is_in_flight(self, key: Key) -> bool:
        return self._state.get(INTENTS, *key) is not None

    def start(self, delivery: Delivery) -> Delivery:
        """From now on the provider may get it."""
        intent = msgspec.structs.replace(delivery.intent, holder=self._holder, due_at=0.0)
        self._state.put(INTENTS, *delivery.key, encode(intent))
        self.in_flight[intent.line] += 1
        return delivery._replace(intent=intent)

    def answered(self, delivery: Delivery) -> None:
        """No longer in flight, whatever the answer was."""
        self._state.delete(INTENTS, *delivery.key)
        self.in_flight[delivery.intent.line] -= 1

    def wait(self, delivery: Delivery, due_at: float) -> None:
        intent = msgspec.structs.replace(delivery.intent, holder="", due_at=due_at)
        row = zlib.compress(encode(intent), 1)
        self._state.put(WAITING, *delivery.key, row)
        self._count(intent.line, len(row), 1)
        self._turns[intent.line].add(delivery.key, due_at)

    def take_due(self, line: Line, now: float) -> Delivery | None:
        """Of what is due of this line, the one whose turn it is; it waits no longer."""
        while (key := self._turns[line].take(now)) is not None:
            delivery = self.waiting(key)
            # What was taken back has left its place behind, and may stand elsewhere by now.
            if delivery is not None and delivery.intent.due_at <= now and delivery.intent.line == line:
                self.take_back(delivery)
                return delivery
        return None

    def take_back(self, delivery: Delivery) -> None:
        """It waits no longer."""
        row = self._state.get(WAITING, *delivery.key)
        if row is None:
            raise LookupError(f"nothing waits under {delivery.key}")
        self._state.delete(WAITING, *delivery.key)
        self._count(delivery.intent.line, -len(row), -1)

    def waiting(self, key: Key) -> Delivery | None:
        row = self._state.get(WAITING, *key)
        return None if row is None else Delivery.from_row(zlib.decompress(row))

    def waiting_about(self, company_id: str, customer_id: str) -> list[Delivery]:
        rows = map(zlib.decompress, self._state.rows(WAITING, company_id).values())
        return [Delivery.from_row(row) for row in rows if decode_intent(row).about == customer_id]

    def _count(self, line: Line, size: int, number: int) -> None:
        self.waiting_bytes[line] += size
        self.waiting_count[line] += number

    def finish(self, delivery: Delivery, written_to: WrittenTo, *, sent: bool) -> None:
        intent, redrive = delivery.intent, delivery.due.redrive
        finished = Finished(intent.record_ms, redrive, sent, intent.since_ms, written_to)
        self._state.put(FINISHED, *delivery.key, encode(finished))

    def written_to(self, key: Key, at_ms: int) -> WrittenTo:
        """Where it went before its end, and since an operator sent it on its way again."""
        parked, row = self.parked(key), self._state.get(FINISHED, *key)
        since = {} if parked is None else parked.written_to
        if row is None or (finished := decode_finished(row)).is_forgotten(at_ms):
            return since
        return {**finished.written_to, **since}

    def keep(self, kept: Kept, key: Key) -> None:
        """Until its receipts are in."""
        self._state.put(KEPT, *key, encode(kept))

    def kept(self, key: Key) -> Kept | None:
        row = self._state.get(KEPT, *key)
        return None if row is None else decode_kept(row)

    def let_go(self, key: Key) -> None:
        self._state.delete(KEPT, *key)

    def erase(self, company_id: str, customer_id: str) -> None:
        """No receipt is waited for any more: what would be needed then is the person."""
        for notification_id, row in list(self._state.rows(KEPT, company_id).items()):
            if decode_kept(row).about == customer_id:
                self._state.delete(KEPT, company_id, notification_id)

    def heard_early(self, key: Key, receipt: bytes) -> None:
        known = self._state.get(EARLY, *key)
        self._state.put(EARLY, *key, receipt if known is None else known + b"\n" + receipt)

    def take_early(self, key: Key) -> list[bytes]:
        """In the order in which they came."""
        known = self._state.get(EARLY, *key)
        if known is None:
            return []
        self._state.delete(EARLY, *key)
        return known.split(b"\n")

    def forget(self, now_ms: int) -> None:
        """Drop what came to its end, or was last heard of, long ago; looked through once for each day of record
        time."""
        if now_ms // DAY_MS <= self._swept_day:
            return
        self._swept_day = now_ms // DAY_MS
        sweep, now = self._state.sweep, now_ms / 1000
        known.forget(self._state, now)
        sweep(FINISHED, lambda row: decode_finished(row).is_forgotten(now_ms))
        sweep(PARKED, lambda row: decode_parked(row).due_at * 1000 + MEMORY_MS < now_ms)
        sweep(KEPT, lambda row: decode_kept(row).until < now)
