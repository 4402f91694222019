"""WhatsApp: the request field by field, and what each of the Cloud API's error codes comes to."""

import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.notifications import FilledTemplate
from schemas.reasons import ChannelName, DeliveryReason
from sinks.channels.base import Message
from sinks.channels.whatsapp import CODES, VERSION, WhatsApp
from streams.policy.delivery.correlation import MAX_CHARACTERS, Correlation
from streams.policy.delivery.rates import Rates
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from streams.simulator import Fault, Kind, Rule, Simulator
from streams.simulator.protocols import whatsapp
from tests.support.recording import recording

NUMBER_ID, TOKEN = "106540352242922", "EAAGm0PX4ZCps-the-token"
PLAIN = Message(
    company_id="co-7",
    notification_id="n-1",
    address="+4915112345678",
    name="Anna Müller",
    body_text="Guten Tag, Frau Müller 😀",
    composed_at=datetime(2026, 11, 22, 13, 30, tzinfo=UTC),
    attempt=3,
)
REMINDER = FilledTemplate(name="reminder", language="de", parameters=("Anna Müller", "14:30"))
TAKEN = {"messaging_product": "whatsapp", "contacts": [], "messages": [{"id": "wamid.1"}]}
CORRELATION = "company=co-7&notification=n-1&channel=whatsapp&attempt=3"


@asynccontextmanager
async def channel(url: str, number_id: str = NUMBER_ID, token: str = TOKEN) -> AsyncIterator[WhatsApp]:
    chat = WhatsApp(url, number_id, token, concurrency=2, timeout_seconds=5)
    try:
        yield chat
    finally:
        await chat.close()


async def send(chat: WhatsApp, message: Message = PLAIN) -> Result:
    return await chat.send(message, time.monotonic() + 5)


async def test_text() -> None:
    """Without a template, method, path, headers and body are those of a text message, and nothing else is said."""
    async with recording(200, TAKEN) as provider, channel(provider.url) as chat:
        assert await send(chat) == Accepted("wamid.1")
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", f"/{VERSION}/{NUMBER_ID}/messages")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+4915112345678",
        "type": "text",
        "text": {"body": "Guten Tag, Frau Müller 😀"},
        "biz_opaque_callback_data": CORRELATION,
    }


async def test_template() -> None:
    """An approved template is asked for by name and language, its parameters in order."""
    async with recording(200, TAKEN) as provider, channel(provider.url) as chat:
        await send(chat, dataclasses.replace(PLAIN, template=REMINDER))
    assert provider.requests[0].json == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+4915112345678",
        "type": "template",
        "template": {
            "name": "reminder",
            "language": {"code": "de"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "Anna Müller"}, {"type": "text", "text": "14:30"}],
                }
            ],
        },
        "biz_opaque_callback_data": CORRELATION,
    }


async def test_template_without_parameters() -> None:
    """One that takes none is sent without components."""
    bare = FilledTemplate(name="hello", language="en_US", parameters=())
    async with recording(200, TAKEN) as provider, channel(provider.url) as chat:
        await send(chat, dataclasses.replace(PLAIN, template=bare))
    assert provider.requests[0].json["template"] == {"name": "hello", "language": {"code": "en_US"}}


def test_correlation_fits() -> None:
    """What is given to take along comes back as it was, and is never longer than what is taken."""
    longest = Correlation("c" * 64, ":" * 64, ChannelName.WHATSAPP, 10**9)
    assert len(longest.written()) <= MAX_CHARACTERS
    assert Correlation.read(longest.written()) == longest
    assert Correlation.read(CORRELATION) == Correlation("co-7", "n-1", ChannelName.WHATSAPP, 3)
    for other in ("", "hello", "company=co-7", CORRELATION.replace("3", "x"), CORRELATION.replace("what", "wh")):
        assert Correlation.read(other) is None


