"""What holds for every delivery, whatever the company: the channels that are set up, and the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.notifications import AttemptDue, Recipient
from schemas.reasons import ChannelName, DeliveryReason
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.intents import WrittenTo
from streams.policy.notification.identity import recipient_hash


class Reach(Protocol):
    """What is asked of a channel here; see `sinks.channels.base`."""

    def account(self, address: str | None) -> Account: ...

    @property
    def gives_receipts(self) -> bool: ...

    def address(self, recipient: Recipient) -> str | None: ...

    def receipt_reason(self, error: str | None) -> DeliveryReason: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for every company."""

    channels: Mapping[ChannelName, Reach]
    hash_key: bytes
    ladder_seconds: tuple[int, ...]
    grace_seconds: float
    breaker_seconds: float
    """For how long nothing is tried where the account is refused."""
    allowed: tuple[str, ...] = ()
    """Patterns of which an address must match one; none: every address is allowed."""
    repeatable: frozenset[ChannelName] = frozenset()
    """Where what may have arrived is handed over once more."""
    receipt_seconds: float = 86_400
    """For how long a receipt may come."""

    def address(self, channel: ChannelName, recipient: Recipient) -> str | None:
        reach = self.channels.get(channel)
        return None if reach is None else reach.address(recipient)

    def recipient_hash(self, channel: ChannelName, recipient: Recipient) -> str:
        """What stands for somebody's address on the channel, or for themselves where they have none."""
        return recipient_hash(self.hash_key, self.address(channel, recipient) or recipient.id)

    def written_to(self, due: AttemptDue, *channels: ChannelName) -> WrittenTo:
        """Where it went by these channels, and by those of its attempts so far."""
        by = {*channels, *(each.channel for each in due.attempts)}
        return {
            name: bytes.fromhex(self.recipient_hash(name, due.recipient))
            for name in sorted(by)
            if (reach := self.channels.get(name)) is not None and reach.gives_receipts
        }
