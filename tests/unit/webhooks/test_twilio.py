"""Twilio's webhooks: believed only with its signature, and answered only when Kafka has it."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import ChannelName
from streams.policy.delivery.correlation import Correlation
from streams.policy.notification.identity import recipient_hash
from streams.simulator.protocols import twilio as simulated
from streams.webhooks.twilio import signature
from tests.unit.webhooks.support import PUBLIC_URL, Client, Kafka, counted, serving

ABOUT = Correlation("co-7", "n-1", ChannelName.SMS, 2)
ids = st.from_regex(r"\A[A-Za-z0-9._:-]{1,64}\Z")


async def post(client: Client, path: str, form: dict[str, str], token: bytes = b"12345") -> int:
    signed = signature(token, PUBLIC_URL + path, {name: [value] for name, value in form.items()})
    headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
    async with client.post(path, data=urlencode(form), headers=headers) as answer:
        return answer.status


def status(said: str, about: Correlation | None = ABOUT, **fields: str) -> tuple[str, dict[str, str]]:
    query = f"?{about.written()}" if about else ""
    return "/webhooks/twilio" + query, {"MessageSid": "SM1", "MessageStatus": said, "To": "+491701234567"} | fields


def test_the_signature_is_that_of_twilio() -> None:
    """The example in Twilio's documentation."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(b"12345", url, {k: [v] for k, v in form.items()}) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@given(ids, ids, st.sampled_from(ChannelName), st.integers(0, 1000))
def test_a_reference_finds_back(company: str, id: str, channel: ChannelName, attempt: int) -> None:
    """Through a URL's query, whatever letters ids have; in less than WhatsApp's 512."""
    about = Correlation(company, id, channel, attempt)
    assert Correlation.read(about.written()) == about
    assert len(about.written()) <= 512


@pytest.mark.parametrize(
    "query",
    [
        "",
        "id=1",
        "&".join("x" * 25),
        "company=a&notification=b&channel=fax&attempt=1",
        "company=a&notification=b&channel=sms&attempt=x",
        "company=a&notification=b&channel=sms&attempt=-1",
        "company=a%20b&notification=b&channel=sms&attempt=1",
    ],
)
def test_what_is_no_reference(query: str) -> None:
    """Another program's messages of the same account are none of our business."""
    assert Correlation.read(query) is None


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("undelivered", "failed"),
        ("failed", "failed"),
    ],
)
async def test_a_status_is_written(monkeypatch: Any, said: str, known: str) -> None:
    """Each final state of a message is a receipt about its attempt, under its company's key."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, *status(said, ErrorCode="30005")) == 200
    receipt = {
        "type": "provider.receipt",
        "company_id": "co-7",
        "notification_id": "n-1",
        "channel": "sms",
        "attempt": 2,
        "provider": "twilio",
        "provider_message_id": "SM1",
        "status": known,
        "error": "30005",
    }
    assert kafka.said == [receipt]
    assert [(record.key, record.partition) for record in kafka.records] == [(b"co-7", -1)]


@pytest.mark.parametrize("form", [status("queued"), status("sending"), status("invented"), status("sent", None)])
async def test_what_says_nothing_is_taken(monkeypatch: Any, form: tuple[str, dict[str, str]]) -> None:
    """States on the way and messages that are not ours are answered with 200, and nothing is written."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, *form) == 200
    assert kafka.records == []


async def test_a_wrong_signature(monkeypatch: Any) -> None:
    """403, a metric, and nothing written: with another token, a changed field, a changed URL, or none."""
    kafka, before = Kafka(), counted("twilio", "wrong_signature")
    path, form = status("failed")
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, path, form, token=b"other") == 403
        signed = signature(b"12345", PUBLIC_URL + path, {k: [v] for k, v in form.items()})
        for changed_path, changed in ((path, form | {"To": "+1"}), (path + "&x=1", form)):
            headers = {"X-Twilio-Signature": signed}
            async with client.post(changed_path, data=changed, headers=headers) as answer:
                assert answer.status == 403
        for headers in ({}, {"X-Twilio-Signature": "ä"}):
            async with client.post(path, data=form, headers=headers) as answer:
                assert answer.status == 403
    assert kafka.records == []
    assert counted("twilio", "wrong_signature") - before == 5


