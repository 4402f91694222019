"""What a push message can be sent to."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.customer import Push, WebPush, WebPushKeys
from schemas.push_addresses import Subscription, decoded, usable_subscription, usable_token

P256DH = base64.urlsafe_b64encode(b"\x04" + bytes(range(64))).decode()
AUTH = base64.urlsafe_b64encode(bytes(range(16))).decode()
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-b_c"


def subscribed(endpoint: str = ENDPOINT, p256dh: str = P256DH, auth: str = AUTH) -> Push:
    return Push(web_push=WebPush(endpoint=endpoint, keys=WebPushKeys(p256dh=p256dh, auth=auth)))


@pytest.mark.parametrize("token", ["a", "fJx7_token:APA91bH-xyz", "x" * 1024])
def test_tokens(token: str) -> None:
    """A token of FCM is its own address."""
    assert usable_token(Push(fcm_token=token)) == token


@pytest.mark.parametrize("token", [None, "", "a b", "https://example.org/", "ä", "a\n", "x" * 1025])
def test_no_tokens(token: str | None) -> None:
    """What no token looks like is not one."""
    assert usable_token(Push(fcm_token=token)) is None
    assert usable_token(None) is None


@pytest.mark.parametrize(
    "endpoint",
    [
        ENDPOINT,
        "https://fcm.googleapis.com/fcm/send/abc:APA91",
        "https://wns2-par02p.notify.windows.com/w/?token=BQ%2bA%3d",
        "https://push.example.org:8443/a@b;c",
        "https://PUSH.example.org/",
        "http://127.0.0.1:6074/push/anna",
        "http://localhost/x",
    ],
)
def test_subscriptions(endpoint: str) -> None:
    """A subscription is one text, from which it can be read again, keys with and without padding alike."""
    found = usable_subscription(subscribed(endpoint))
    assert found is not None
    assert found.endpoint == endpoint
    assert found.address.startswith(endpoint + "#")
    assert Subscription.read(found.address) == found
    assert (len(decoded(found.p256dh)), len(decoded(found.auth))) == (65, 16)
    assert usable_subscription(subscribed(endpoint, P256DH.rstrip("="), AUTH.rstrip("="))) == found


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "ftp://example.org/",
        "https:///x",
        "https://example.org",
        "https://user@example.org/",
        "https://user:pass@example.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/#x",
        "https://example.org/a b",
        "https://example.org/\r\nX: y",
        "https://exämple.org/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0177.0.0.1.2/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://example.org:99999/",
        "https://example.org:/",
        "https://-a.example.org/",
        "https://example..org/",
        "https://example.org./",
        "https://example.org/" + "x" * 2001,
    ],
)
def test_no_endpoints(endpoint: str) -> None:
    """An endpoint that two parsers could read differently, or whose host is a number in disguise, is none."""
    assert usable_subscription(subscribed(endpoint)) is None


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [
        ("", AUTH),
        (P256DH, ""),
        (P256DH[:-4], AUTH),
        (P256DH, AUTH[:-4]),
        (base64.urlsafe_b64encode(b"\x02" + bytes(64)).decode(), AUTH),
        (P256DH.replace("A", "+", 1), AUTH),
        (P256DH + "=", "ä" * 22),
    ],
)
def test_no_keys(p256dh: str, auth: str) -> None:
    """Nothing can be encrypted for keys of another form."""
    assert usable_subscription(subscribed(p256dh=p256dh, auth=auth)) is None


@given(st.text())
def test_any_text_as_an_address(text: str) -> None:
    """Whatever is read as a subscription is one; nothing raises."""
    found = Subscription.read(text)
    assert found is None or (found.is_usable and found.address == text)
    assert usable_subscription(subscribed(text, text, text)) is None


@pytest.mark.parametrize(
    ("endpoint", "origin", "name"),
    [
        ("https://Push.Example.org:8443/a/B", "https://push.example.org:8443", "push.example.org"),
        ("https://push.example.org:443/a", "https://push.example.org", "push.example.org"),
        ("https://push.example.org:08443/a", "https://push.example.org:8443", "push.example.org"),
        ("https://push.example.org:80/a", "https://push.example.org:80", "push.example.org"),
        ("http://127.0.0.1:80/", "http://127.0.0.1", None),
        ("http://127.0.0.1:6074/push/anna", "http://127.0.0.1:6074", None),
    ],
)
def test_parts(endpoint: str, origin: str, name: str | None) -> None:
    """Where it is, in one form only, and under which name."""
    found = Subscription(endpoint, P256DH, AUTH)
    assert (found.origin, found.host_name) == (origin, name)
    assert found.is_secure is endpoint.startswith("https:")
