"""How many messages an account takes in a second: paced, with a little at once, and nothing saved up.

The generic cell rate algorithm (ITU-T I.371): of each account, or recipient, only the moment is known at which it
would be on pace again. All times are of a clock that does not jump.
"""

from collections.abc import Hashable
from typing import NamedTuple


class Pace(NamedTuple):
    """One message every so many seconds, and `burst` of them at once after a rest."""

    every_seconds: float
    burst: int = 1


AT_ONCE_SECONDS = 0.1
"""So much of a rate may go at once: a transaction each would be needed otherwise."""


class Rates:
    """Those of one worker for one provider account. Many workers share an account: each has a share of its rate,
    by the partitions that it owns."""

    def __init__(self, per_second: float, per_recipient: Pace | None = None) -> None:
        """0: as many as it can."""
        self._per_second = per_second
        self._per_recipient = per_recipient
        self._account = float("-inf")
        self._recipients: dict[Hashable, float] = {}
        self._most = 1024

    def is_free(self, now: float) -> bool:
        """Whether the account may be given a message now."""
        return not self._per_second or self._account <= now + AT_ONCE_SECONDS

    def recipient_waits(self, recipient: Hashable, now: float) -> float:
        """For how many seconds this recipient is to be left alone."""
        if self._per_recipient is None:
            return 0.0
        every, burst = self._per_recipient
        return max(0.0, self._recipients.get(recipient, now) - (burst - 1) * every - now)

    def taken(self, recipient: Hashable, now: float, share: float) -> None:
        """One message goes; `share` of the account's rate is this worker's."""
        if self._per_second:
            self._account = max(self._account, now) + 1 / (self._per_second * share)
        if self._per_recipient is not None:
            self._recipients[recipient] = max(self._recipients.get(recipient, now), now) + self._per_recipient[0]
            self._forget(now)

    def _forget(self, now: float) -> None:
        """Those who are on pace again are as good as unknown; looked through when they have doubled."""
        if len(self._recipients) > self._most:
            self._recipients = {each: at for each, at in self._recipients.items() if at > now}
            self._most = max(1024, 2 * len(self._recipients))
