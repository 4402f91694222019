"""Push to apps: the request field by field, the token for it, and what each of FCM's error codes comes to."""

import dataclasses
import json
from typing import Any

import orjson
import pytest

from schemas.customer import Push as PushAddress
from schemas.notifications import Recipient
from schemas.reasons import Audience, DeliveryReason, Priority
from sinks.channels.fcm import MEANINGS, MOST_BYTES
from sinks.channels.push import Push
from sinks.channels.pushing.content import topic
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from streams.simulator import Fault, Kind, Rule, Simulator
from streams.simulator.protocols import fcm
from tests.contract.fcm_support import NOW, PLAIN, TAKEN, TOKEN, body_of, channel, google, send
from tests.support.recording import recording


async def test_request() -> None:
    """Method, path, headers and body are what FCM documents, and nothing else is said."""
    async with recording(200, TAKEN) as provider, google() as tokens, channel(provider.url, tokens.url) as push:
        assert await send(push, dataclasses.replace(PLAIN, ttl_seconds=3600.5)) == Accepted(TAKEN["name"])
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", "/v1/projects/simulated-project/messages:send")
    assert request.headers["authorization"] == "Bearer ya29.abc"
    assert request.headers["content-type"] == "application/json; charset=UTF-8"
    assert request.json == {
        "message": {
            "token": TOKEN,
            "notification": {"title": "Ihr Termin", "body": PLAIN.body_text},
            "data": {"notification_id": "n-1", "company_id": "co-7"},
            "android": {"collapse_key": "n-1", "ttl": "3600s"},
            "apns": {"headers": {"apns-collapse-id": "n-1", "apns-expiration": "1795003600"}},
            "webpush": {"headers": {"TTL": "3600", "Topic": topic(PLAIN), "Urgency": "normal"}},
        }
    }


async def test_ends_of_use() -> None:
    """Without an end it is kept for four weeks; what ends now is shown now or never."""
    for ttl, android, expiration in ((None, "2419200s", str(int(NOW) + 2_419_200)), (0.5, "0s", "0")):
        message = await body_of(dataclasses.replace(PLAIN, ttl_seconds=ttl))
        assert message["android"]["ttl"] == android
        assert message["apns"]["headers"]["apns-expiration"] == expiration


@pytest.mark.parametrize("priority", Priority)
async def test_urgency(priority: Priority) -> None:
    """A browser behind FCM is woken as urgently as the message is."""
    message = await body_of(dataclasses.replace(PLAIN, priority=priority))
    assert message["webpush"]["headers"]["Urgency"] == priority.value


async def test_title() -> None:
    """Without a subject, who writes stands above the text; without that, nothing does."""
    bare = dataclasses.replace(PLAIN, subject="", sender_name="Salon")
    assert (await body_of(bare))["notification"]["title"] == "Salon"
    assert (await body_of(dataclasses.replace(bare, sender_name=None)))["notification"] == {
        "body": PLAIN.body_text
    }


@pytest.mark.parametrize("text", ["ü" * 10_000, "😀" * 10_000, '"\n' * 5000, "a" * 10_000])
async def test_long_texts(text: str) -> None:
    """The whole request has at most 4096 bytes, whatever its text is made of."""
    message = await body_of(dataclasses.replace(PLAIN, body_text=text))
    assert MOST_BYTES - 8 <= len(orjson.dumps({"message": message})) <= MOST_BYTES
    assert message["notification"]["body"].endswith("…")


async def test_what_cannot_fit() -> None:
    """A frame that is too large without any text is refused here, and asks for no token."""
    async with recording(200, TAKEN) as provider, channel(provider.url) as push:
        said = await send(push, dataclasses.replace(PLAIN, address="x" * 4096))
    assert isinstance(said, Permanent)
    assert said.reason is DeliveryReason.REJECTED
    assert provider.requests == []


ROWS: list[tuple[str, int, type[Transient] | type[Permanent], DeliveryReason, float | None]] = [
    ("INVALID_ARGUMENT", 400, Permanent, DeliveryReason.REJECTED, None),
    ("UNREGISTERED", 404, Permanent, DeliveryReason.DEAD_ADDRESS, None),
    ("SENDER_ID_MISMATCH", 403, Permanent, DeliveryReason.REJECTED, None),
    ("THIRD_PARTY_AUTH_ERROR", 401, AccountWide, DeliveryReason.AUTH_FAILED, None),
    ("QUOTA_EXCEEDED", 429, Transient, DeliveryReason.RATE_LIMITED, 60.0),
    ("INTERNAL", 500, Transient, DeliveryReason.UNAVAILABLE, 10.0),
    ("UNAVAILABLE", 503, Transient, DeliveryReason.UNAVAILABLE, 10.0),
]


