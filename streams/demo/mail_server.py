"""A mail server in front of the inbox, which does wrong what it is told to, and hands on the rest."""

import logging
from types import TracebackType
from typing import Any, Self

import aiosmtplib

from streams.demo.inbox import free_ports

TRY_LATER = "421 4.3.2 come back later"
NO_SUCH_USER = "550 5.1.1 no such user"
INBOX_AWAY = "451 4.3.0 the inbox does not answer"


class MailServer:
    """SMTP, in a thread of its own. Also the handler of aiosmtpd, whose names the hooks have."""

    def __init__(self, inbox_port: int) -> None:
        self._inbox_port = inbox_port
        (self._port,) = free_ports(1)
        self._takes_mails = True
        self._refused: set[str] = set()
        self._to_drop = 0
        self._dropped: set[bytes] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        from aiosmtpd.controller import Controller  # of the extra `demo`, as the inbox that comes before it

        # A worker that is killed as it sends leaves half a session, which is no news.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)

        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    def take_mails(self, yes: bool) -> None:
        self._takes_mails = yes

    def refuse(self, address: str) -> None:
        self._refused.add(address)

    def drop(self, mails: int) -> None:
        """So many of the next mails are taken, and their senders never told so. None of them twice."""
        self._to_drop = mails

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not self._takes_mails:
            return TRY_LATER
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self._refused:
            return NO_SUCH_USER
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail: bytes = envelope.original_content
        try:
            await aiosmtplib.send(
                mail,
                sender=envelope.mail_from,
                recipients=envelope.rcpt_tos,
                hostname="127.0.0.1",
                port=self._inbox_port,
            )
        except (aiosmtplib.SMTPException, OSError):
            return INBOX_AWAY
        if self._to_drop and mail not in self._dropped:
            self._to_drop -= 1
            self._dropped.add(mail)
            server.transport.abort()
        return "250 2.0.0 taken"
