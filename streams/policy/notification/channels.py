"""The channels by which people can be reached: one line each. What is written for them is in `writers.py`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.reasons import ChannelName, DeliveryReason, Suppression
from streams.policy.notification.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Channel:
    """`address` is the recipient's, if there is one; `field` is where a request has it."""

    field: str
    address: Callable[[Recipient], str | None]


CHANNELS: dict[str, Channel] = {
    ChannelName.EMAIL: Channel("email", address=lambda recipient: recipient.email),
    ChannelName.SMS: Channel("phone", address=lambda recipient: recipient.phone),
    ChannelName.WHATSAPP: Channel("phone", address=lambda recipient: recipient.phone),
    ChannelName.PUSH: Channel("push", address=lambda recipient: recipient.push_address),
}


def skipped(chain: Sequence[str], recipient: Recipient) -> Iterator[dict[str, Any]]:
    """The channels of a chain that cannot be used for somebody, each with its reason."""
    for name in chain:
        channel = CHANNELS.get(name)
        if channel is None:
            yield {"channel": name, "reason": DeliveryReason.UNAVAILABLE}
        elif channel.address(recipient) is None:
            yield {"channel": name, "reason": Suppression.NO_ADDRESS}


def address(chain: Iterable[str], recipient: Recipient) -> str | None:
    """The first address of the recipient along a chain."""
    channels = (CHANNELS[name] for name in chain if name in CHANNELS)
    return next((found for channel in channels if (found := channel.address(recipient)) is not None), None)


def addresses(chain: Iterable[str], recipient: Recipient) -> dict[str, Any]:
    """What a request has to say of where the recipient is reached along a chain, and no more."""
    fields = {CHANNELS[name].field for name in chain if name in CHANNELS}
    return {field: found for field in sorted(fields) if (found := getattr(recipient, field)) is not None}
