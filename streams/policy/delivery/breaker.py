"""The circuit breaker of one channel: while nothing gets through, nothing more is tried, but for a probe now and
then."""

from streams.policy.delivery.results import (
    Accepted,
    AccountWide,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
    Unsendable,
)


class Breaker:
    """Opens after `failures` attempts in a row that came to nothing, or to nothing known (0: never), and at once
    when the account is refused; for `seconds` at a time. The first attempt after that is the probe: if it gets an
    answer, the breaker closes; if not, or if none is heard of, the next probe comes as long after.

    It belongs to a process, and says only when something is tried: what was held back is lost by nothing that
    happens here.
    """

    def __init__(self, failures: int, seconds: float) -> None:
        self._failures = failures
        self._seconds = seconds
        self._in_a_row = 0
        self._open_until: float | None = None

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    @property
    def is_at_rest(self) -> bool:
        """Whether it knows of no failure."""
        return self._open_until is None and not self._in_a_row

    def is_open_at(self, now: float) -> bool:
        return self._open_until is not None and now < self._open_until

    def held_until(self, now: float) -> float | None:
        """Until when an attempt is to be put off; None: it may be made."""
        if self._open_until is None:
            return None
        if now < self._open_until:
            return min(self._open_until, now + self._seconds)  # the clock may have been set back
        self._open_until = now + self._seconds
        return None

    def hear(self, result: Result, now: float) -> None:
        """What a channel said about an attempt."""
        match result:
            case AccountWide():
                self._open_until = now + self._seconds
            case Transient() | Unconfirmed():
                self._in_a_row += 1
                if self.is_open or 0 < self._failures <= self._in_a_row:
                    self._open_until = now + self._seconds
            case Unsendable():
                pass  # nobody was asked
            case Accepted() | Permanent():
                self._in_a_row, self._open_until = 0, None
