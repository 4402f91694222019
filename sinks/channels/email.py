"""E-mail over SMTP."""

import asyncio
import re
import time
from typing import Self

from aiosmtplib import SMTPException

from schemas.reasons import DeliveryReason
from sinks.channels.base import Message
from sinks.channels.smtp.composing import Composer, mailbox
from sinks.channels.smtp.connections import Connection, Connections
from sinks.channels.smtp.replies import Refused, Stage, judge
from streams.policy.delivery.results import (
    Accepted,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
)
from streams.settings import Settings
from streams.smtp_url import SmtpServer

MAX_ERROR = 300
_ADDRESS = re.compile(r"""[^\s<>()"',;:]+@[^\s<>()"',;:]+""")


class Email:
    """Sends through one mail server, over at most `concurrency` connections.

    A mail takes at most `timeout_seconds` for its connection, and as long again from MAIL to the last answer.
    """

    provider = "smtp"

    def __init__(self, server: SmtpServer, sender: str, *, concurrency: int, timeout_seconds: float) -> None:
        self._composer = Composer(sender)
        self._connections = Connections(server, concurrency)
        self._timeout = timeout_seconds

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.smtp,
            settings.smtp_from,
            concurrency=settings.email_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
        )

    async def send(self, message: Message, begin_before: float) -> Result:
        recipient = mailbox(message.address)
        if recipient is None:
            return Permanent(DeliveryReason.DEAD_ADDRESS, "no mail can be sent to an address of this form")
        mail = self._composer.compose(message, recipient)
        message_id = self._composer.message_id(message.company_id, message.notification_id)
        async with self._connections.places:
            try:
                await self._hand_over(recipient, mail, begin_before)
            except _TooLate:
                return NotStarted()
            except _Failed as failed:
                return failed.result(recipient)
        return Accepted(message_id)

    async def close(self) -> None:
        await self._connections.close()
