"""The simulated FCM is as strict as FCM."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth import crypt, jwt

from sinks.channels.http import Http
from sinks.channels.pushing.access import AccessTokens
from streams.simulator import Simulator
from streams.simulator.protocols import fcm
from tests.contract.fcm_support import (
    PLAIN,
    account,
    body_of,
    tokens_of,
)

OTHER_KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda message: None, 200),
        (lambda message: message.pop("token"), 400),
        (lambda message: message.update(token="a b"), 400),
        (lambda message: message.update(to="x"), 400),
        (lambda message: message.update(notification="x"), 400),
        (lambda message: message["notification"].update(text="x"), 400),
        (lambda message: message["notification"].update(body=5), 400),
        (lambda message: message["notification"].update(body="ü" * 2048), 400),
        (lambda message: message["data"].update(n=5), 400),
        (lambda message: message["data"].update({"google.x": "y"}), 400),
        (lambda message: message["android"].update(ttl=60), 400),
        (lambda message: message["android"].update(ttl="60"), 400),
        (lambda message: message["android"].update(collapse_key=5), 400),
        (lambda message: message["apns"]["headers"].update({"apns-collapse-id": "x" * 65}), 400),
        (lambda message: message["webpush"]["headers"].update(TTL=60), 400),
        (lambda message: message["webpush"]["headers"].update(TTL="soon"), 400),
        (lambda message: message["webpush"]["headers"].update(TTL="٣"), 400),
        (lambda message: message["android"].update(priority="HIGH"), 200),
        (lambda message: message["android"].update(priority="normal"), 200),
        (lambda message: message["android"].update(priority="urgent"), 400),
        (lambda message: message["android"].update(priority=[5]), 400),
        (lambda message: message["apns"].update(payload={"x": "y" * 4088}), 200),  # {"x":"…"}
        (lambda message: message["apns"].update(payload={"x": "y" * 4089}), 400),
        (lambda message: message["apns"].update(payload="x"), 400),
    ],
)
async def test_simulated_requests(change: Change, status: int) -> None:
    """The simulated FCM refuses what FCM would."""
    message = await body_of(PLAIN)
    change(message)
    async with Simulator() as simulator, tokens_of(simulator.doors[fcm.NAME].url) as tokens:
        url = f"{simulator.doors[fcm.NAME].url}/v1/projects/{fcm.PROJECT_ID}/messages:send"
        headers = {"Authorization": f"Bearer {await tokens.at(0)}"}
        async with aiohttp.ClientSession() as client:
            async with client.post(url, json={"message": message}, headers=headers) as answer:
                assert answer.status == status
            async with client.post(url, json={"message": message}) as answer:
                assert answer.status == 401
            async with client.post(url, json={"message": message, "foo": 1}, headers=headers) as answer:
                assert answer.status == 400
            async with client.post(url, data=b"[]", headers=headers) as answer:
                assert answer.status == 400
            async with client.post(url.replace(fcm.PROJECT_ID, "other"), json={}, headers=headers) as answer:
                assert answer.status == 403
        assert len(simulator.world.accepted) == (status == 200)


@pytest.mark.parametrize(
    "change",
    [
        {"private_key_id": "other", "token_uri": "http://127.0.0.1:1/other"},
        {"client_email": "mallory@example.org"},
        {"private_key": OTHER_KEY},
    ],
)
async def test_simulated_tokens(change: dict[str, str]) -> None:
    """No token for an assertion that is another's, signed with another key, or meant for somebody else."""
    async with Simulator() as simulator:
        url = simulator.doors[fcm.NAME].url
        wrong = dataclasses.replace(account(url), **change)
        http = Http(concurrency=1, timeout_seconds=5)
        access = AccessTokens(wrong, http)
        form = {"grant_type": fcm.GRANT_TYPE, "assertion": access._assertion()}
        async with aiohttp.ClientSession() as client, client.post(f"{url}/token", data=form) as answer:
            assert (answer.status, (await answer.json())["error"]) == (400, "invalid_grant")
        await http.close()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"iat": "now"}, 400),
        ({"iat": None}, 400),
        ({"exp": "later"}, 400),
        ({"exp": [1]}, 400),
        ({"exp": int(time.time()) + 7200}, 400),
    ],
)
async def test_simulated_claims(change: dict[str, Any], status: int) -> None:
    """An assertion says from when to when it holds, in seconds, and for an hour at the most."""
    async with Simulator() as simulator, aiohttp.ClientSession() as client:
        url, now = simulator.doors[fcm.NAME].url, int(time.time())
        ours = account(url)
        right = {"iss": ours.client_email, "scope": fcm.SCOPE, "aud": ours.token_uri}
        claims = {**right, "iat": now, "exp": now + 3600, **change}
        signer = crypt.RSASigner.from_string(ours.private_key)  # type: ignore[no-untyped-call]
        assertion = jwt.encode(signer, claims).decode()  # type: ignore[no-untyped-call]
        form = {"grant_type": fcm.GRANT_TYPE, "assertion": assertion}
        async with client.post(f"{url}/token", data=form) as answer:
            assert answer.status == status
            assert (await answer.json()).get("error") == (None if status == 200 else "invalid_grant")