async def test_yes_is_said_only_when_it_is_written(monkeypatch: Any) -> None:
    """503 while Kafka is away, so that Twilio asks again."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        kafka.is_away = True
        assert await post(client, *status("failed")) == 503
        kafka.is_away = False
        assert await post(client, *status("failed")) == 200
    assert len(kafka.records) == 1


async def test_many_at_once(monkeypatch: Any) -> None:
    """What comes while others are being written is written with the next ones, and all are answered."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        abouts = [ABOUT._replace(notification_id=f"n-{number}") for number in range(50)]
        answers = await asyncio.gather(*(post(client, *status("sent", about)) for about in abouts))
    assert answers == [200] * 50
    assert sorted(each["notification_id"] for each in kafka.said) == sorted(a.notification_id for a in abouts)


@pytest.mark.parametrize(
    ("text", "type"),
    [
        (" stop ", "address.opted_out"),
        ("Stopall", "address.opted_out"),
        ("ARRÊT", "address.opted_out"),
        ("alto", "address.opted_out"),
        ("START", "address.opted_in"),
        ("unstop", "address.opted_in"),
    ],
)
async def test_keywords(monkeypatch: Any, text: str, type: str) -> None:
    """STOP and START hold for every company of the account: they are written to every partition, without a key."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        form = {"From": "+491701234567", "To": "+4930555000", "Body": text, "AccountSid": "AC5"}
        assert await post(client, "/webhooks/twilio/inbound", form) == 200
    hashed = recipient_hash(b"key", "+491701234567")
    said = {"type": type, "channel": "sms", "recipient_hash": hashed, "source": "keyword", "account": "AC5"}
    assert kafka.said == [said] * 3
    assert [(record.key, record.partition) for record in kafka.records] == [(None, 0), (None, 1), (None, 2)]
    assert "491701234567" not in str(kafka.records)


async def test_every_keyword(monkeypatch: Any) -> None:
    """All words that Twilio takes by itself, in whatever language, are taken here, and by the simulated Twilio."""
    stop = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"]
    stop += ["ARRET", "ARRÊT", "ARRETE", "ARRÊTE", "ARRETT", "ALTO", "PARAR", "STOPP"]
    start = ["START", "YES", "UNSTOP"]
    assert (set(stop), set(start)) == (simulated.STOP, simulated.START)
    kafka = Kafka()
    async with serving(kafka, monkeypatch, partitions=1) as client:
        for text in (*stop, *start, "HELP", "INFO", "STOP PLEASE"):
            form = {"From": "+491701234567", "Body": text}
            assert await post(client, "/webhooks/twilio/inbound", form) == 200
    told = [each["type"] for each in kafka.said]
    assert told == ["address.opted_out"] * len(stop) + ["address.opted_in"] * len(start)


async def test_the_accounts_own_keywords(monkeypatch: Any) -> None:
    """With Advanced Opt-Out, Twilio says itself what a text means."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        for text, kind in (("Schluss jetzt", "STOP"), ("Stop", "HELP"), ("Wann ist mein Termin? STOP", "")):
            form = {"From": "+491701234567", "Body": text} | ({"OptOutType": kind} if kind else {})
            assert await post(client, "/webhooks/twilio/inbound", form) == 200
    assert [each["type"] for each in kafka.said] == ["address.opted_out"] * 3


async def test_a_body_that_is_too_large(monkeypatch: Any) -> None:
    """It is not read to its end, and without a signature not at all; nor are more fields than there can be."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        for body, headers, status_ in (
            (bytes(1 << 20), {"X-Twilio-Signature": "x"}, 413),
            (bytes(1 << 20), {}, 403),
            (b"a=1&" * 10_000, {"X-Twilio-Signature": "x"}, 403),
        ):
            answer = await client.post("/webhooks/twilio", data=body, headers=headers)
            assert answer.status == status_


async def test_without_its_secret_there_is_no_webhook(monkeypatch: Any) -> None:
    """Nobody could be believed."""
    async with serving(Kafka(), monkeypatch, twilio_auth_token=None) as client:
        assert await post(client, *status("sent")) == 404
