"""The demo's mail server does wrong what it is told to, and hands on the rest."""

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest

from schemas.reasons import DeliveryReason
from sinks.channels.email import Email
from streams.demo.mail_server import MailServer
from streams.policy.delivery.results import Accepted, Permanent, Transient, Unconfirmed
from streams.smtp_url import parse_smtp_url
from tests.contract.test_email_channel import PLAIN, send
from tests.support import smtp


@pytest.fixture
async def inbox() -> AsyncIterator[smtp.MailServer]:
    async with smtp.MailServer() as inbox:
        yield inbox


@pytest.fixture
def server(inbox: smtp.MailServer) -> Iterator[MailServer]:
    with MailServer(inbox.port) as server:
        yield server


@pytest.fixture
async def email(server: MailServer) -> AsyncIterator[Email]:
    email = Email(parse_smtp_url(server.url), "termine@example.org", concurrency=2, timeout_seconds=5)
    yield email
    await email.close()


async def test_puts_off(inbox: smtp.MailServer, server: MailServer, email: Email) -> None:
    """Whoever comes while it takes no mails may try again; afterwards the mail is handed on."""
    server.take_mails(False)
    put_off = await send(email)
    assert isinstance(put_off, Transient)
    assert put_off.reason is DeliveryReason.UNAVAILABLE
    assert not inbox.mails
    server.take_mails(True)
    assert isinstance(await send(email), Accepted)
    [mail] = inbox.mails
    assert (mail.recipient, mail.parsed["To"].addresses[0].addr_spec) == (PLAIN.address, PLAIN.address)


async def test_refuses(inbox: smtp.MailServer, server: MailServer, email: Email) -> None:
    """One address is refused for good, the others are not."""
    server.refuse(PLAIN.address)
    refused = await send(email)
    assert isinstance(refused, Permanent)
    assert refused.reason is DeliveryReason.DEAD_ADDRESS
    assert isinstance(await send(email, dataclasses.replace(PLAIN, address="ben@example.com")), Accepted)
    assert [mail.recipient for mail in inbox.mails] == ["ben@example.com"]


async def test_leaves_in_doubt(inbox: smtp.MailServer, server: MailServer, email: Email) -> None:
    """A mail is taken and nobody told so; its repetition is taken as any other."""
    server.drop(2)
    assert isinstance(await send(email), Unconfirmed)
    assert isinstance(await send(email), Accepted)
    first, repeated = inbox.mails
    assert first.message_id == repeated.message_id


async def test_without_an_inbox(inbox: smtp.MailServer, server: MailServer, email: Email) -> None:
    """A mail that the inbox does not take over is not accepted either."""
    inbox.plan("GREETING", smtp.Cut.DROP)
    assert isinstance(await send(email), Transient)
    assert isinstance(await send(email), Accepted)
    assert len(inbox.mails) == 1
