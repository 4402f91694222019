"""SMS: the request field by field, and what each of Twilio's error codes comes to."""

import base64
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.notifications import Recipient
from schemas.reasons import Audience, ChannelName, DeliveryReason
from sinks.channels.base import Message
from sinks.channels.twilio import CODES, Twilio
from streams.policy.delivery.correlation import Correlation
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from streams.simulator import Fault, Kind, Rule, Simulator
from streams.simulator.protocols import twilio
from tests.support.recording import recording

SID, TOKEN = "AC0123456789abcdef0123456789abcdef", "the-token"
SERVICE = "MG0123456789abcdef0123456789abcdef"
PUBLIC = "https://notify.example.org"
PLAIN = Message(
    company_id="co-7",
    notification_id="n-1",
    address="+4915112345678",
    name="Anna Müller",
    body_text="Haar & Co: Ihr Termin am 22.11. um 14:30 + Färben 😀",
    composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
    subject="not for SMS",
    attempt=2,
)
CREATED = {"sid": "SM1", "status": "queued", "num_segments": "1", "error_code": None}


@asynccontextmanager
async def channel(url: str, sender: str = "+4930555000", public_url: str | None = None) -> AsyncIterator[Twilio]:
    sms = Twilio(url, SID, TOKEN, sender, concurrency=2, timeout_seconds=5, public_url=public_url)
    try:
        yield sms
    finally:
        await sms.close()


async def send(sms: Twilio, message: Message = PLAIN) -> Result:
    return await sms.send(message, time.monotonic() + 5)


async def test_request() -> None:
    """Method, path, headers and body are what Twilio documents, and nothing else is said."""
    async with recording(201, CREATED) as provider, channel(provider.url) as sms:
        assert await send(sms) == Accepted("SM1")
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {"To": "+4915112345678", "From": "+4930555000", "Body": PLAIN.body_text}


async def test_messaging_service() -> None:
    """`MG…` is no number: it goes where a Messaging Service is named."""
    async with recording(201, CREATED) as provider, channel(provider.url, SERVICE) as sms:
        await send(sms)
    assert provider.requests[0].form == {
        "To": "+4915112345678",
        "MessagingServiceSid": SERVICE,
        "Body": PLAIN.body_text,
    }


async def test_status_callback() -> None:
    """With a public URL, receipts come there, and their URL says which attempt they are about."""
    async with (
        recording(201, CREATED) as provider,
        channel(provider.url, public_url=PUBLIC) as sms,
    ):
        await send(sms)
    url, _, query = provider.requests[0].form["StatusCallback"].partition("?")
    assert url == f"{PUBLIC}/webhooks/twilio"
    assert query == "company=co-7&notification=n-1&channel=sms&attempt=2"
    assert Correlation.read(query) == Correlation("co-7", "n-1", ChannelName.SMS, 2)


@pytest.mark.parametrize(
    ("left", "validity"),
    [(None, None), (0.2, "1"), (1.9, "1"), (90.0, "90"), (36_000.0, "36000"), (1_000_000.0, "36000")],
)
async def test_validity(left: float | None, validity: str | None) -> None:
    """A message that would come too late is for Twilio to throw away, within what it takes: 1 to 36 000 s."""
    async with recording(201, CREATED) as provider, channel(provider.url) as sms:
        await send(sms, dataclasses.replace(PLAIN, ttl_seconds=left))
    assert provider.requests[0].form.get("ValidityPeriod") == validity


ROWS: list[tuple[int, type[Transient] | type[Permanent], DeliveryReason]] = [
    # never processed
    (20429, Transient, DeliveryReason.RATE_LIMITED),
    (21611, Transient, DeliveryReason.RATE_LIMITED),
    (30001, Transient, DeliveryReason.RATE_LIMITED),
    (30003, Transient, DeliveryReason.UNAVAILABLE),
    (30008, Transient, DeliveryReason.UNAVAILABLE),
    # the account
    (20003, AccountWide, DeliveryReason.AUTH_FAILED),
    # for good
    (21211, Permanent, DeliveryReason.DEAD_ADDRESS),
    (21212, Permanent, DeliveryReason.REJECTED),
    (21214, Permanent, DeliveryReason.DEAD_ADDRESS),
    (21408, Permanent, DeliveryReason.REJECTED),
    (21606, Permanent, DeliveryReason.REJECTED),
    (21609, Permanent, DeliveryReason.REJECTED),
    (21610, Permanent, DeliveryReason.OPTED_OUT),
    (21612, Permanent, DeliveryReason.REJECTED),
    (21614, Permanent, DeliveryReason.DEAD_ADDRESS),
    (21617, Permanent, DeliveryReason.REJECTED),
    (30002, Permanent, DeliveryReason.AUTH_FAILED),
    (30004, Permanent, DeliveryReason.REJECTED),
    (30005, Permanent, DeliveryReason.DEAD_ADDRESS),
    (30006, Permanent, DeliveryReason.DEAD_ADDRESS),
    (30007, Permanent, DeliveryReason.REJECTED),
    (30034, Permanent, DeliveryReason.REJECTED),
]


