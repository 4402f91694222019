"""The API by which the simulated providers are controlled, and `staffetta simulator`."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from streams.settings import Settings
from streams.simulator import Simulator
from tests.support.waiting import wait_until
from tests.unit.simulator.support import stage


async def test_rules() -> None:
    """A rule can be added, is shown with how often it struck, and taken away again."""
    async with stage() as on:
        rule = {"recipient": "+4915*", "fault": {"kind": "refuse", "code": 21614}}
        added = await on.control("POST", "/rules", rule)
        assert added.status == 201
        assert (await on.sms()).content["code"] == 21614
        [shown] = (await on.control("GET", "/rules")).content
        assert (shown["id"], shown["struck"], shown["recipient"]) == (added.content["id"], 1, "+4915*")
        assert (await on.control("DELETE", f"/rules/{shown['id']}")).status == 204
        assert (await on.control("DELETE", f"/rules/{shown['id']}")).status == 404
        assert (await on.sms()).status == 201
        await on.control("POST", "/rules", {"fault": {"kind": "cut"}})
        assert (await on.control("DELETE", "/rules")).status == 204
        assert (await on.sms()).status == 201


def refusal(code: int | str) -> dict[str, Any]:
    return {"kind": "refuse", "code": code}


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("/rules", {"fault": {"kind": "explode"}}, "fault.kind"),
        ("/rules", {"fault": {}, "rate": 2}, "rate"),
        ("/rules", {"fault": {}, "nth": 0}, "nth"),
        ("/rules", {"fault": {}, "protocol": "fax"}, "protocol must be one of twilio, whatsapp"),
        ("/rules", {}, "fault"),
        ("/rules", {"protocol": "twilio", "fault": refusal("UNREGISTERED")}, "twilio knows nothing of fault.code"),
        ("/rules", {"protocol": "whatsapp", "at": "account", "fault": refusal("190x")}, "fault.code: 190x"),
        ("/rules", {"protocol": "fcm", "fault": refusal("UNKNOWN")}, "fcm knows nothing of fault.code: UNKNOWN"),
        ("/rules", {"protocol": "fcm", "at": "token", "fault": refusal("UNREGISTERED")}, "fault.code"),
        ("/rules", {"protocol": "webpush", "fault": refusal(21614)}, "webpush knows nothing of fault.code: 21614"),
        ("/rules", {"protocol": "webpush", "fault": refusal(204)}, "fault.code: 204"),
        ("/rules", {"protocol": "webpush", "at": "account", "fault": {}}, "webpush knows nothing of at: account"),
        ("/rules", {"fault": refusal("UNKNOWN")}, "webpush knows nothing of fault.code: UNKNOWN"),
        ("/rules", {"fault": {"kind": "error", "retry_after": "1\r\nX: y"}}, "fault.retry_after"),
        ("/inbound", {"protocol": "fax", "from": "a", "to": "b", "text": "c"}, "protocol must be one of"),
        ("/receipts", {"status": "sent"}, "message_id"),
    ],
)
async def test_wrong_orders(path: str, content: Any, said: str) -> None:
    """What makes no sense is refused, and says what is wrong."""
    async with stage() as on:
        answer = await on.control("POST", path, content)
        assert answer.status == 422
        assert said in answer.content["error"]


async def test_codes_of_others() -> None:
    """A rule for whatever protocol comes only for those that have its code, and counts no calls of others."""
    async with stage() as on:
        for rule in ({"fault": refusal("UNREGISTERED")}, {"fault": refusal(21614), "nth": 1}):
            assert (await on.control("POST", "/rules", rule)).status == 201
        assert (await on.sms()).content["code"] == 21614
        assert (await on.chat()).status == 200
        assert [each["struck"] for each in (await on.control("GET", "/rules")).content] == [0, 1]


async def test_looking() -> None:
    """What was accepted can be seen and chosen from, counted, and forgotten."""
    async with stage() as on:
        await on.sms()
        await on.chat(to="+4915100000000")
        await on.sms(Body="")
        messages = (await on.control("GET", "/messages")).content
        assert [(each["protocol"], each["recipient"]) for each in messages] == [
            ("twilio", "+4915112345678"),
            ("whatsapp", "+4915100000000"),
        ]
        assert messages[0]["content"]["Body"] == "Guten Tag"
        assert (await on.control("GET", "/messages?protocol=whatsapp")).content == messages[1:]
        assert (await on.control("GET", "/messages?recipient=%2B4915112345678")).content == messages[:1]
        counts = (await on.control("GET", "/counts")).content
        assert counts == {"twilio": {"accept": 1, "wrong": 1}, "whatsapp": {"accept": 1}}
        assert (await on.control("DELETE", "/messages")).status == 204
        assert (await on.control("GET", "/messages")).content == []
        assert (await on.control("GET", "/counts")).content == {}


async def test_page() -> None:
    """People see whom what was sent, the newest first, and nothing that was sent can change the page."""
    async with stage() as on:
        await on.sms(Body="<b>Guten</b> Tag")
        parameters = [{"type": "text", "text": text} for text in ("Anna", "9 Uhr")]
        filled = {
            "name": "termin",
            "language": {"code": "de"},
            "components": [{"type": "body", "parameters": parameters}],
        }
        await on.chat(type="template", template=filled, without="text")
        page = await on.control("GET", "/")
        assert page.headers["Content-Type"].startswith("text/html")
        assert "<td>twilio<td>+4915112345678<td>&lt;b&gt;Guten&lt;/b&gt; Tag" in page.content
        assert page.content.index("termin: Anna, 9 Uhr") < page.content.index("Guten")


async def test_doors() -> None:
    """One provider can be away while the others are there."""
    async with stage() as on:
        assert (await on.control("PUT", "/doors/twilio", {"open": False})).status == 204
        shown = (await on.control("GET", "/doors")).content
        assert {name: each["open"] for name, each in shown.items()}["twilio"] is False
        assert (await on.sms()).status == 0
        assert (await on.control("PUT", "/doors/twilio", {"open": True})).status == 204
        assert (await on.sms()).status == 201
        assert (await on.control("PUT", "/doors/fax", {"open": True})).status == 422


async def test_settings() -> None:
    """The settings that it names exist, are right, and lead to it."""
    async with Simulator() as simulator:
        given = {name.removeprefix("STAFFETTA_").lower(): value for name, value in simulator.settings().items()}
    assert given.keys() <= Settings.model_fields.keys()
    assert Settings.model_validate(given).twilio_base_url == simulator.doors["twilio"].url


def test_command() -> None:
    """`staffetta simulator` says where it is found and by which settings, and ends when it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "simulator", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, "it ended by itself"
        said += line
    assert re.search(r"controlled at http://127\.0\.0\.1:\d+\n", said)
    found = re.search(r"export STAFFETTA_TWILIO_BASE_URL=(http\S+)", said)
    assert found is not None
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(found[1], timeout=10)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: process.poll() is not None, "its end", 20)
    assert process.returncode == 0
