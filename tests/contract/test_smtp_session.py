"""What goes over the wire of an SMTP session, byte by byte, against a server that follows a script."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiosmtplib import SMTP, SMTPException

from schemas.reasons import DeliveryReason
from sinks.channels.smtp.connections import Connection
from streams.policy.delivery.results import Accepted, Permanent, Transient, Unconfirmed
from streams.smtp_url import parse_smtp_url
from tests.contract.test_email_channel import channel, send

HELLO = b"250-script\r\n250 PIPELINING\r\n"
OK, GO_ON = b"250 OK\r\n", b"354 go on\r\n"


@dataclasses.dataclass
class Script:
    """Answers what comes in at a time by the next of `answers`, as often as there is one; then ends the session.

    Between the bytes of an answer there is a pause if `dribbles`.
    """

    answers: list[bytes]
    hello: bytes = HELLO
    dribbles: bool = False
    heard: list[bytes] = dataclasses.field(default_factory=list)
    """Of all sessions, without their greetings."""
    sessions: int = 0
    port: int = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Script"]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        writer.write(b"220 script\r\n")
        await reader.readline()
        writer.write(self.hello)
        while self.answers and (heard := await reader.read(1 << 20)):
            self.heard.append(heard)
            for piece in self._pieces(self.answers.pop(0)):
                writer.write(piece)
                await asyncio.sleep(0)
                await writer.drain()
        writer.close()

    def _pieces(self, answer: bytes) -> list[bytes]:
        return [answer[at : at + 1] for at in range(len(answer))] if self.dribbles else [answer]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


ENVELOPE = (b"MAIL FROM:<termine@example.org>\r\n", b"RCPT TO:<anna@example.com>\r\n", b"DATA\r\n")


async def said_to(script: Script, mails: int = 1) -> list[object]:
    async with script.serving(), channel(parse_smtp_url(script.url)) as email:
        return [await send(email) for _ in range(mails)]


@pytest.mark.parametrize("dribbles", [False, True])
async def test_commands_go_together(dribbles: bool) -> None:
    """Where the server can do it a mail takes two round trips, however its replies are cut."""
    script = Script([OK + OK + GO_ON, OK] * 2, dribbles=dribbles)
    assert [type(said) for said in await said_to(script, 2)] == [Accepted, Accepted]
    assert script.heard[0] == script.heard[2] == b"".join(ENVELOPE)
    assert script.heard[1].endswith(b"\r\n.\r\n")
    assert script.sessions == 1


async def test_commands_go_one_by_one() -> None:
    """Where the server does not say that it can, each command waits for the answer to the one before."""
    script = Script([OK, OK, GO_ON, OK], hello=b"250 script\r\n")
    assert isinstance((await said_to(script))[0], Accepted)
    assert tuple(script.heard[:3]) == ENVELOPE


@pytest.mark.parametrize("dribbles", [False, True])
async def test_after_a_refusal(dribbles: bool) -> None:
    """The answers to what was sent together with a refused command, however late, are not taken for the next
    mail's."""
    refusal = b"250 OK\r\n550 5.1.1 nobody\r\n554 no recipients\r\n"
    script = Script([refusal, OK * 3 + GO_ON, OK], dribbles=dribbles)
    refused, accepted = await said_to(script, 2)
    assert isinstance(refused, Permanent)
    assert refused.reason is DeliveryReason.DEAD_ADDRESS
    assert isinstance(accepted, Accepted)
    assert script.heard[1] == b"RSET\r\n" + b"".join(ENVELOPE)
    assert script.sessions == 1


async def test_no_mail_for_nobody() -> None:
    """A server that takes DATA although it refused the recipient is told nothing more: the session is given up."""
    script = Script([b"250 OK\r\n550 5.1.1 nobody\r\n354 go on\r\n", OK + OK + GO_ON, OK])
    refused, accepted = await said_to(script, 2)
    assert isinstance(refused, Permanent)
    assert isinstance(accepted, Accepted)
    assert script.sessions == 2
    assert script.heard[0] == script.heard[1] == b"".join(ENVELOPE)


async def test_goodbye_while_idle() -> None:
    """A session whose server has said unasked that it ends carries no further mail."""
    script = Script([OK + OK + GO_ON, OK + b"421 4.4.2 idle too long\r\n", OK + OK + GO_ON, OK])
    assert [type(said) for said in await said_to(script, 2)] == [Accepted, Accepted]
    assert script.sessions == 2


async def test_goodbye_at_once() -> None:
    """A session that ends with the last word of its beginning is a connection that failed."""
    (said,) = await said_to(Script([]))
    assert isinstance(said, Transient)
    with pytest.raises(SMTPException):
        Connection(SMTP())


@pytest.mark.parametrize(
    "nonsense", [b"hello\r\n", b"25\r\n", b"250-and\r\n" * 10_000, b"2" * 100_000], ids=lambda said: str(said[:9])
)
async def test_nonsense(nonsense: bytes) -> None:
    """What is no reply, or has no end, is as good as none: before the mail is handed over it may be tried again,
    afterwards nobody knows."""
    before, after = Script([nonsense]), Script([OK + OK + GO_ON, nonsense])
    assert isinstance((await said_to(before))[0], Transient)
    assert isinstance((await said_to(after))[0], Unconfirmed)


async def test_replies_without_end() -> None:
    """A server that never stops talking does not fill the memory."""
    script = Script([OK * 100_000])
    assert isinstance((await said_to(script))[0], Transient)


async def test_many_lines_and_none() -> None:
    """A reply may have many lines, or no words at all."""
    script = Script([b"250-yes\r\n250-indeed\r\n250 OK\r\n250\r\n354\r\n", b"550-5.7.1 no\r\n550 spam\r\n"])
    (said,) = await said_to(script)
    assert isinstance(said, Permanent)
    assert said.error.split() == ["after", "the", "final", "dot:", "550", "5.7.1", "no", "spam"]
