"""Waiting until a system has done everything that there is to do."""

import time
from collections.abc import Iterable, Mapping

from streams.audit import reminders
from streams.audit.examining import topics as topics_of
from streams.audit.reading import Log, ends, lag, read
from streams.audit.stories import Ledger
from streams.settings import Settings


def read_settled(settings: Settings, inputs: Mapping[str, Iterable[str]], timeout_seconds: float) -> Log:
    """Everything in the topics, once every role has read all of its `inputs`, every request has come to an end and
    every reminder that was due has told somebody, and nothing was written while this was read. When the time is
    up: what is there then.

    Raises KafkaException or TimeoutError when the broker falls silent.
    """
    end, everything = time.monotonic() + timeout_seconds, topics_of(settings)
    while True:
        before = ends(settings, everything)
        behind = sum(lag(settings, role, topics) for role, topics in inputs.items())
        if behind == 0 or time.monotonic() > end:
            log = read(settings, everything)
            is_settled = _is_told(log, settings.partitions) and ends(settings, everything) == before
            if is_settled or time.monotonic() > end:
                return log
        time.sleep(0.2)


def _is_told(log: Log, partitions: int) -> bool:
    ledger = Ledger.of(log, partitions)
    return not ledger.pending and not any(reminders.check(log, ledger, partitions))
