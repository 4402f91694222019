"""Connections to the mail server that stay open from one mail to the next."""

import asyncio
import contextlib
import re
import socket
import ssl

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from sinks.channels.smtp.replies import Refused, Reply, Stage
from sinks.channels.smtp.wire import Wire
from streams.smtp_url import SmtpSecurity, SmtpServer

ONE_WRITE_BYTES = 64 * 1024
"""A mail up to here goes to the kernel in one write, final dot included."""
GO_ON = 354
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")

_START_TLS = {SmtpSecurity.OPPORTUNISTIC: None, SmtpSecurity.STARTTLS: True, SmtpSecurity.TLS: False}


class Connection:
    """One SMTP session: a mail at a time, as many as the server takes.

    Where the server can do it (RFC 2920), a mail's commands are sent together: two round trips instead of four.
    """

    def __init__(self, smtp: SMTP) -> None:
        """`smtp` is connected, has said EHLO, and is logged in. Raises SMTPException if that is over already."""
        if smtp.transport is None:
            raise SMTPServerDisconnected("Connection lost")
        self._wire = Wire(smtp.transport)
        self._pipelining = smtp.supports_extension("pipelining")
        self.takes_utf8 = smtp.supports_extension("smtputf8")
        """Addresses outside ASCII (RFC 6531)."""
        self._reset_first = False
        self._owed = 0
        """How many commands the server has not answered yet."""
        self.stage = Stage.SENDER
        self.used = False
        """Whether it has seen a mail: the server may have ended it since, which says nothing of the next one."""

    @property
    def is_open(self) -> bool:
        """Not if the server has said something unasked: that is its goodbye."""
        return self._wire.is_open and (self._owed > 0 or self._wire.is_quiet)

    async def hand_over(self, sender: str, recipient: str, mail: bytes) -> None:
        """Send one mail. `stage` tells, also after an exception, how far it came.

        Raises Refused for an answer that is not yes, SMTPException or OSError for none.
        """
        self.stage = Stage.SENDER
        await self._hear_out()
        options = b"" if recipient.isascii() else b" SMTPUTF8"
        commands = [(Stage.SENDER, b"RSET")] if self._reset_first else []
        commands.append((Stage.SENDER, b"MAIL FROM:<%b>%b" % (sender.encode(), options)))
        commands.append((Stage.RECIPIENT, b"RCPT TO:<%b>" % recipient.encode()))
        commands.append((Stage.CONTENT, b"DATA"))
        self._reset_first = True
        for together in [commands] if self._pipelining else [[command] for command in commands]:
            await self._ask(together)
        await self._content(mail)
        self._reset_first = False

    async def quit(self) -> None:
        if not self._owed:  # a server that waits for a mail would take the word for its first line
            self._wire.write(b"QUIT\r\n")
            await self._wire.reply()
        self._wire.close()

    def abort(self) -> None:
        self._wire.close()

    async def _ask(self, commands: list[tuple[Stage, bytes]]) -> None:
        self._wire.write(b"".join(_line(command) for _, command in commands))
        self._owed = len(commands)
        for self.stage, _ in commands:
            reply = await self._answer()
            if not (reply.code == GO_ON if self.stage is Stage.CONTENT else reply.is_positive):
                raise Refused(reply, self.stage)

    async def _answer(self) -> Reply:
        reply = await self._wire.reply()
        self._owed -= 1
        return reply

    async def _hear_out(self) -> None:
        """What was sent together with a command that was refused is answered too."""
        while self._owed:
            if (await self._answer()).code == GO_ON:
                raise SMTPServerDisconnected("the server waits for the mail that it had refused")

    async def _content(self, mail: bytes) -> None:
        """What silence means afterwards depends on whether the final dot was written."""
        text = _double_leading_dots(mail)
        if len(text) > ONE_WRITE_BYTES:
            self._wire.write(text)
            await self._wire.drain()
            text = b""
        self._wire.write(text + b".\r\n")
        self.stage = Stage.HANDED_OVER
        reply = await self._wire.reply()
        if not reply.is_positive:
            raise Refused(reply, self.stage)


def _line(command: bytes) -> bytes:
    if _CONTROL.search(command):
        raise ValueError("a command with a control character")
    return command + b"\r\n"


def _double_leading_dots(mail: bytes) -> bytes:
    """RFC 5321 4.5.2."""
    doubled = mail.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


class Connections:
    """At most `limit`. The one used last is used next, so that the server may end those that are not needed; a new
    one is opened where none is left."""

    def __init__(self, server: SmtpServer, limit: int) -> None:
        self._server = server
        self.places = asyncio.Semaphore(limit)
        """To be held by whoever holds a connection."""
        self._idle: list[Connection] = []
        self._preparing = asyncio.Lock()
        self._tls: ssl.SSLContext | None = None
        self._host_name: str | None = None

    async def take(self, *, fresh: bool = False) -> Connection:
        """A connection that is idle, or, if `fresh` or none is, a new one, logged in.

        Raises Refused, SMTPException or OSError.
        """
        while self._idle and not fresh:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            connection.abort()
        return await self._open()

    def give_back(self, connection: Connection) -> None:
        connection.used = True
        if connection.is_open:
            self._idle.append(connection)

    async def close(self) -> None:
        """Say goodbye to the server, for a second at most."""
        idle, self._idle = self._idle, []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.gather(*(connection.quit() for connection in idle), return_exceptions=True)
        for connection in idle:
            connection.abort()

    async def _open(self) -> Connection:
        server = self._server
        async with self._preparing:  # all connections may be opened at once, and the certificates are read once
            if self._tls is None:
                self._tls = await asyncio.to_thread(_tls_context, server)
            if self._host_name is None:
                self._host_name = await asyncio.to_thread(socket.getfqdn)
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            local_hostname=self._host_name,
            use_tls=server.security is SmtpSecurity.TLS,
            start_tls=_START_TLS[server.security],
            tls_context=self._tls,
            timeout=None,
        )
        try:
            await _begin(smtp, server)
        except BaseException:
            smtp.close()
            raise
        return Connection(smtp)


async def _begin(smtp: SMTP, server: SmtpServer) -> None:
    """Greeting, TLS, log-in. A password goes over TLS, or does not leave this machine."""
    try:
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
    except SMTPResponseException as error:
        raise Refused(Reply(error.code, error.message), Stage.CONNECTING) from error
    if server.username is None:
        return
    if smtp.get_transport_info("sslcontext") is None and not server.is_loopback:
        problem = "the server offers no TLS, and the password is not sent without"
        raise Refused(Reply(538, problem), Stage.LOGGING_IN)
    try:
        await smtp.login(server.username.encode(), (server.password or "").encode())
    except SMTPResponseException as error:
        raise Refused(Reply(error.code, error.message), Stage.LOGGING_IN) from error
    except SMTPServerDisconnected:
        raise
    except SMTPException as error:  # it offers no log-in, or none that we know
        raise Refused(Reply(504, error.message), Stage.LOGGING_IN) from error


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    """The server's certificate must be good, with two exceptions: on this machine itself nobody is in between;
    and where TLS is only used if offered, and no password is at stake, an unknown certificate is better than
    none (RFC 7435)."""
    context = ssl.create_default_context()
    opportunistic = server.security is SmtpSecurity.OPPORTUNISTIC and server.username is None
    if server.is_loopback or opportunistic:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
