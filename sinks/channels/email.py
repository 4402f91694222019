"""E-mail over SMTP."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import NamedTuple, Self

from aiosmtplib import SMTPException

from schemas.notifications import Recipient
from schemas.reasons import DeliveryReason
from sinks.channels.answers import cleaned
from sinks.channels.base import Message
from sinks.channels.discretion import discreet
from sinks.channels.examining import Examination
from sinks.channels.smtp.composing import Composer, mailbox
from sinks.channels.smtp.connections import Connection, Connections
from sinks.channels.smtp.replies import Refused, Stage, judge
from streams.errors import UserError
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.results import (
    Accepted,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
    Unsendable,
)
from streams.settings import Settings
from streams.smtp_url import SmtpServer

SERVICE_CLOSING = 421
_CODES = re.compile(r"\d{3}(?: \d\.\d{1,3}\.\d{1,3})?(?= |$)")


class _Mail(NamedTuple):
    message_id: str
    sender: str
    recipient: str
    content: bytes
    begin_before: float
    deadline: float
    message: Message


class _SessionEndedError(Exception):
    """The server had ended the session while it was idle: nothing is known of the mail yet."""


class Email:
    """Sends through one mail server, over at most `concurrency` connections.

    A mail has `timeout_seconds` for its connection, and as long again from MAIL to the last answer.
    """

    recognises_repeats = True  # by the Message-ID
    per_recipient = None

    def __init__(
        self,
        server: SmtpServer,
        sender: str,
        *,
        concurrency: int,
        timeout_seconds: float,
        return_path: str | None = None,
        gives_receipts: bool = False,
    ) -> None:
        self._composer = Composer(sender, return_path)
        self._server = server
        self._connections = Connections(server, concurrency)
        self._timeout = timeout_seconds
        self.gives_receipts = gives_receipts

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(
            settings.smtp,
            settings.smtp_from,
            concurrency=settings.email_concurrency,
            timeout_seconds=settings.provider_timeout_seconds,
            return_path=settings.smtp_return_path,
            gives_receipts=settings.webhook_email_token is not None,
        )

    def account(self, address: str | None) -> Account:
        return Account("smtp")

    def address(self, recipient: Recipient) -> str | None:
        return recipient.email

    def receipt_reason(self, error: str | None) -> DeliveryReason:
        return DeliveryReason.BOUNCED

    async def send(self, message: Message, begin_before: float) -> Result:
        recipient = mailbox(message.address)
        if recipient is None:
            return Unsendable(DeliveryReason.DEAD_ADDRESS, "no mail can be sent to an address of this form")
        async with self._connections.places:
            mail = _Mail(
                self._composer.message_id(message.company_id, message.notification_id),
                self._composer.envelope_sender(message.company_id, message.notification_id),
                recipient,
                self._composer.compose(message, recipient),
                begin_before,
                deadline=asyncio.get_running_loop().time() + 2 * self._timeout,
                message=message,
            )
            try:
                return await self._attempt(mail, fresh=False)
            except _SessionEndedError:
                return await self._attempt(mail, fresh=True)

    def examinations(self) -> Mapping[str, Examination]:
        return {"smtp": self._examine}

    async def close(self) -> None:
        await self._connections.close()

    async def _examine(self) -> str:
        """Connection, TLS and log-in as for a mail, and goodbye."""
        where = f"{self._server.host}:{self._server.port}"
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connections.take(fresh=True)
                await connection.quit()
        except (Refused, SMTPException, OSError) as error:
            why = cleaned(str(error), (self._server.password,)) or type(error).__name__
            raise UserError(f"no mail can be handed to {where} ({why}): see STAFFETTA_SMTP_URL") from error
        return f"{where} takes mail" + (f" of {self._server.username}" if self._server.username else "")

    async def _attempt(self, mail: _Mail, *, fresh: bool) -> Result:
        try:
            async with self._in_time(mail):
                connection = await self._connections.take(fresh=fresh)
        except Refused as refused:
            return _refusal(refused, mail)
        except (SMTPException, OSError) as error:
            return self._lost(Stage.CONNECTING, error, mail)
        try:
            return await self._hand_over(connection, mail)
        except BaseException:
            connection.abort()
            raise
        finally:
            self._connections.give_back(connection)

    async def _hand_over(self, connection: Connection, mail: _Mail) -> Result:
        if time.monotonic() > mail.begin_before:
            return NotStarted()
        if not mail.recipient.isascii() and not connection.takes_utf8:
            return Permanent(DeliveryReason.REJECTED, "the server takes no address outside ASCII")
        try:
            async with self._in_time(mail):
                await connection.hand_over(mail.sender, mail.recipient, mail.content)
        except Refused as refused:
            if refused.reply.code == SERVICE_CLOSING:
                self._end(connection)
            return _refusal(refused, mail)
        except (SMTPException, OSError) as error:
            self._end(connection)
            return self._lost(connection.stage, error, mail)
        return Accepted(mail.message_id)

    def _end(self, connection: Connection) -> None:
        connection.abort()
        if connection.used and connection.stage is Stage.SENDER:
            raise _SessionEndedError

    def _in_time(self, mail: _Mail) -> asyncio.Timeout:
        return asyncio.timeout_at(min(mail.deadline, asyncio.get_running_loop().time() + self._timeout))

    def _lost(self, stage: Stage, error: Exception, mail: _Mail) -> Result:
        """No answer: what that means depends on how far the mail had come."""
        late = isinstance(error, TimeoutError)
        said = f"no answer within {self._timeout:g} s" if late else _discreet(str(error), mail)
        text = f"{stage}: {said}"
        if stage is Stage.HANDED_OVER:
            return Unconfirmed(DeliveryReason.TIMEOUT if late else DeliveryReason.LOST_AFTER_DATA, text)
        return Transient(DeliveryReason.TIMEOUT if late else DeliveryReason.CONNECTION_FAILED, text)


def _refusal(refused: Refused, mail: _Mail) -> Result:
    text = f"{refused.stage}: {_discreet(str(refused), mail)}"
    if refused.stage is Stage.HANDED_OVER and not refused.reply.is_negative:
        return Unconfirmed(DeliveryReason.LOST_AFTER_DATA, text)
    return judge(refused.reply, refused.stage, text)


def _discreet(text: str, mail: _Mail) -> str:
    """What a server says without what it repeats; its codes stay."""
    codes = _CODES.match(text)
    head = codes[0] if codes else ""
    said = discreet(text[len(head) :], mail.message, (mail.recipient, mail.recipient.rpartition("@")[0]))
    return f"{head} {said}".strip()
