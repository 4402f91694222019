"""What a customer has chosen: which channel first, and what not to be sent.

An unsubscription holds whatever the priority. Colleagues have no choice.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from schemas.reasons import Audience, Suppression
from streams.policy.notification import rows
from streams.policy.notification.channels import skipped
from streams.policy.notification.memory import Memory
from streams.policy.notification.recipients import Recipient

NOTHING = rows.Reader(0, 0)
"""What somebody has chosen of whom we never heard."""


def reader(audience: Audience, person: str, memory: Memory) -> rows.Reader:
    if audience is not Audience.CUSTOMER:
        return NOTHING
    return memory.read(rows.Reader, rows.DIRECTORY, f"customer/{person}") or NOTHING


def ordered(chain: Sequence[str], choice: rows.Reader) -> tuple[str, ...]:
    """The chain with the channels of the customer's choice first. Nothing is added to it."""
    first = [channel for channel in choice.channels if channel in chain]
    return tuple(dict.fromkeys((*first, *chain)))


def unusable(
    chain: Iterable[str], recipient: Recipient, event_type: str, choice: rows.Reader
) -> Iterator[dict[str, Any]]:
    """The channels of a chain that must not or cannot be used, in its order, each with its reason."""
    channels = tuple(chain)
    reasons = {each["channel"]: each["reason"] for each in skipped(channels, recipient)}
    for channel in channels:
        if channel in reasons:
            yield {"channel": channel, "reason": reasons[channel]}
        elif any(each in choice.unsubscribed for each in ((channel, None), (channel, event_type))):
            yield {"channel": channel, "reason": Suppression.UNSUBSCRIBED}