def test_every_code_has_a_row() -> None:
    """No code is known without being tested."""
    assert {code for code, *_ in ROWS} == CODES.keys()


@pytest.mark.parametrize(("code", "result", "reason"), ROWS)
async def test_codes(code: int, result: type[Transient] | type[Permanent], reason: DeliveryReason) -> None:
    """Each code means what the table says; the error names it, and not whom it was about."""
    async with Simulator() as simulator:
        simulator.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=code)))
        url = simulator.doors[twilio.NAME].url
        sms = Twilio(url, twilio.ACCOUNT_SID, twilio.AUTH_TOKEN, twilio.FROM, concurrency=1, timeout_seconds=5)
        said = await send(sms)
        await sms.close()
    assert type(said) is result
    assert isinstance(said, Transient | Permanent)
    assert said.reason is reason
    assert str(code) in said.error
    assert "15112345678" not in said.error


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"sid": "SM1"}, Accepted("SM1")),
        (201, {"sid": "", "status": "queued"}, Unconfirmed),
        (201, {"sid": ["SM1"]}, Unconfirmed),
        (201, [], Unconfirmed),
        (201, b"", Unconfirmed),
        (201, {"sid": "SM1", "status": "failed", "error_code": 21610}, Permanent),
        (201, {"sid": "SM1", "status": "failed", "error_code": None}, Unconfirmed),
        (400, {"code": "21614"}, Permanent),
        (400, {"code": [21614]}, Permanent),
        (400, {"code": 99999}, Permanent),
        (400, b"[" * 100_000, Permanent),
        (401, b"", AccountWide),
        (403, {"code": 20006}, AccountWide),
        (404, {"code": 20404}, AccountWide),
        (408, b"", Transient),
        (429, b"", Transient),
        (500, {"code": 20500, "message": "Internal Server Error"}, Unconfirmed),
        (502, b"<html>", Unconfirmed),
        (503, b"", Unconfirmed),
    ],
)
async def test_answers(status: int, answer: Any, expected: Result | type[Result]) -> None:
    """What no code explains is judged by its status; a 5xx may have created the message."""
    async with recording(status, answer) as provider, channel(provider.url) as sms:
        said = await send(sms)
    assert said == expected if isinstance(expected, Accepted) else type(said) is expected


async def test_errors_name_nobody() -> None:
    """Neither number, name, text nor token is in an error, though Twilio repeated them all."""
    message = f"{PLAIN.address} {PLAIN.name} {PLAIN.body_text} {SID} {TOKEN} tel:{PLAIN.address[1:]}"
    async with recording(400, {"code": 21614, "message": message}) as provider, channel(provider.url) as sms:
        said = await send(sms)
    assert isinstance(said, Permanent)
    for secret in (PLAIN.address[1:], "Anna", "Termin", SID, TOKEN):
        assert secret not in said.error


@pytest.mark.parametrize(
    ("phone", "address"),
    [("+4915112345678", "+4915112345678"), ("015112345678", None), ("+49 151 1", None), (None, None)],
)
async def test_address(phone: str | None, address: str | None) -> None:
    """Only a number in the form of E.164 can be written to."""
    async with channel("http://127.0.0.1:1") as sms:
        recipient = Recipient(type=Audience.CUSTOMER, id="cu-1", name="Anna", phone=phone)
        assert sms.address(recipient) == address


def test_without_an_account() -> None:
    """Without an account there is no SMS; with one it is that of the settings."""
    assert Twilio.from_settings(Settings(_env_file=None)) is None
    account: dict[str, Any] = {"twilio_account_sid": SID, "twilio_auth_token": TOKEN, "twilio_from": "Salon"}
    assert isinstance(Twilio.from_settings(Settings(_env_file=None, **account)), Twilio)
