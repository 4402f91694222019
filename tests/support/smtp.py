"""A real SMTP server in the test's own event loop, which fails when and how it is told to."""

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import tempfile
import warnings
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum, auto
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from streams.smtp_url import SmtpServer, parse_smtp_url


class Cut(Enum):
    """What a server can do instead of answering."""

    DROP = auto()
    """It ends the connection."""
    SILENCE = auto()
    """It never answers."""


Fault = str | Cut | float
"""A reply, something done instead of it, or the seconds by which the right answer is late."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One that came in whole; whether the client was told so is another matter."""

    recipient: str
    content: bytes
    over_tls: bool
    logged_in: bool
    sender: str
    """Of the envelope."""

    @property
    def parsed(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(self.parsed["Message-ID"])


@dataclass
class MailServer:
    """Faults are planned by stage (GREETING, MAIL, RCPT, DATA, CONTENT, DOT, RSET), first planned, first used.

    `DATA` is the command, `CONTENT` the moment after the first line of the mail, `DOT` the one after its last.
    """

    tls: bool = False
    """From the first byte."""
    starttls: bool = False
    password: str | None = None
    """Asked for, with any user name, if it is set."""
    smtputf8: bool = True
    pipelining: bool = True
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    port: int = 0
    fell_silent: asyncio.Event = field(default_factory=asyncio.Event)
    _faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _sessions: set["_Session"] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        context = tls_context() if self.tls else None
        self._server = await loop.create_server(lambda: _Session(self), "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop_all()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"{'smtps' if self.tls else 'smtp'}://127.0.0.1:{self.port}"

    @property
    def address(self) -> SmtpServer:
        return parse_smtp_url(self.url)

    def plan(self, stage: str, *faults: Fault) -> None:
        self._faults[stage].extend(faults)

    def fault(self, stage: str) -> Fault | None:
        planned = self._faults[stage]
        return planned.popleft() if planned else None

    def drop_all(self) -> None:
        """End every open session, as after a restart or an idle time-out."""
        for session in list(self._sessions):
            session.cut()

    def opened(self, session: "_Session") -> None:
        self._sessions.add(session)
        self.connections += 1
        self.most_at_once = max(self.most_at_once, len(self._sessions))

    def closed(self, session: "_Session") -> None:
        self._sessions.discard(session)

    async def handle_EHLO(  # noqa: N802
        self, session: "_Session", state: Session, envelope: Envelope, host_name: str, answers: list[str]
    ) -> list[str]:
        state.host_name = host_name
        return [*answers[:-1], *["250-PIPELINING"] * self.pipelining, answers[-1]]

    async def handle_DATA(self, session: "_Session", state: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content
        assert content is not None
        fault = self.fault("DOT")
        if not isinstance(fault, str):
            over_tls = self.tls or state.ssl is not None
            logged_in = bool(state.authenticated)
            self.mails.append(Mail(envelope.rcpt_tos[0], content, over_tls, logged_in, envelope.mail_from or ""))
        return "250 OK" if await session.passes(fault) else ""

    def log_in(self, _: Any, __: Session, ___: Envelope, mechanism: str, given: LoginPassword) -> AuthResult:
        good = self.password is not None and given.password == self.password.encode()
        return AuthResult(success=good, handled=False)


class _Session(SMTP):
    """One connection to a `MailServer`."""

    def __init__(self, server: MailServer) -> None:
        self._mail_server = server
        with warnings.catch_warnings(action="ignore"):  # a password without TLS, on purpose
            super().__init__(
                server,
                hostname="mail.test",
                enable_SMTPUTF8=server.smtputf8,
                tls_context=tls_context() if server.starttls else None,
                authenticator=server.log_in if server.password else None,
                auth_required=server.password is not None,
                auth_require_tls=False,
                data_size_limit=None,
            )

    def cut(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()

    async def passes(self, fault: Fault | None) -> bool:
        """Whether all is well; else the fault has been done."""
        if fault is None:
            return True
        if isinstance(fault, float):
            await asyncio.sleep(fault)
            return True
        if isinstance(fault, str):
            await self.push(fault)
            if fault.startswith("421") and self.transport is not None:
                self.transport.close()
        elif fault is Cut.DROP:
            self.cut()
        else:
            self._mail_server.fell_silent.set()
            await asyncio.Event().wait()
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.transport is None:
            self._mail_server.opened(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._mail_server.closed(self)
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        if status:
            await super().push(status)

    async def _handle_client(self) -> None:
        with contextlib.suppress(ConnectionError):
            if await self.passes(self._mail_server.fault("GREETING")):
                await super()._handle_client()
            elif self.transport is not None:
                self.transport.close()

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if await self.passes(self._mail_server.fault("MAIL")):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if await self.passes(self._mail_server.fault("RCPT")):
            await super().smtp_RCPT(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if await self.passes(self._mail_server.fault("RSET")):
            await super().smtp_RSET(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if not await self.passes(self._mail_server.fault("DATA")):
            return
        fault = self._mail_server.fault("CONTENT")
        if fault is not None:
            await self.push("354 go on")
            await self._reader.readline()
            await self.passes(fault)
            return
        await super().smtp_DATA(arg)


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(CERTIFICATE)
        file.flush()
        context.load_cert_chain(file.name)
    return context


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody listens on, and that nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTC0e19BZrXktr1fu
cAnJ+Ua4NhNiDrz/y06VLqkwoJmhRANCAARTWx0twYh9KGSSRQ0IK+OLFyH595oU
wZ7cSTsGexPOp/gxQsEqkOMtSnf0LNhj6aVzTne0LEH+iK6D4A3JvF4k
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBpjCCAUygAwIBAgIUKaT7IyT5LcwE99kMnF7LpmOyAjAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbWFpbC50ZXN0MCAXDTI2MTEyMzEzNDIxOVoYDzIxMjYxMDMw
MTM0MjE5WjAUMRIwEAYDVQQDDAltYWlsLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARTWx0twYh9KGSSRQ0IK+OLFyH595oUwZ7cSTsGexPOp/gxQsEqkOMt
Snf0LNhj6aVzTne0LEH+iK6D4A3JvF4ko3oweDAdBgNVHQ4EFgQUcjD1+38FoEHE
VMi2T2Ro/k9mwa0wHwYDVR0jBBgwFoAUcjD1+38FoEHEVMi2T2Ro/k9mwa0wDwYD
VR0TAQH/BAUwAwEB/zAlBgNVHREEHjAcggltYWlsLnRlc3SCCWxvY2FsaG9zdIcE
fwAAATAKBggqhkjOPQQDAgNIADBFAiEA0kPPVQBB93pnK6EGzYkWj4QOGNQTyXIi
vU1QL7Mi2DACIEO9wFUG1qBxpXY60HPcpWx1ZSaNee9gnAguAGril7SV
-----END CERTIFICATE-----
"""
"""Of mail.test, signed by nobody; protects nothing."""
