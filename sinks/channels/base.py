"""What every channel is given, and what it owes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.notifications import FilledTemplate, Recipient
from schemas.reasons import DeliveryReason, Priority
from sinks.channels.examining import Examination
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.rates import Pace
from streams.policy.delivery.results import Result


@dataclass(frozen=True, slots=True)
class Message:
    """One notification for one address of one channel, rendered."""

    company_id: str
    notification_id: str
    """With the company, what makes a repeat recognisable as one."""
    address: str
    name: str
    body_text: str
    composed_at: datetime
    """The same for every attempt."""
    subject: str = ""
    body_html: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    calendar: str | None = None
    """An iCalendar object with a METHOD."""
    unsubscribe_url: str | None = None
    """Where the recipient can say that they want no more of this kind, with one click if it is https."""
    attempt: int = 1
    """On this channel, from 1."""
    template: FilledTemplate | None = None
    """What the provider is asked for by name, in place of `body_text`."""
    ttl_seconds: float | None = None
    """For how long from now it is of any use; None: for ever."""
    priority: Priority = Priority.NORMAL


class Channel(Protocol):
    """A way to reach people. It tells what happened to a message; it never waits to try again."""

    def account(self, address: str | None) -> Account:
        """What carries messages to this address."""
        ...

    @property
    def recognises_repeats(self) -> bool:
        """Whether a message that is handed over a second time is known as the same, by the provider or whoever
        gets it."""
        ...

    @property
    def gives_receipts(self) -> bool:
        """Whether the provider tells later what became of a message."""
        ...

    @property
    def per_recipient(self) -> Pace | None:
        """How often the provider lets us write to one address."""
        ...

    def address(self, recipient: Recipient) -> str | None:
        """Where this channel reaches somebody, if it does."""
        ...

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        """What a receipt's error says about why a message failed on its way."""
        ...

    async def send(self, message: Message, begin_before: float) -> Result:
        """Hand the message over, once.

        Nothing is handed to the provider after `begin_before` (`time.monotonic()`): the process may have been
        paused for so long that somebody else answers for the message by now. Ends within twice the provider
        time-out. Raises for nothing that a provider, a network or a message can bring about.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held open. No `send` is under way."""
        ...


class Examinable(Channel, Protocol):
    """A channel that can tell whether its accounts are in order."""

    def examinations(self) -> Mapping[str, Examination]:
        """How to ask about each account that it has, by the provider's name in `account`. Nothing is sent to
        anybody, and nothing changed."""
        ...
