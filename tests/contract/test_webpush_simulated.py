"""The simulated push service is as strict as the RFCs."""

import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from sinks.channels.pushing.vapid import Vapid, encrypted
from streams.simulator import Simulator
from streams.simulator.protocols import signed, webpush
from tests.contract.webpush_support import KEYS, subscribed

KEY = KEYS["STAFFETTA_VAPID_PRIVATE_KEY"]
OTHER_KEY = signed.packed((5).to_bytes(32, "big"))
SUBJECT = "mailto:push@example.org"


def headers(url: str, **changes: str | None) -> dict[str, str]:
    """Those of a right request; `changes` of None are left out."""
    right: dict[str, str | None] = {
        "Authorization": Vapid(KEY, SUBJECT).authorization(url),
        "TTL": "60",
        "Topic": "T" * 32,
        "Urgency": "low",
        "Content-Encoding": "aes128gcm",
    }
    given = {**right, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in given.items() if value is not None}


def authorization(url: str, **claims: Any) -> str:
    """A signature of the known key over other claims."""
    vapid = Vapid(KEY, SUBJECT)._vapid
    vapid.conf["no-strict"] = True
    right = {"aud": url, "exp": int(time.time()) + 3600, "sub": SUBJECT}
    said: str = vapid.sign({**right, **claims})["Authorization"]
    return said


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 201),
        ({"Topic": None, "Urgency": None}, 201),
        ({"TTL": "0"}, 201),
        ({"TTL": None}, 400),
        ({"TTL": "soon"}, 400),
        ({"TTL": "-1"}, 400),
        ({"TTL": "2419201"}, 400),
        ({"TTL": "9" * 5000}, 400),
        ({"Topic": "T" * 33}, 400),
        ({"Topic": "a b"}, 400),
        ({"Urgency": "urgent"}, 400),
        ({"Content_Encoding": "aesgcm"}, 400),
        ({"Content_Encoding": None}, 400),
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": "vapid x, t=a.b.c, k=d"}, 401),
        ({"Authorization": "vapid t=a.b.c k=d"}, 401),
        ({"Authorization": "vapid t=a.b.c, k=d, x=e"}, 401),
        ({"Authorization": "vapid t=a.b.c, k=d="}, 401),
        ({"Authorization": "Vapid t=a.b.c, k=d"}, 403),
        ({"Authorization": "vapid t=a.b.c,k=d"}, 403),
    ],
)
async def test_headers(changes: dict[str, str | None], status: int) -> None:
    """What a header lacks or says wrongly is refused, and nothing is accepted."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        anna = subscribed(url)
        body = encrypted(b"hello", anna)
        async with client.post(anna.endpoint, data=body, headers=headers(url, **changes)) as answer:
            assert answer.status == status
            assert (answer.headers.get("Location") is not None) is (status == 201)
        assert [message.call.content["payload"] for message in simulator.world.accepted] == ["hello"] * (
            status == 201
        )


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://push.example.org"},
        {"exp": 1},
        {"exp": 10**11},
        {"exp": "later"},
        {"sub": "push@example.org"},
    ],
)
async def test_claims(claims: dict[str, Any]) -> None:
    """A signature for another service, that has ended, that never ends, or by nobody who can be reached."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        anna = subscribed(url)
        given = headers(url, Authorization=authorization(url, **claims))
        async with client.post(anna.endpoint, data=encrypted(b"hello", anna), headers=given) as answer:
            assert answer.status == 403
        assert simulator.world.accepted == []


async def test_another_application() -> None:
    """A browser that has subscribed with one key is not written to with another, nor with a stolen signature."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        anna = subscribed(url)
        others = Vapid(OTHER_KEY, SUBJECT).authorization(url)
        mixed = others.partition(",k=")[0] + ",k=" + Vapid(KEY, SUBJECT).authorization(url).partition(",k=")[2]
        for said in (others, mixed):
            given = headers(url, Authorization=said)
            async with client.post(anna.endpoint, data=encrypted(b"hello", anna), headers=given) as answer:
                assert answer.status == 403


@pytest.mark.parametrize("change", [lambda raw: raw[:32] + bytes(1) + raw[32:], lambda raw: raw[:63]])
async def test_signatures(change: Callable[[bytes], bytes]) -> None:
    """Both numbers of a signature have 32 bytes, also where fewer would say the same."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        anna = subscribed(url)
        said, _, key = Vapid(KEY, SUBJECT).authorization(url).partition(",")
        token, _, signature = said.rpartition(".")
        spoilt = signed.packed(change(signed.unpacked(signature)))
        given = headers(url, Authorization=f"{token}.{spoilt},{key}")
        async with client.post(anna.endpoint, data=encrypted(b"hello", anna), headers=given) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"hello", 400), (b"x" * 200, 400), (b"x" * 4097, 413), ("for others", 400)]
)
async def test_bodies(body: bytes | str, status: int) -> None:
    """What the browser could not decrypt, or is too large, is refused."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        sent = encrypted(b"hello", subscribed(url, "berta")) if isinstance(body, str) else body
        async with client.post(subscribed(url).endpoint, data=sent, headers=headers(url)) as answer:
            assert answer.status == status


async def test_subscribing() -> None:
    """A browser subscribes under any name, and keeps its keys."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url = simulator.doors[webpush.NAME].url
        async with client.post(f"{url}/subscriptions/anna") as answer:
            assert answer.status == 201
            assert await answer.json() == webpush.subscription(url, "anna")
    assert webpush.subscription(url, "anna")["keys"] != webpush.subscription(url, "berta")["keys"]
