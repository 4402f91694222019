"""Meta's notifications about WhatsApp messages."""

import hmac
import json
from typing import Any

import pytest

from schemas.reasons import ChannelName
from streams.policy.delivery.correlation import Correlation
from tests.unit.webhooks.support import Client, Kafka, counted, serving

ABOUT = Correlation("co-7", "n-1", ChannelName.WHATSAPP, 1)


def notification(*statuses: dict[str, Any]) -> dict[str, Any]:
    value = {"messaging_product": "whatsapp", "metadata": {}, "statuses": list(statuses)}
    change = {"field": "messages", "value": value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}


def status(said: str, about: Correlation | None = ABOUT, **fields: Any) -> dict[str, Any]:
    opaque = {"biz_opaque_callback_data": about.written()} if about else {}
    return {"id": "wamid.1", "status": said, "timestamp": "1790000000", "recipient_id": "491", **opaque, **fields}


async def post(client: Client, content: Any, secret: bytes = b"secret") -> int:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    signed = "sha256=" + hmac.digest(secret, body, "sha256").hex()
    async with client.post("/webhooks/whatsapp", data=body, headers={"X-Hub-Signature-256": signed}) as answer:
        return answer.status


async def test_statuses_are_written(monkeypatch: Any) -> None:
    """All of one request, with the provider's code where it failed; what is not ours is passed over."""
    kafka = Kafka()
    other = ABOUT._replace(notification_id="n-2")
    failed = status("failed", other, errors=[{"code": 131026, "title": "Message undeliverable"}])
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, notification(status("read"), failed, status("sent", None), status("new"))) == 200
        assert await post(client, notification(status("sent", None))) == 200
    same = {
        "type": "provider.receipt",
        "company_id": "co-7",
        "channel": "whatsapp",
        "attempt": 1,
        "provider": "whatsapp",
    }
    same |= {"provider_message_id": "wamid.1"}
    assert kafka.said == [
        {**same, "notification_id": "n-1", "status": "read"},
        {**same, "notification_id": "n-2", "status": "failed", "error": "131026"},
    ]


async def test_a_wrong_signature(monkeypatch: Any) -> None:
    """403, a metric, and nothing written."""
    kafka, before = Kafka(), counted("whatsapp", "wrong_signature")
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, notification(status("sent")), secret=b"other") == 403
        async with client.post("/webhooks/whatsapp", json=notification(status("sent"))) as answer:
            assert answer.status == 403
    assert kafka.records == []
    assert counted("whatsapp", "wrong_signature") - before == 2


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"1", b"null"])
async def test_nonsense_with_a_right_signature(monkeypatch: Any, content: bytes) -> None:
    """400, and nothing written."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, content) == 400
    assert kafka.records == []


async def test_messages_of_people_are_passed_over(monkeypatch: Any) -> None:
    """What is not about a message of ours is taken and not written."""
    kafka = Kafka()
    value = {"messages": [{"from": "491", "type": "text", "text": {"body": "Hallo"}}]}
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, {"entry": [{"changes": [{"field": "messages", "value": value}]}]}) == 200
    assert kafka.records == []


async def test_the_webhook_is_entered_at_meta(monkeypatch: Any) -> None:
    """The challenge is given back, as it is, to whoever knows the token that was agreed, and to nobody else."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    async with serving(Kafka(), monkeypatch) as client:
        right = await client.get("/webhooks/whatsapp", params={**asked, "hub.verify_token": "verify"})
        assert (right.status, await right.text()) == (200, "1158201444")
        for wrong in ({}, {"hub.verify_token": "guessed"}, {"hub.verify_token": ""}):
            assert (await client.get("/webhooks/whatsapp", params={**asked, **wrong})).status == 403
    async with serving(Kafka(), monkeypatch, whatsapp_verify_token=None) as client:
        for wrong in ({}, {"hub.verify_token": ""}):
            assert (await client.get("/webhooks/whatsapp", params={**asked, **wrong})).status == 403


@pytest.mark.parametrize(
    "odd",
    [
        1,
        None,
        {},
        status("failed", biz_opaque_callback_data=None),
        status("failed", errors=[{}]),
        status("read", id=5),
    ],
)
async def test_an_odd_status_holds_up_no_other(monkeypatch: Any, odd: Any) -> None:
    """What cannot be understood is passed over; the rest of the request is written."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        for told in ({"entry": 1}, {"entry": [{"changes": [1, {"value": {"statuses": {}}}]}]}):
            assert await post(client, told) == 200
        assert await post(client, notification(odd, status("sent"))) == 200
    assert kafka.said[-1]["status"] == "sent"
