"""What a worker may send on one channel: how many at a time, how fast, and to whom nothing gets through.

It belongs to a process, and nothing of it is durable: after a restart it is learned anew.
"""

from collections.abc import Callable, Hashable

from schemas.reasons import Priority
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.breaker import Breaker
from streams.policy.delivery.rates import Rates
from streams.policy.delivery.results import Result
from streams.policy.delivery.slots import Held, Slots

MOST_ACCOUNTS = 1024


class Capacity:
    """Two clocks: `now` is the one that stamps events, `ticks` counts seconds and never jumps."""

    def __init__(self, slots: Slots, rates: Rates, new_breaker: Callable[[], Breaker]) -> None:
        self.slots = slots
        self._rates = rates
        self._new_breaker = new_breaker
        self._breakers: dict[Account, Breaker] = {}
        """Of those accounts where something has failed since it worked."""

    @property
    def is_broken(self) -> bool:
        """Whether an account of ours is left alone; a server that a recipient has chosen is no alarm."""
        return any(breaker.is_open for account, breaker in self._breakers.items() if not account.server)

    def has_room(self, partition: int, priority: Priority, held: Held, ticks: float) -> bool:
        """Whether one more of this priority may begin, beside those `held` by the partition."""
        return self._rates.is_free(ticks) and self.slots.room(partition, priority, held) > 0

    def held_until(self, account: Account, recipient: Hashable, now: float, ticks: float) -> float | None:
        """Until when a message to this recipient is to be put off; None: it may be sent."""
        if wait := self._rates.recipient_waits(recipient, ticks):
            return now + wait
        breaker = self._breakers.get(account)
        return None if breaker is None else breaker.held_until(now)

    def taken(self, recipient: Hashable, ticks: float, share: float) -> None:
        """One goes; `share` of the account's rate is this worker's."""
        self._rates.taken(recipient, ticks, share)

    def hear(self, account: Account, result: Result, now: float) -> bool | None:
        """What was said about an attempt. True: from now on the account is left alone; False: no longer; None: all
        is as it was."""
        breaker = self._breakers.get(account) or self._new_breaker()
        was_open = breaker.is_open
        breaker.hear(result, now)
        if breaker.is_at_rest:
            self._breakers.pop(account, None)
        else:
            self._breakers[account] = breaker
            self._forget(now)
        return None if breaker.is_open == was_open else breaker.is_open

    def _forget(self, now: float) -> None:
        """Recipients may name servers without end: beyond so many, those that may be tried again are forgotten."""
        if len(self._breakers) > MOST_ACCOUNTS:
            self._breakers = {
                account: breaker
                for account, breaker in self._breakers.items()
                if not account.server or breaker.is_open_at(now)
            }