def test_every_code_has_a_row() -> None:
    """No code is known without being tested, here and in the simulator."""
    assert {code for code, *_ in ROWS} == MEANINGS.keys() == fcm.STATUSES.keys()
    assert all(fcm.STATUSES[code][0] == status for code, status, *_ in ROWS)


@pytest.mark.parametrize(("code", "status", "result", "reason", "later"), ROWS)
async def test_codes(
    code: str, status: int, result: type[Result], reason: DeliveryReason, later: float | None
) -> None:
    """Each code means what the table says; the error names it, and not whom it was about."""
    async with Simulator() as simulator, channel(simulator.doors[fcm.NAME].url) as push:
        simulator.world.rules.add(Rule(fault=Fault(kind=Kind.REFUSE, code=code)))
        said = await send(push)
    assert type(said) is result
    assert isinstance(said, Transient | Permanent)
    assert said.reason is reason
    assert f"HTTP {status}, code {code}" in said.error
    assert TOKEN not in said.error
    assert getattr(said, "retry_after_seconds", None) == later


@pytest.mark.parametrize("code", ["QUOTA_EXCEEDED", "INTERNAL", "UNAVAILABLE"])
@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("Tue, 24 Nov 2026 10:00:00 GMT", 0.0)])
async def test_retry_after(code: str, header: str, seconds: float) -> None:
    """What FCM asks for itself goes before what is usual, in both forms of the header."""
    async with Simulator() as simulator, channel(simulator.doors[fcm.NAME].url) as push:
        fault = Fault(kind=Kind.REFUSE, code=code, retry_after=header)
        simulator.world.rules.add(Rule(fault=fault))
        said = await send(push)
    assert isinstance(said, Transient)
    assert said.retry_after_seconds == seconds


def error(status: str, *codes: Any) -> dict[str, Any]:
    return {
        "error": {"code": 400, "message": "no", "status": status, "details": [{"errorCode": c} for c in codes]}
    }


@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (200, {"name": ""}, Unconfirmed),
        (200, {"name": ["x"]}, Unconfirmed),
        (200, {"name": "x" * 301}, Unconfirmed),
        (200, [], Unconfirmed),
        (200, b"", Unconfirmed),
        (404, error("NOT_FOUND", "UNREGISTERED"), Permanent),
        (404, error("NOT_FOUND", "WHAT_IS_NEW", "UNREGISTERED"), Permanent),
        (404, error("NOT_FOUND"), AccountWide),
        (404, b"<html>", AccountWide),
        (403, error("PERMISSION_DENIED", 5), AccountWide),
        (401, {"error": {"details": "none"}}, AccountWide),
        (401, {"error": "none"}, AccountWide),
        (400, b"[" * 100_000, Permanent),
        (413, b"", Permanent),
        (408, b"", Transient),
        (429, b"", Transient),
        (500, b"", Transient),
        (502, b"<html>", Transient),
    ],
)
async def test_answers(status: int, answer: Any, expected: type[Result]) -> None:
    """What no code explains is judged by its status: then it is not about the message, but about the project."""
    async with (
        recording(status, answer) as provider,
        google() as tokens,
        channel(provider.url, tokens.url) as push,
    ):
        assert type(await send(push)) is expected


async def test_errors_name_nobody() -> None:
    """Neither token, name nor text is in an error, though FCM repeated them all."""
    said = {
        "error": {"message": f"{TOKEN} {PLAIN.name} {PLAIN.subject} {PLAIN.body_text} ya29.abc", "status": "X"}
    }
    async with recording(400, said) as provider, google() as tokens, channel(provider.url, tokens.url) as push:
        result = await send(push)
    assert isinstance(result, Permanent)
    for secret in (TOKEN, "Anna", "Termin", "14:30"):
        assert secret not in result.error


@pytest.mark.parametrize("token", [TOKEN, None, "not a token"])
async def test_address(token: str | None) -> None:
    """An app is reached by its token, and only by one that can be one."""
    async with channel("http://127.0.0.1:1") as push:
        recipient = Recipient(
            type=Audience.CUSTOMER, id="cu-1", name="Anna", push=PushAddress.model_validate({"fcm_token": token})
        )
        assert push.address(recipient) == (TOKEN if token == TOKEN else None)


async def test_settings() -> None:
    """With a service account alone there is push to apps; without any key there is no push."""
    assert Push.from_settings(Settings(_env_file=None)) is None
    credentials = json.dumps(fcm.service_account("http://127.0.0.1:6073"))
    push = Push.from_settings(Settings(_env_file=None, fcm_credentials=credentials))
    assert push is not None
    assert (push.account("token-1"), push.recognises_repeats) == (("fcm", ""), True)
    await push.close()
