"""E-mail against a real SMTP server: replies, TLS, log-in, sessions."""

import asyncio
import dataclasses
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from schemas.reasons import DeliveryReason
from sinks.channels.base import Message
from sinks.channels.email import Email
from sinks.channels.smtp import connections
from sinks.channels.smtp.composing import Composer
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from streams.smtp_url import SmtpServer, parse_smtp_url
from tests.support.smtp import Cut, MailServer

PLAIN = Message(
    company_id="co-7",
    notification_id="n-1",
    address="anna@example.com",
    name="Anna Müller",
    subject="Ihr Termin am 22.11.",
    body_text="Guten Tag, Frau Müller 😀\n.\nEnde",
    body_html="<p>Guten Tag, Frau Müller 😀</p>",
    composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
)


@asynccontextmanager
async def channel(server: SmtpServer, *, concurrency: int = 2, timeout: float = 2.0) -> AsyncIterator[Email]:
    email = Email(server, "termine@example.org", concurrency=concurrency, timeout_seconds=timeout)
    try:
        yield email
    finally:
        await email.close()


async def send(email: Email, message: Message = PLAIN) -> Result:
    return await email.send(message, time.monotonic() + 60)


def numbered(count: int) -> list[Message]:
    return [dataclasses.replace(PLAIN, notification_id=f"n-{number}") for number in range(count)]


async def test_arrives_byte_for_byte() -> None:
    """What the server stores is what was composed, lines with a lone dot included."""
    async with MailServer() as server, channel(server.address) as email:
        assert isinstance(await send(email), Accepted)
    (mail,) = server.mails
    assert mail.content == Composer("termine@example.org").compose(PLAIN, "anna@example.com")
    assert mail.recipient == "anna@example.com"


async def test_bounces_tell_which_mail_it_was() -> None:
    """The envelope's sender names the notification; the mail's does not."""
    async with MailServer() as server:
        email = Email(
            server.address,
            "termine@example.org",
            concurrency=1,
            timeout_seconds=5,
            return_path="bounces+{id}@example.org",
        )
        await send(email)
        await email.close()
    (mail,) = server.mails
    assert mail.sender == f"bounces+{PLAIN.notification_id}.{PLAIN.company_id}@example.org"
    assert mail.parsed["From"] == "termine@example.org"


