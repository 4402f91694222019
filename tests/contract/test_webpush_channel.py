"""Push to browsers: the request field by field, and what each status comes to."""

import dataclasses
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import DeliveryReason, Priority
from sinks.channels.push import Push
from sinks.channels.pushing.content import topic
from sinks.channels.pushing.vapid import MOST_BYTES, Vapid, encrypted
from sinks.channels.webpush import MEANINGS
from streams.policy.delivery.results import Accepted, AccountWide, Permanent, Result, Transient, Unconfirmed
from streams.settings import Settings
from streams.simulator import Fault, Kind, Rule, Simulator
from streams.simulator.protocols import fcm, signed, webpush
from tests.contract.webpush_support import (
    KEYS,
    PLAIN,
    channel,
    read,
    recipient,
    send,
    subscribed,
)
from tests.support.recording import recording


async def test_request() -> None:
    """Method, path, headers and body are what the RFCs say, and nothing else is said."""
    now = 1_795_000_000
    message = dataclasses.replace(PLAIN, ttl_seconds=3600.5, priority=Priority.HIGH)
    async with recording(201) as service, channel(now=lambda: float(now)) as push:
        said = await send(push, subscribed(service.url), message)
    assert said == Accepted(topic(message))
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/push/anna")
    headers = {
        name: request.headers[name] for name in ("ttl", "topic", "urgency", "content-encoding", "content-type")
    }
    assert headers == {
        "ttl": "3600",
        "topic": topic(message),
        "urgency": "high",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
    }
    scheme, _, parameters = request.headers["authorization"].partition(" ")
    given = dict(each.split("=", 1) for each in parameters.split(","))
    assert (scheme, given.keys()) == ("vapid", {"t", "k"})
    claims = signed.read_es256(given["t"], signed.read_point(signed.unpacked(given["k"])))
    assert claims == {"aud": service.url, "exp": now + 12 * 3600, "sub": KEYS["STAFFETTA_VAPID_SUBJECT"]}
    assert read(request.body) == {
        "notification": {"title": "Ihr Termin", "body": PLAIN.body_text},
        "data": {"notification_id": "n-1", "company_id": "co-7"},
    }


@pytest.mark.parametrize("text", ["ü" * 10_000, "😀" * 10_000, '"\n' * 5000, "a" * 10_000])
async def test_long_texts(text: str) -> None:
    """The encrypted body has at most 4096 bytes, and so one record, whatever its text is made of."""
    async with recording(201) as service, channel() as push:
        await send(push, subscribed(service.url), dataclasses.replace(PLAIN, body_text=text))
    body = service.requests[0].body
    assert MOST_BYTES - 8 <= len(body) <= MOST_BYTES
    assert read(body)["notification"]["body"].endswith("…")


@given(st.binary(min_size=1, max_size=3993), st.text("abc", min_size=1, max_size=5))
@settings(max_examples=30)
def test_encryption(plain: bytes, browser: str) -> None:
    """Only the browser that has subscribed reads it; the same text never looks the same."""
    subscription = subscribed("http://127.0.0.1:1", browser)
    body = encrypted(plain, subscription)
    assert len(body) == 86 + len(plain) + 17
    assert signed.decrypted(body, webpush.browser_key(browser), webpush.browser_secret(browser)) == plain
    with pytest.raises(signed.WrongTokenError):
        signed.decrypted(body, webpush.browser_key("other"), webpush.browser_secret("other"))
    assert body != encrypted(plain, subscription)


def test_decryption_of_the_standard() -> None:
    """The simulated browser reads the example of RFC 8291, appendix A."""
    key = signed.ec.derive_private_key(
        int.from_bytes(signed.unpacked("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"),
        signed.ec.SECP256R1(),
    )
    body = signed.unpacked(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
        "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    plain = signed.decrypted(body, key, signed.unpacked("BTBZMqHH6r4Tts7J_aSIgg"))
    assert plain == b"When I grow up, I want to be a watermelon"


ROWS: list[tuple[int, type[Transient] | type[Permanent], DeliveryReason]] = [
    (400, Permanent, DeliveryReason.REJECTED),
    (401, Permanent, DeliveryReason.AUTH_FAILED),
    (403, Permanent, DeliveryReason.AUTH_FAILED),
    (404, Permanent, DeliveryReason.DEAD_ADDRESS),
    (410, Permanent, DeliveryReason.DEAD_ADDRESS),
    (413, Permanent, DeliveryReason.REJECTED),
    (429, Transient, DeliveryReason.RATE_LIMITED),
    (500, Transient, DeliveryReason.UNAVAILABLE),
    (502, Transient, DeliveryReason.UNAVAILABLE),
    (503, Transient, DeliveryReason.UNAVAILABLE),
    (507, Transient, DeliveryReason.UNAVAILABLE),
    (405, Permanent, DeliveryReason.REJECTED),
]


def test_every_status_has_a_row() -> None:
    """No status is known without being tested."""
    assert MEANINGS.keys() <= {status for status, *_ in ROWS}


@pytest.mark.parametrize(("status", "result", "reason"), ROWS)
@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("120", 120.0)])
async def test_statuses(
    status: int, result: type[Result], reason: DeliveryReason, header: str | None, seconds: float | None
) -> None:
    """Each status means what the table says, with what the service asks for where it may pass later."""
    async with Simulator() as simulator, channel() as push:
        fault = Fault(kind=Kind.REFUSE, code=status, retry_after=header)
        simulator.world.rules.add(Rule(fault=fault))
        said = await send(push, subscribed(simulator.doors[webpush.NAME].url))
    assert type(said) is result
    assert not isinstance(said, AccountWide)
    assert isinstance(said, Transient | Permanent)
    assert said.reason is reason
    assert said.error.startswith(f"HTTP {status}")
    if isinstance(said, Transient):
        assert said.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, Accepted), (201, Accepted), (202, Accepted), (204, Unconfirmed), (299, Unconfirmed)],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"x" * 1_000_000])
