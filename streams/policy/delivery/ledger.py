"""What `deliver` has taken on, for one partition number: its rows, and the little that is counted over them."""

import heapq

import msgspec

from streams.policy.delivery.intents import (
    Delivery,
    Finished,
    Key,
    decode_finished,
    decode_intent,
    encode,
)
from streams.state import State

INTENTS = "intents"
"""In flight: the provider may get them, or have got them, at any time."""
WAITING = "waiting"
"""Taken on, not in flight."""
FINISHED = "finished"
"""Ids of what came to its end, so that nothing is sent for the same id again."""
TABLES = (INTENTS, WAITING, FINISHED)

DAY_MS = 86_400_000


class Ledger:
    """Reads and changes the rows, and keeps what would cost a scan. Built from the rows; a rollback ends it."""

    def __init__(self, state: State, holder: str) -> None:
        self._state = state
        self._holder = holder
        self.in_flight = 0
        self.orphans: list[Delivery] = []
        """In flight under another holder, who is gone: their answers are lost."""
        self._due: list[tuple[float, Key]] = []
        self._swept_day = 0
        for company_id in state.scopes(INTENTS):
            for row in state.rows(INTENTS, company_id).values():
                self.in_flight += 1
                if decode_intent(row).holder != holder:
                    self.orphans.append(Delivery.from_row(row))
        for company_id in state.scopes(WAITING):
            for notification_id, row in state.rows(WAITING, company_id).items():
                self._due.append((decode_intent(row).due_at, (company_id, notification_id)))
        heapq.heapify(self._due)

    @property
    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    def knows(self, key: Key, redrive: int, now_ms: int) -> bool:
        """Whether a request for this id is a second one: taken on already, or at its end."""
        if self.is_in_flight(key) or self._state.get(WAITING, *key) is not None:
            return True
        row = self._state.get(FINISHED, *key)
        return row is not None and decode_finished(row).covers(redrive, now_ms)

    def is_in_flight(self, key: Key) -> bool:
        return self._state.get(INTENTS, *key) is not None

    def start(self, delivery: Delivery) -> Delivery:
        """From now on the provider may get it."""
        intent = msgspec.structs.replace(delivery.intent, holder=self._holder, due_at=0.0)
        self._state.put(INTENTS, *delivery.key, encode(intent))
        self.in_flight += 1
        return delivery._replace(intent=intent)

    def answered(self, delivery: Delivery) -> None:
        """No longer in flight, whatever the answer was."""
        self._state.delete(INTENTS, *delivery.key)
        self.in_flight -= 1

    def wait(self, delivery: Delivery, due_at: float) -> None:
        intent = msgspec.structs.replace(delivery.intent, holder="", due_at=due_at)
        self._state.put(WAITING, *delivery.key, encode(intent))
        heapq.heappush(self._due, (due_at, delivery.key))

    def take_due(self, now: float) -> Delivery | None:
        """The one that is due for the longest; it waits no longer."""
        if not self._due or self._due[0][0] > now:
            return None
        _, key = heapq.heappop(self._due)
        row = self._state.get(WAITING, *key)
        if row is None:
            raise LookupError(f"nothing waits under {key}")
        self._state.delete(WAITING, *key)
        return Delivery.from_row(row)

    def finish(self, delivery: Delivery, *, sent: bool) -> None:
        finished = Finished(delivery.intent.record_ms, delivery.due.redrive, sent)
        self._state.put(FINISHED, *delivery.key, encode(finished))

    def forget(self, now_ms: int) -> None:
        """Drop what came to its end long ago; looked through once for each day of record time."""
        if now_ms // DAY_MS <= self._swept_day:
            return
        self._swept_day = now_ms // DAY_MS
        for company_id in list(self._state.scopes(FINISHED)):
            for notification_id, row in list(self._state.rows(FINISHED, company_id).items()):
                if decode_finished(row).is_forgotten(now_ms):
                    self._state.delete(FINISHED, company_id, notification_id)
