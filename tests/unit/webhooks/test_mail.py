"""Bounces and complaints of mails."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.policy.delivery.mail_name import mail_name, parsed, short_name
from tests.unit.webhooks.support import Client, Kafka, serving

ids = st.from_regex(r"\A[A-Za-z0-9._:-]{1,64}\Z")


async def post(client: Client, content: Any, token: str = "Bearer token") -> int:
    return (await said(client, content, token))[0]


async def said(client: Client, content: Any, token: str = "Bearer token") -> tuple[int, str]:
    """The answer: its status and its words."""
    async with client.post("/webhooks/email", json=content, headers={"Authorization": token}) as answer:
        return answer.status, await answer.text()


@given(ids, ids)
def test_the_name_in_the_return_path_finds_back(company: str, id: str) -> None:
    """What stands for `{id}` names one notification of one company."""
    assert parsed(mail_name(company, id)) == parsed(short_name(company, id)) == (company, id)


def test_the_name_of_two_uuids_fits_into_an_address() -> None:
    """Of a local part's 64 characters some are before it."""
    company, id = str(uuid.uuid4()), str(uuid.uuid4())
    assert len(f"bounces+{short_name(company, id)}") <= 64
    assert parsed(short_name(company, id)) == (company, id)
    assert parsed(short_name(company.upper(), id)) == (company.upper(), id)


@pytest.mark.parametrize(
    "name", ["", "a", ".", "a.", ".b", "a.b.c d", "=FF.b", "a" * 65 + ".b", "~a.b", "~" + "1" * 26 + ".b"]
)
def test_what_is_no_name(name: str) -> None:
    """Anything else names nothing."""
    assert parsed(name) is None


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ({"type": "bounce", "hard": True, "reason": "550 5.1.1 <anna@example.org> unknown"}, "bounced"),
        ({"type": "bounce", "hard": False, "reason": "452 4.2.2 full"}, "failed"),
        ({"type": "complaint"}, "complained"),
    ],
)
async def test_a_report_is_written(monkeypatch: Any, report: dict[str, Any], status: str) -> None:
    """A hard bounce, a soft one and a complaint, about every attempt of that mail."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, {"id": mail_name("co-7", "n-1"), **report}) == 200
    receipt = {"type": "provider.receipt", "company_id": "co-7", "notification_id": "n-1", "channel": "email"}
    receipt |= {"attempt": 0, "provider": "email", "status": status}
    error = {"error": report["reason"].replace("anna@example.org", "…")} if "reason" in report else {}
    assert kafka.said == [{**receipt, **error}]


async def test_a_long_report_is_cut_between_words(monkeypatch: Any) -> None:
    """Half a name could not be told as one by those who know it."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        report = {"type": "bounce", "id": mail_name("co-7", "n-1"), "reason": "no " * 98 + "jane.doe is away"}
        assert await post(client, report) == 200
    (said,) = kafka.said
    assert said["error"] == "no " * 98 + "…"


@pytest.mark.parametrize("token", ["", "token", "Bearer other", "Bearer ", "Basic token"])
async def test_a_wrong_token(monkeypatch: Any, token: str) -> None:
    """403, and nothing written."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        assert await post(client, {"type": "complaint", "id": "n-1.co-7"}, token) == 403
    assert kafka.records == []


async def test_what_cannot_be_read(monkeypatch: Any) -> None:
    """Nonsense is 400; a mail that is not ours is taken and not written."""
    kafka = Kafka()
    async with serving(kafka, monkeypatch) as client:
        for nonsense in ({}, [], {"type": "open", "id": "a.b"}, {"type": "bounce", "id": "a.b", "hard": "yes"}):
            assert await post(client, nonsense) == 400
        assert await post(client, {"type": "complaint", "id": "somebody"}) == 200
    assert kafka.records == []


async def test_what_became_of_it_is_told(monkeypatch: Any) -> None:
    """Whoever sets up the sender reads why nothing was written, and nothing of what was sent."""
    kafka, ours = Kafka(), {"type": "complaint", "id": mail_name("co-7", "n-1")}
    async with serving(kafka, monkeypatch) as client:
        assert await said(client, ours) == (200, "written")
        other = await said(client, ours | {"id": "anna@example.org"})
        assert other == (200, "ignored: the id names none of our mails")
        assert await said(client, {}) == (400, "unreadable: type: Field required; id: Field required")
        for wrong in (
            {"type": "anna@example.org"},
            {"reason": ["anna@example.org"]},
            {"hard": "anna@example.org"},
        ):
            status, words = await said(client, ours | wrong)
            assert (status, words.startswith(f"unreadable: {min(wrong)}: ")) == (400, True)
            assert "anna" not in words
        assert await said(client, ours, "Bearer other") == (403, "refused: the bearer token is another one")
        kafka.is_away = True
        assert await said(client, ours) == (503, "not written: try again later")