async def test_good_statuses(status: int, expected: type[Result], body: bytes) -> None:
    """What is in the body of an answer does not matter: the status says it."""
    async with recording(status, b"" if status == 204 else body) as service, channel() as push:
        assert type(await send(push, subscribed(service.url))) is expected


async def test_errors_name_nobody() -> None:
    """Neither endpoint, keys, name nor text is in an error, though the service repeated them all."""
    async with recording(400) as service, channel() as push:
        anna = subscribed(service.url)
        repeated = (*anna, "/push/anna", "anna", PLAIN.name, PLAIN.subject, PLAIN.body_text)
        service.answer = " ".join(repeated).encode()
        said = await send(push, anna)
    assert isinstance(said, Permanent)
    for secret in (anna.endpoint, anna.auth, anna.p256dh, "anna", "Anna", "Termin", "14:30"):
        assert secret not in said.error


async def test_keys_that_are_none() -> None:
    """A point that is not on the curve is no subscription; nothing is asked."""
    async with recording(201) as service, channel() as push:
        wrong = subscribed(service.url)._replace(p256dh=signed.packed(b"\x04" + bytes(64)))
        said = await send(push, wrong)
    assert isinstance(said, Permanent)
    assert said.reason is DeliveryReason.DEAD_ADDRESS
    assert service.requests == []


def test_signatures_are_used_again() -> None:
    """One signature serves a push service for hours, and is replaced before it ends."""
    moment = 1_795_000_000.0
    vapid = Vapid(KEYS["STAFFETTA_VAPID_PRIVATE_KEY"], "mailto:push@example.org", lambda: moment)
    first = vapid.authorization("https://push.example.org")
    moment += 11 * 3600
    assert vapid.authorization("https://push.example.org") == first
    assert vapid.authorization("https://other.example.org") != first
    moment += 1
    assert vapid.authorization("https://push.example.org") != first


def test_signatures_are_bounded() -> None:
    """However many services customers name, not more than so many signatures are kept."""
    vapid = Vapid(KEYS["STAFFETTA_VAPID_PRIVATE_KEY"], "mailto:push@example.org")
    for number in range(250):
        vapid.authorization(f"https://{number}.example.org")
    assert len(vapid._signed) <= 100


def given_settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)


async def test_settings() -> None:
    """With a VAPID key there is push to browsers; with a service account too, each goes its own way."""
    keys = {
        "vapid_private_key": KEYS["STAFFETTA_VAPID_PRIVATE_KEY"],
        "vapid_subject": KEYS["STAFFETTA_VAPID_SUBJECT"],
        "webpush_allow_http": True,
    }
    only = Push.from_settings(given_settings(**keys))
    assert only is not None
    await only.close()
    async with Simulator() as simulator:
        fcm_url = simulator.doors[fcm.NAME].url
        account = orjson.dumps(fcm.service_account(fcm_url)).decode()
        both = Push.from_settings(given_settings(**keys, fcm_base_url=fcm_url, fcm_credentials=account))
        assert both is not None
        anna = subscribed(simulator.doors[webpush.NAME].url)
        assert both.account(anna.address) == ("webpush", anna.origin)
        assert both.account("token-1") == ("fcm", "")
        assert both.address(recipient(anna)) == anna.address
        for address in (anna.address, "token-1"):
            assert isinstance(await both.send(dataclasses.replace(PLAIN, address=address), 10.0**9), Accepted)
        assert [message.call.protocol for message in simulator.world.accepted] == [webpush.NAME, fcm.NAME]
        await both.close()
