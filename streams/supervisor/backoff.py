"""How long to wait before a role is started again."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Doubles from `first_seconds` up to `most_seconds`; starts anew after a run of `well_seconds`."""

    first_seconds: float = 0.25
    most_seconds: float = 15.0
    well_seconds: float = 10.0
    _next: float = field(default=0.0, init=False)

    def after(self, ran_seconds: float) -> float:
        """The delay before the next start, given how long the last run was."""
        if self._next == 0 or ran_seconds >= self.well_seconds:
            self._next = self.first_seconds
        delay = self._next
        self._next = min(delay * 2, self.most_seconds)
        return delay
