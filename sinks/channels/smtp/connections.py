"""Connections to the mail server that stay open from one mail to the next."""

import asyncio
import contextlib
import socket
import ssl
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from sinks.channels.smtp.replies import Refused, Reply, Stage
from streams.smtp_url import SmtpSecurity, SmtpServer

ONE_WRITE_BYTES = 64 * 1024
"""A mail up to here goes to the kernel in one write, final dot included."""

_START_TLS = {SmtpSecurity.OPPORTUNISTIC: None, SmtpSecurity.STARTTLS: True, SmtpSecurity.TLS: False}


class Connection:
    """One SMTP session: a mail at a time, as many as the server takes."""

    def __init__(self, smtp: SMTP) -> None:
        self._smtp = smtp
        self._reset_first = False
        self.stage = Stage.SENDER
        self.used = False
        """Whether it has seen a mail: the server may have ended it since, which says nothing of the next one."""

    @property
    def is_open(self) -> bool:
        return self._smtp.is_connected

    @property
    def takes_utf8(self) -> bool:
        """Addresses outside ASCII (RFC 6531)."""
        return self._smtp.supports_extension("smtputf8")

    async def hand_over(self, sender: str, recipient: str, mail: bytes) -> None:
        """Send one mail. `stage` tells, also after an exception, how far it came.

        Raises Refused for an answer that is not yes, SMTPException or OSError for none.
        """
        self.stage = Stage.SENDER
        if self._reset_first:
            await self._command(b"RSET")
        self._reset_first = True
        options = () if recipient.isascii() else (b"SMTPUTF8",)
        await self._command(b"MAIL", b"FROM:<%b>" % sender.encode(), *options)
        self.stage = Stage.RECIPIENT
        await self._command(b"RCPT", b"TO:<%b>" % recipient.encode())
        self.stage = Stage.CONTENT
        await self._content(mail)
        self._reset_first = False

    async def quit(self) -> None:
        await self._smtp.quit()

    def abort(self) -> None:
        self._smtp.close()

    async def _command(self, *words: bytes) -> None:
        reply = Reply(*await self._smtp.execute_command(*words))
        if not reply.is_positive:
            raise Refused(reply, self.stage)

    async def _content(self, mail: bytes) -> None:
        """DATA in its steps: what silence means afterwards depends on whether the final dot was written."""
        reply = Reply(*await self._smtp.execute_command(b"DATA"))
        if reply.code != 354:
            raise Refused(reply, self.stage)
        protocol = self._smtp.protocol
        if protocol is None:
            raise SMTPServerDisconnected("closed after DATA")
        text = _double_leading_dots(mail)
        if len(text) > ONE_WRITE_BYTES:
            cast(asyncio.WriteTransport, protocol.transport).set_write_buffer_limits(high=0)
            protocol.write(text)
            await protocol._drain_helper()  # as StreamWriter.drain() does: the transport holds nothing back now
            text = b""
        protocol.write(text + b".\r\n")
        self.stage = Stage.HANDED_OVER
        reply = Reply(*await protocol.read_response())
        if not reply.is_positive:
            raise Refused(reply, self.stage)


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
