"""The receipts of the simulated providers, as our webhooks get them."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.simulator import Fault, Receipt
from streams.simulator.protocols import twilio, whatsapp
from tests.support.recording import Recorder, Request, recording
from tests.unit.simulator.support import Stage, stage


@pytest.fixture
async def webhook() -> AsyncIterator[Recorder]:
    async with recording(200) as recorder:
        yield recorder


def twilio_is_genuine(webhook: Recorder, request: Request) -> bool:
    """By Twilio's description: the URL, then every field's name and value, sorted by name."""
    text = webhook.url + request.path
    for name in sorted(request.form):
        text += name + request.form[name]
    signed = hmac.new(twilio.AUTH_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    return request.headers["x-twilio-signature"] == base64.b64encode(signed).decode()


def meta_is_genuine(request: Request) -> bool:
    signed = hmac.new(whatsapp.APP_SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    return request.headers["x-hub-signature-256"] == f"sha256={signed}"


def status_of(request: Request) -> dict[str, Any]:
    (entry,) = request.json["entry"]
    (change,) = entry["changes"]
    (status,) = change["value"]["statuses"]
    assert (request.json["object"], change["field"]) == ("whatsapp_business_account", "messages")
    found: dict[str, Any] = status
    return found


async def sms(on: Stage, webhook: Recorder, *receipts: Receipt) -> list[dict[str, str]]:
    """What comes for an SMS with these receipts."""
    if receipts:
        on.rule(Fault(receipts=receipts))
    await on.sms(StatusCallback=f"{webhook.url}/webhooks/twilio?notification=n-1")
    await on.world.settled()
    return [request.form for request in webhook.requests]


async def test_twilio(webhook: Recorder) -> None:
    """An SMS is told to be sent, then delivered, at the URL that it named, signed, with its id."""
    async with stage() as on:
        forms = await sms(on, webhook)
        (message,) = on.world.accepted
    assert [form["MessageStatus"] for form in forms] == ["sent", "delivered"]
    assert {form["MessageSid"] for form in forms} == {message.id}
    assert forms[0]["To"] == "+4915112345678"
    assert webhook.requests[0].path == "/webhooks/twilio?notification=n-1"
    assert all(twilio_is_genuine(webhook, request) for request in webhook.requests)


async def test_twilio_without_a_url() -> None:
    """An SMS that names no URL has no receipts."""
    async with stage("http://127.0.0.1:1") as on:
        await on.sms()
        await on.world.settled()
        assert on.world.posted == []


async def test_whatsapp(webhook: Recorder) -> None:
    """A WhatsApp message is told to be sent, delivered, read, with what it was given to take along."""
    async with stage(webhook.url) as on:
        await on.chat(biz_opaque_callback_data="notification=n-1")
        await on.world.settled()
        (message,) = on.world.accepted
    statuses = [status_of(request) for request in webhook.requests]
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert statuses[0] == {
        "id": message.id,
        "status": "sent",
        "timestamp": "1000",
        "recipient_id": "4915112345678",
        "biz_opaque_callback_data": "notification=n-1",
    }
    assert {request.path for request in webhook.requests} == {"/webhooks/whatsapp"}
    assert all(map(meta_is_genuine, webhook.requests))


async def test_failed_before_delivered(webhook: Recorder) -> None:
    """Receipts come in the order of the rule, as often as it says, with its error code."""
    async with stage() as on:
        forms = await sms(
            on,
            webhook,
            Receipt(status="undelivered", code=30005),
            Receipt(status="delivered", times=2),
            Receipt(status="sent"),
        )
    said = [(form["MessageStatus"], form.get("ErrorCode")) for form in forms]
    assert said == [("undelivered", "30005"), ("delivered", None), ("delivered", None), ("sent", None)]


async def test_late(webhook: Recorder) -> None:
    """A late receipt comes when its time has come, and not before."""
    async with stage() as on:
        on.rule(Fault(receipts=(Receipt(status="delivered", after_seconds=600), Receipt(status="sent"))))
        await on.sms(StatusCallback=f"{webhook.url}/x")
        assert await on.wake_up() == 600
        await on.world.settled()
    assert [request.form["MessageStatus"] for request in webhook.requests] == ["sent", "delivered"]


async def test_forged(webhook: Recorder) -> None:
    """A forged receipt is right but for its signature."""
    async with stage(webhook.url) as on:
        on.rule(Fault(receipts=(Receipt(status="delivered", forged=True),)))
        await on.sms(StatusCallback=f"{webhook.url}/x")
        await on.world.settled()
        await on.chat()
        await on.world.settled()
    first, second = webhook.requests
    assert not twilio_is_genuine(webhook, first)
    assert not meta_is_genuine(second)


@pytest.mark.parametrize(("protocol", "times"), [("twilio", 1), ("whatsapp", 7)])
async def test_a_webhook_that_fails(webhook: Recorder, protocol: str, times: int) -> None:
    """Twilio tells once; Meta again and again, until it is answered by 200 or gives up."""
    webhook.status = 503
    async with stage(webhook.url) as on:
        on.rule(Fault(receipts=(Receipt(status="sent"),)))
        await (on.chat() if protocol == "whatsapp" else on.sms(StatusCallback=f"{webhook.url}/x"))
        for _ in range(times - 1):
            await on.wake_up()
        await on.world.settled()
        assert [posted.status for posted in on.world.posted] == [503] * times
    assert len(webhook.requests) == times


async def test_nobody_at_the_webhook() -> None:
    """A webhook that is away is told of as such."""
    async with stage() as on:
        await on.sms(StatusCallback="http://127.0.0.1:1/x")
        await on.world.settled()
        assert [posted.status for posted in on.world.posted] == [0, 0]


async def test_on_demand(webhook: Recorder) -> None:
    """A receipt can be sent at any time for any message, by whoever controls the simulator."""
    async with stage() as on:
        on.rule(Fault(receipts=()))
        await sms(on, webhook)
        (message,) = on.world.accepted
        asked = {"message_id": message.id, "status": "failed", "code": 30008}
        assert (await on.control("POST", "/receipts", asked)).status == 202
        await on.world.settled()
        assert (await on.control("POST", "/receipts", {**asked, "message_id": "SM0"})).status == 404
        [shown] = (await on.control("GET", "/receipts")).content
    assert [request.form["ErrorCode"] for request in webhook.requests] == ["30008"]
    assert (shown["url"], shown["status"]) == (f"{webhook.url}/webhooks/twilio?notification=n-1", 200)


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("protocol", ["twilio", "whatsapp"])
async def test_inbound(webhook: Recorder, protocol: str, end: str) -> None:
    """What somebody writes to us comes signed to the webhook of that provider."""
    async with stage() as on:
        await on.control("PUT", "/webhooks", {"url": webhook.url + end})
        to = {"twilio": twilio.FROM, "whatsapp": f"+{whatsapp.NUMBER}"}[protocol]
        asked = {"protocol": protocol, "from": "+4915112345678", "to": to, "text": "Stop! 😀"}
        assert (await on.control("POST", "/inbound", asked)).status == 202
        await on.world.settled()
    (request,) = webhook.requests
    if protocol == "twilio":
        assert request.path == "/webhooks/twilio/inbound"
        assert (request.form["From"], request.form["Body"]) == ("+4915112345678", "Stop! 😀")
        assert twilio_is_genuine(webhook, request)
    else:
        assert request.path == "/webhooks/whatsapp"
        (message,) = json.loads(request.body)["entry"][0]["changes"][0]["value"]["messages"]
        assert (message["from"], message["text"]) == ("4915112345678", {"body": "Stop! 😀"})
        assert meta_is_genuine(request)
