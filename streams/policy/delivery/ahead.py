"""How much a worker takes on ahead of its sending slots, so that companies can take turns.

A topic is read in its order: whoever stands behind another company's thousands is only seen once those were taken
on. They wait in the ledger then, and that has an end.
"""

from collections.abc import Mapping

from streams.policy.delivery.intents import Line

AT_ONCE = 100
"""Messages in one batch: what is more urgent must not wait long for it."""
LEAST_BYTES = 256 * 1024
"""What each may have in any case: some hundred mails."""


class Ahead:
    """A budget of bytes, shared by the partitions and lines of a worker. Each may have half of what the
    others leave, so that something is left for the next.

    What a partition has is stated, never counted up, so that stating it again changes nothing.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._held: dict[int, dict[Line, int]] = {}

    def hold(self, partition: int, waiting_bytes: Mapping[Line, int]) -> None:
        self._held[partition] = dict(waiting_bytes)

    def room(self, partition: int, line: Line) -> int:
        """How many more messages to take on now: a batch's worth, or none."""
        own = self._held.get(partition, {}).get(line, 0)
        others = sum(sum(theirs.values()) for theirs in self._held.values()) - own
        return AT_ONCE if own < max(LEAST_BYTES, (self._budget - others) / 2) else 0

    def clear(self) -> None:
        self._held.clear()