ACCOUNT = (0, 10, 190, *range(200, 300), 368, 131005, 131031, 131042, 131045, 130497)
ROWS: list[tuple[int, type[Transient] | type[Permanent], DeliveryReason]] = [
    # for good: the recipient
    (131021, Permanent, DeliveryReason.REJECTED),
    (131026, Permanent, DeliveryReason.DEAD_ADDRESS),
    (131030, Permanent, DeliveryReason.REJECTED),
    (131050, Permanent, DeliveryReason.OPTED_OUT),
    (131051, Permanent, DeliveryReason.REJECTED),
    (130472, Permanent, DeliveryReason.REJECTED),
    (131047, Permanent, DeliveryReason.REJECTED),
    # for good: the request or the template
    *((code, Permanent, DeliveryReason.REJECTED) for code in (100, 131008, 131009)),
    *(
        (code, Permanent, DeliveryReason.REJECTED)
        for code in (132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016)
    ),
    # the account
    *((code, AccountWide, DeliveryReason.AUTH_FAILED) for code in ACCOUNT),
    (131048, AccountWide, DeliveryReason.RATE_LIMITED),
    # for now
    (2, Transient, DeliveryReason.UNAVAILABLE),
    (4, Transient, DeliveryReason.RATE_LIMITED),
    (80007, Transient, DeliveryReason.RATE_LIMITED),
    (130429, Transient, DeliveryReason.RATE_LIMITED),
    (131000, Transient, DeliveryReason.UNAVAILABLE),
    (131016, Transient, DeliveryReason.UNAVAILABLE),
    (131056, Transient, DeliveryReason.RATE_LIMITED),
    (131057, Transient, DeliveryReason.UNAVAILABLE),
]


def test_every_code_has_a_row() -> None:
    """No code is known without being tested."""
    assert {code for code, *_ in ROWS} == CODES.keys()


async def test_codes() -> None:
    """Each code means what the table says; the error names it, and not whom it was about."""
    async with (
        Simulator() as simulator,
        channel(simulator.doors[whatsapp.NAME].url, whatsapp.PHONE_NUMBER_ID, whatsapp.TOKEN) as chat,
    ):
        for code, result, reason in ROWS:
            rule = simulator.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=code)))
            said = await send(chat)
            simulator.world.rules.remove(rule)
            assert type(said) is result, code
            assert isinstance(said, Transient | Permanent)
            assert said.reason is reason, code
            assert f"code {code}" in said.error
            assert "15112345678" not in said.error
        assert isinstance(await send(chat), Accepted)


def error(code: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "type": "OAuthException", "code": code, "fbtrace_id": "x"}}


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"messages": []}, Unconfirmed),
        (200, {"messages": [{"id": 7}]}, Unconfirmed),
        (200, {"messages": {"id": "x"}}, Unconfirmed),
        (200, b"", Unconfirmed),
        (200, error(131026), Permanent),
        (400, error("131026"), Permanent),
        (400, error([1]), Permanent),
        (400, {"error": "no"}, Permanent),
        (400, error(999_999), Permanent),
        (401, b"", AccountWide),
        (404, b"", AccountWide),
        (429, b"", Transient),
        (500, error(100), Permanent),
        (500, b"", Transient),
        (503, b"<html>", Transient),
    ],
)
async def test_answers(status: int, answer: Any, expected: type[Result]) -> None:
    """A code decides before the status; what no code explains is judged by its status, a 5xx as not taken."""
    async with recording(status, answer) as provider, channel(provider.url) as chat:
        assert type(await send(chat)) is expected


async def test_errors_name_nobody() -> None:
    """Neither number, text, parameters nor token is in an error, though Meta repeated them all."""
    details = f"{PLAIN.address} {PLAIN.body_text} {TOKEN} Anna Müller 14:30"
    answer = {"error": {"code": 132000, "message": "no", "error_data": {"details": details}}}
    message = dataclasses.replace(PLAIN, template=REMINDER)
    async with recording(400, answer) as provider, channel(provider.url) as chat:
        said = await send(chat, message)
    assert isinstance(said, Permanent)
    for secret in ("15112345678", "Guten", "Anna", "14:30", TOKEN):
        assert secret not in said.error


def test_without_an_account() -> None:
    """Without an account there is no WhatsApp; with one it is that of the settings."""
    assert WhatsApp.from_settings(Settings(_env_file=None)) is None
    account: dict[str, Any] = {"whatsapp_phone_number_id": NUMBER_ID, "whatsapp_token": TOKEN}
    assert isinstance(WhatsApp.from_settings(Settings(_env_file=None, **account)), WhatsApp)


def test_pace() -> None:
    """As Meta allows: 80 messages a second for a number; for a recipient 45 at once, then one every 6 seconds."""
    assert Settings(_env_file=None).whatsapp_per_second == 80
    rates = Rates(0, WhatsApp.per_recipient)
    for _ in range(45):
        assert rates.recipient_waits("anna", 0) == 0
        rates.taken("anna", 0, 1)
    assert rates.recipient_waits("anna", 0) == 6
    assert rates.recipient_waits("anna", 6) == 0
