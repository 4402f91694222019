"""The whole examination: every check there is, of one log."""

from collections.abc import Iterable, Mapping
from typing import Any

from streams.audit import arrivals, decisions, intake, loads, notifications, receipts, reminders
from streams.audit.findings import Finding
from streams.audit.reading import Log
from streams.audit.stories import Ledger
from streams.settings import Settings
from streams.topics import contract_topics


def topics(settings: Settings) -> tuple[str, ...]:
    """What must be read for an examination."""
    public = (spec.name for spec in contract_topics(settings.delay_ladder_seconds))
    return (*public, loads.STORED)


def examine(
    log: Log, partitions: int, accepted: Mapping[str, int], messages: Iterable[Mapping[str, Any]] = ()
) -> list[Finding]:
    """Everything that is wrong with a log of `topics` when all is settled; empty when the guarantees hold.

    `accepted`: Message-ID -> how often the mail server has taken it over; `messages`: what the simulated providers
    have accepted, as their `GET /messages` shows it.
    """
    arrived = [*arrivals.mails(accepted), *arrivals.messages(messages)]
    replayed, ledger = decisions.replay(log, partitions), Ledger.of(log, partitions)
    return [
        *intake.check(log, partitions),
        *decisions.check(log, replayed, partitions),
        *loads.check(log, replayed.states, partitions),
        *notifications.check(log, ledger, partitions),
        *reminders.check(log, ledger, partitions),
        *receipts.check(log, ledger, partitions),
        *arrivals.check(arrived, ledger),
    ]
