"""What a worker may send on one channel: how many at a time, how fast, and whether anything at all.

It belongs to a process, and nothing of it is durable: after a restart it is learned anew.
"""

from collections.abc import Hashable

from schemas.reasons import Priority
from streams.policy.delivery.breaker import Breaker
from streams.policy.delivery.rates import Rates
from streams.policy.delivery.slots import Held, Slots


class Capacity:
    """Two clocks: `now` is the one that stamps events, `ticks` counts seconds and never jumps."""

    def __init__(self, slots: Slots, rates: Rates, breaker: Breaker) -> None:
        self.slots = slots
        self.breaker = breaker
        self._rates = rates

    def has_room(self, partition: int, priority: Priority, held: Held, ticks: float) -> bool:
        """Whether one more of this priority may begin, beside those `held` by the partition."""
        return self._rates.is_free(ticks) and self.slots.room(partition, priority, held) > 0

    def held_until(self, recipient: Hashable, now: float, ticks: float) -> float | None:
        """Until when a message to this recipient is to be put off; None: it may be sent."""
        wait = self._rates.recipient_waits(recipient, ticks)
        return now + wait if wait else self.breaker.held_until(now)

    def taken(self, recipient: Hashable, ticks: float, share: float) -> None:
        """One goes; `share` of the account's rate is this worker's."""
        self._rates.taken(recipient, ticks, share)
