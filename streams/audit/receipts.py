"""Receipts: what providers told of a message was told on, and nothing that they did not tell."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from schemas import Event
from schemas.configuration import CustomerErased
from schemas.event_types import DIRECTORY, RECEIPTS
from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.audit.findings import Finding, lost, wrong
from streams.audit.reading import Log, readable
from streams.audit.series import (
    DELIVERED,
    FAILED,
    FELL_BACK,
    SENT,
    UNCONFIRMED,
    Place,
    is_read,
    place,
)
from streams.audit.stories import Key, Ledger, Story

FAILURES = frozenset({ReceiptStatus.FAILED, ReceiptStatus.BOUNCED})
ARRIVED = frozenset({ReceiptStatus.DELIVERED, ReceiptStatus.READ})
_READ = frozenset({ReceiptStatus.READ})
_HAS_IT = ARRIVED | {ReceiptStatus.COMPLAINED}
"""Who complains of a message has it."""
EVERY_ATTEMPT = 0

Said = dict[Key, list[ProviderReceipt]]


def check(log: Log, ledger: Ledger, partitions: int) -> Iterator[Finding]:
    said: Said = defaultdict(list)
    for _, event in readable(log, RECEIPTS, partitions):
        if isinstance(event.data, ProviderReceipt):
            said[event.data.company_id, event.data.notification_id].append(event.data)
    erased = {
        (event.company_id, event.data.customer_id)
        for _, event in readable(log, DIRECTORY, partitions)
        if isinstance(event.data, CustomerErased)
    }
    for key, story in ledger.stories.items():
        for run in story.runs:
            yield from _invented(key[1], run, said[key])
        if story.redrives == 0 and story.outcomes and (key[0], story.about) not in erased:
            yield from _untold(key[1], story, said[key])


def _invented(notification_id: str, run: list[Event], said: list[ProviderReceipt]) -> Iterator[Finding]:
    """Only a receipt can say that something was delivered, or that what was sent has failed."""
    for before, event in pairwise(run):
        needed: frozenset[ReceiptStatus] | None = None
        if event.type == DELIVERED:
            needed = _READ if is_read(event) else _HAS_IT
        elif (
            event.type in (FAILED, FELL_BACK)
            and before.type in (SENT, DELIVERED)
            and place(before) == place(event)
        ):
            needed = FAILURES
        if needed is not None and not needed.intersection(_about(place(event), said)):
            yield wrong(f"{notification_id} was told as {event.type}, but no receipt says so")


def _untold(notification_id: str, story: Story, said: list[ProviderReceipt]) -> Iterator[Finding]:
    """Of the attempt that was made last: of those before, nothing is waited for any more."""
    last = place(story.outcomes[-1])
    told = [event for event in story.outcomes if place(event) == last]
    if not any(event.type in (SENT, UNCONFIRMED) for event in told):
        return
    heard, types = _about(last, said), {event.type for event in told}
    if FAILURES.intersection(heard):
        if not types & {FAILED, FELL_BACK}:
            yield lost(f"a receipt says that {notification_id} failed, and nobody was told")
        return
    known = {_status(event) for event in told if event.type == DELIVERED}
    arrived = [status for status in heard if status in ARRIVED]
    for status in {*arrived[:1], *_READ.intersection(arrived)} - known:
        yield lost(f"a receipt says that {notification_id} was {status}, and nobody was told")


def _status(delivered: Event) -> ReceiptStatus:
    return ReceiptStatus.READ if is_read(delivered) else ReceiptStatus.DELIVERED


def _about(where: Place, said: list[ProviderReceipt]) -> list[ReceiptStatus]:
    channel, attempt = where
    return [each.status for each in said if each.channel == channel and each.attempt in (EVERY_ATTEMPT, attempt)]