TRANSIENT, PERMANENT = Transient, Permanent
STAGES = {"GREETING": "at connect", "DOT": "after the final dot"}
"""As an error names them; the others by their commands."""
REPLIES = [
    # stage, reply, result, reason
    ("GREETING", "421 busy", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("GREETING", "554 5.7.1 your network is not welcome", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("MAIL", "421 4.3.2 shutting down", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("MAIL", "450 4.7.1 slow down", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", AccountWide, DeliveryReason.AUTH_FAILED),
    ("MAIL", "535 5.7.8 credentials invalid", AccountWide, DeliveryReason.AUTH_FAILED),
    ("MAIL", "553 5.1.8 sender's domain does not exist", PERMANENT, DeliveryReason.REJECTED),
    ("MAIL", "550 5.1.1 about the sender all the same", PERMANENT, DeliveryReason.REJECTED),
    ("RCPT", "450 4.2.1 mailbox busy", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("RCPT", "451 4.3.0 local error", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("RCPT", "452 4.2.2 over quota", TRANSIENT, DeliveryReason.MAILBOX_FULL),
    ("RCPT", "452 4.5.3 too many recipients", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("RCPT", "550 5.1.1 user unknown", PERMANENT, DeliveryReason.DEAD_ADDRESS),
    ("RCPT", "551 5.1.6 moved away", PERMANENT, DeliveryReason.DEAD_ADDRESS),
    ("RCPT", "553 5.1.3 malformed", PERMANENT, DeliveryReason.DEAD_ADDRESS),
    ("RCPT", "550 5.7.1 policy", PERMANENT, DeliveryReason.REJECTED),
    ("RCPT", "550 no enhanced code", PERMANENT, DeliveryReason.REJECTED),
    ("RCPT", "550 5.1.10x is no code", PERMANENT, DeliveryReason.REJECTED),
    ("RCPT", "552 5.2.2 full", TRANSIENT, DeliveryReason.MAILBOX_FULL),
    ("RCPT", "552 Mailbox limit exceeded", TRANSIENT, DeliveryReason.MAILBOX_FULL),
    ("DATA", "451 4.3.0 queue error", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("DATA", "503 5.5.1 out of order", PERMANENT, DeliveryReason.REJECTED),
    ("DOT", "452 4.3.1 insufficient system storage", TRANSIENT, DeliveryReason.MAILBOX_FULL),
    ("DOT", "421 4.4.2 giving up", TRANSIENT, DeliveryReason.UNAVAILABLE),
    ("DOT", "552 5.3.4 message too big", PERMANENT, DeliveryReason.REJECTED),
    ("DOT", "554 5.6.0 content rejected", PERMANENT, DeliveryReason.REJECTED),
    ("DOT", "550 5.1.1 found out late", PERMANENT, DeliveryReason.DEAD_ADDRESS),
    ("DOT", "354 go on", Unconfirmed, DeliveryReason.LOST_AFTER_DATA),
]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(("stage", "reply", "result", "reason"), REPLIES)
async def test_replies(
    stage: str, reply: str, result: type[Transient], reason: DeliveryReason, pipelining: bool
) -> None:
    """Each refusal means what the table says, carries the server's words and where it said them, and the next mail
    goes through."""
    async with MailServer(pipelining=pipelining) as server, channel(server.address) as email:
        server.plan(stage, reply)
        said = await send(email)
        assert type(said) is result
        assert said.reason is reason
        assert said.error == f"{STAGES.get(stage, f'at {stage}')}: {reply}"
        assert isinstance(await send(email), Accepted)


async def test_errors_do_not_name_the_recipient() -> None:
    """A server's words are recorded without the address, and no longer than needed."""
    async with MailServer() as server, channel(server.address) as email:
        server.plan(
            "RCPT", "550 5.1.1 <Anna@Example.COM>: anna is unknown to us, see 'anna@example.com'" + "x" * 900
        )
        said = await send(email)
    assert isinstance(said, Permanent)
    assert "anna" not in said.error.lower()
    assert "is unknown to us" in said.error
    assert len(said.error) <= 300


@pytest.mark.parametrize("pipelining", [True, False])
async def test_sessions_are_used_again(pipelining: bool) -> None:
    """One session carries many mails, also after a refusal in between."""
    async with MailServer(pipelining=pipelining) as server, channel(server.address) as email:
        for number, message in enumerate(numbered(6)):
            if number == 3:
                server.plan("RCPT", "550 5.7.1 no")
            await send(email, message)
    assert server.connections == 1
    assert [mail.message_id[1:4] for mail in server.mails] == ["n-0", "n-1", "n-2", "n-4", "n-5"]


@pytest.mark.parametrize("fault", [Cut.DROP, Cut.SILENCE, "421 4.7.0 too many mails in this session"])
async def test_session_that_ends_with_the_next_mail(fault: Cut | str) -> None:
    """A session that turns out to be over, noticed, unnoticed or announced, is replaced at once."""
    async with MailServer() as server, channel(server.address, timeout=1.5) as email:
        assert isinstance(await send(email), Accepted)
        server.plan("MAIL", fault)
        assert isinstance(await send(email), Accepted)
        assert server.connections == 2


async def test_a_fresh_session_is_not_replaced() -> None:
    """A server that ends new sessions too is asked once, not for ever."""
    async with MailServer() as server, channel(server.address) as email:
        server.plan("MAIL", Cut.DROP, Cut.DROP)
        assert isinstance(await send(email), Transient)
        assert server.connections == 1


async def test_sessions_are_opened_as_needed() -> None:
    """One mail at a time needs one session; ten at once, as many as there may be."""
    async with MailServer() as server, channel(server.address, concurrency=4) as email:
        for message in numbered(3):
            await send(email, message)
        assert server.connections == 1
        await asyncio.gather(*(send(email, message) for message in numbered(10)))
        assert server.connections == server.most_at_once == 4


async def test_large_mail_that_is_cut_off() -> None:
    """A mail of which the end had not been written when the connection ended has certainly not arrived."""
    large = dataclasses.replace(PLAIN, body_html="<p>ä</p>\n" * 2_000_000)
    async with MailServer() as server, channel(server.address, timeout=20) as email:
        server.plan("CONTENT", Cut.DROP)
        said = await send(email, large)
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.CONNECTION_FAILED


async def test_large_mail() -> None:
    """A mail of some megabytes arrives whole."""
    large = dataclasses.replace(PLAIN, body_html="<p>ä</p>\n" * 200_000)
    async with MailServer() as server, channel(server.address, timeout=20) as email:
        assert isinstance(await send(email, large), Accepted)
    html = server.mails[0].parsed.get_body(("html",))
    assert html is not None
    assert html.get_content().replace("\r\n", "\n") == large.body_html


@pytest.mark.parametrize(
    ("scheme", "offered", "over_tls"),
    [("smtp", False, False), ("smtp", True, True), ("smtp+starttls", True, True), ("smtps", None, True)],
)
async def test_tls(scheme: str, offered: bool | None, over_tls: bool) -> None:
    """`smtp` uses TLS if it is offered, `smtp+starttls` and `smtps` always."""
    async with (
        MailServer(tls=offered is None, starttls=bool(offered)) as server,
        channel(parse_smtp_url(f"{scheme}://127.0.0.1:{server.port}")) as email,
    ):
        assert isinstance(await send(email), Accepted)
        assert isinstance(await send(email), Accepted)
    assert [mail.over_tls for mail in server.mails] == [over_tls, over_tls]


async def test_required_tls_is_required() -> None:
    """`smtp+starttls` sends nothing to a server without it."""
    async with (
        MailServer() as server,
        channel(parse_smtp_url(f"smtp+starttls://127.0.0.1:{server.port}")) as email,
    ):
        said = await send(email)
    assert isinstance(said, Transient)
    assert "STARTTLS" in said.error
    assert server.mails == []


@pytest.mark.parametrize("starttls", [True, False])
async def test_log_in(starttls: bool) -> None:
    """User and password are percent-decoded and used, on this machine also without TLS."""
    async with (
        MailServer(starttls=starttls, password="p@ss/wörd") as server,
        channel(parse_smtp_url(f"smtp://salon%40example.org:p%40ss%2Fw%C3%B6rd@127.0.0.1:{server.port}")) as email,
    ):
        assert isinstance(await send(email), Accepted)
    assert server.mails[0].logged_in


async def test_wrong_password() -> None:
    """A wrong password fails as the account's fault, not the message's, and is in no error."""
    async with (
        MailServer(password="right") as server,
        channel(parse_smtp_url(f"smtp://salon:wrong-one@127.0.0.1:{server.port}")) as email,
    ):
        said = await send(email)
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.AUTH_FAILED
    assert "wrong-one" not in said.error


async def test_server_without_log_in() -> None:
    """A password for a server that asks for none is a mistake somebody should see."""
    async with (
        MailServer() as server,
        channel(parse_smtp_url(f"smtp://salon:secret@127.0.0.1:{server.port}")) as email,
    ):
        said = await send(email)
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.AUTH_FAILED


async def test_password_stays_here_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """No password goes to another machine unless TLS protects it."""
    monkeypatch.setattr(SmtpServer, "is_loopback", False)
    async with (
        MailServer(password="secret") as server,
        channel(parse_smtp_url(f"smtp://salon:secret@127.0.0.1:{server.port}")) as email,
    ):
        said = await send(email)
    assert isinstance(said, Transient)
    assert said.reason is DeliveryReason.AUTH_FAILED
    assert server.mails == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_unknown_certificate(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere whose certificate nobody vouches for gets neither password nor mail."""
    monkeypatch.setattr(SmtpServer, "is_loopback", False)
    async with (
        MailServer(tls=scheme == "smtps", starttls=scheme != "smtps", password="secret") as server,
        channel(parse_smtp_url(f"{scheme}://salon:secret@127.0.0.1:{server.port}")) as email,
    ):
        said = await send(email)
    assert isinstance(said, Transient)
    assert "certificate" in said.error.lower()
    assert server.mails == []


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("smtps://mail.example.org", ssl.CERT_REQUIRED),
        ("smtp+starttls://mail.example.org", ssl.CERT_REQUIRED),
        ("smtp://u:p@mail.example.org", ssl.CERT_REQUIRED),
        ("smtp://mail.example.org", ssl.CERT_NONE),
        ("smtps://localhost", ssl.CERT_NONE),
        ("smtps://u:p@[::1]", ssl.CERT_NONE),
    ],
)
def test_which_certificates_must_be_good(url: str, mode: ssl.VerifyMode) -> None:
    """Certificates are checked, but on this machine, and where TLS is a bonus and no password is at stake."""
    assert connections._tls_context(parse_smtp_url(url)).verify_mode is mode


async def test_address_outside_ascii() -> None:
    """`änna@…` is mailed where the server takes it, and refused for good where it does not."""
    message = dataclasses.replace(PLAIN, address="änna@müller.example")
    async with MailServer() as server, channel(server.address) as email:
        assert isinstance(await send(email, message), Accepted)
        assert server.mails[0].recipient == "änna@xn--mller-kva.example"
        assert "<änna@xn--mller-kva.example>" in server.mails[0].content.decode()
    async with MailServer(smtputf8=False) as server, channel(server.address) as email:
        assert isinstance(await send(email, message), Permanent)
        assert isinstance(await send(email), Accepted)


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@example.com\r\nRSET", "a@b.example>\r\nRCPT TO:<eve@example.net", "a b@example.com"],
)
async def test_no_address(address: str) -> None:
    """What is no address is refused before any server hears of it."""
    async with MailServer() as server, channel(server.address) as email:
        said = await send(email, dataclasses.replace(PLAIN, address=address))
    assert isinstance(said, Permanent)
    assert server.connections == 0


async def test_cancelled_in_the_middle() -> None:
    """A send that is cancelled leaves no half-finished session behind for the next one."""
    async with MailServer() as server, channel(server.address, timeout=60) as email:
        server.plan("RCPT", Cut.SILENCE)
        sending = asyncio.create_task(send(email))
        await server.fell_silent.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert isinstance(await send(email), Accepted)
    assert len(server.mails) == 1
