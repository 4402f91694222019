"""The API by which the simulated providers are controlled, and `staffetta simulator`."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any

import pytest

from streams.cli.simulator import simulator
from streams.errors import UserError
from streams.settings import Settings
from streams.simulator import Simulator
from streams.simulator.protocols import twilio
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


def told(status: str) -> dict[str, Any]:
    return {"receipts": [{"status": status}]}


def written(protocol: str, sender: str = "+4915112345678", to: str = twilio.FROM) -> dict[str, str]:
    return {"protocol": protocol, "from": sender, "to": to, "text": "STOP"}


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
        ("/rules", {"recipent": "x", "fault": {"kind": "cut"}}, "recipent"),
        ("/rules", {"fault": {"kind": "cut", "accept": True}}, "fault.accept"),
        ("/rules", {"fault": {}, "over": {"calls": 1, "seconds": 6, "for": "sender"}}, "over.for"),
        ("/rules", {"fault": {"kind": "slow"}}, "fault: what is slow takes some seconds"),
        ("/rules", {"fault": told("nonsense")}, "twilio knows nothing of the status nonsense, but of accepted, "),
        ("/rules", {"fault": told("nonsense")}, "fcm sends no receipts; webpush sends no receipts"),
        ("/rules", {"protocol": "whatsapp", "fault": told("undelivered")}, "but of sent, delivered, read, failed"),
        ("/rules", {"protocol": "fcm", "fault": told("delivered")}, "fcm sends no receipts"),
        ("/rules", {"protocol": "webpush", "fault": told("delivered")}, "webpush sends no receipts"),
        ("/rules", {"at": "account", "fault": told("sent")}, "twilio sends no receipts at: account"),
        ("/rules", [], "should be an object"),
        ("/inbound", {"protocol": "fax", "from": "a", "to": "b", "text": "c"}, "protocol must be one of"),
        ("/inbound", written("twilio", sender="Anna"), "from must be a number"),
        ("/inbound", written("twilio", to="Praxis"), "to must be a number like +4930555000, or a short code"),
        ("/inbound", written("whatsapp", sender="Anna"), "from must be a number"),
        ("/inbound", written("whatsapp", to=twilio.FROM), "to must be our number, +4930555001"),
        ("/inbound", {**written("twilio"), "body": "STOP"}, "body"),
        ("/receipts", {"status": "sent"}, "message_id"),
        ("/receipts", {"message_id": "SM0", "status": "sent", "after": 3}, "after"),
    ],
)
async def test_wrong_orders(path: str, content: Any, said: str) -> None:
    """What makes no sense is refused, and says what is wrong."""
    async with stage() as on:
        answer = await on.control("POST", path, content)
        assert answer.status == 422
        assert said in answer.content["error"]


@pytest.mark.parametrize(
    ("method", "path", "content", "said"),
    [
        ("PUT", "/webhooks", {"url": "foo"}, "url: must be http:// or https:// and a host"),
        ("PUT", "/webhooks", {"url": "http://"}, "url"),
        ("PUT", "/webhooks", {"url": "http://127.0.0.1:6066/?a=b"}, "url"),
        ("PUT", "/webhooks", {"url": "http://127.0.0.1:99999"}, "url"),
        ("PUT", "/webhooks", {"url": None, "uri": "http://127.0.0.1"}, "uri"),
        ("PUT", "/doors/twilio", {"open": True, "shut": False}, "shut"),
        ("GET", "/messages?protocol=fax", None, "protocol must be one of twilio, whatsapp"),
        ("GET", "/messages?recipent=x", None, "?recipent= is not known here; known: protocol, recipient"),
        ("DELETE", "/messages?protocol=twilio", None, "?protocol= is not known here"),
        ("DELETE", "/rules?protocol=twilio", None, "?protocol= is not known here"),
    ],
)
async def test_wrong_questions(method: str, path: str, content: Any, said: str) -> None:
    """What is changed, asked for or deleted is what was said, or nothing."""
    async with stage() as on:
        await on.control("POST", "/rules", {"fault": {}})
        await on.sms()
        answer = await on.control(method, path, content)
        assert answer.status == 422
        assert said in answer.content["error"]
        assert on.world.public_url is None
        assert len(on.world.accepted) == len(list(on.world.rules)) == 1


async def test_no_json() -> None:
    """A body that is no JSON is said to be none."""
    async with stage() as on, on.client.post(f"{on.simulator.control.url}/rules", data=b"fault=cut") as answer:
        assert answer.status == 422
        assert (await answer.json())["error"].startswith("the body is no JSON: expected ")


async def test_receipts_on_demand_that_nobody_sends() -> None:
    """A status that the message's protocol does not have is refused, with those that it has; push has none."""
    async with stage() as on:
        await on.sms()
        (message,) = on.world.accepted
        call = replace(message.call, protocol="fcm")
        on.world.accepted.append(replace(message, id="pushed", call=call))
        for message_id, said in (
            (message.id, "but of accepted, scheduled, queued"),
            ("pushed", "sends no receipts"),
        ):
            asked = {"message_id": message_id, "status": "nonsense"}
            answer = await on.control("POST", "/receipts", asked)
            assert answer.status == 422
            assert said in answer.content["error"]


async def test_receipts_of_others() -> None:
    """A rule for whatever protocol comes only for those that send its receipts."""
    async with stage() as on:
        assert (
            await on.control("POST", "/rules", {"fault": {"kind": "cut", **told("undelivered")}})
        ).status == 201
        assert (await on.chat()).status == 200
        assert (await on.sms()).status == 0


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


def started(*words: str, **streams: Any) -> "subprocess.Popen[str]":
    """`staffetta simulator` on any free ports."""
    command = [sys.executable, "-m", "streams.cli", "simulator", "--port", "0", *words]
    return subprocess.Popen(command, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **streams)


def test_command() -> None:
    """`staffetta simulator` says where it is found and by which settings, and ends when it is told to."""
    process = started("--webhooks", "http://127.0.0.1:6066", stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, "it ended by itself"
        said += line
    assert re.search(r"controlled at http://127\.0\.0\.1:\d+\n", said)
    assert "  export STAFFETTA_PUBLIC_URL=http://127.0.0.1:6066\n" in said
    found = re.search(r"export STAFFETTA_TWILIO_BASE_URL=(http\S+)", said)
    assert found is not None
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(found[1], timeout=10)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: process.poll() is not None, "its end", 20)
    assert process.returncode == 0


def test_nobody_reads() -> None:
    """Where whoever reads its output has gone, it ends, and calls that no problem of a port."""
    reader, writer = os.pipe()
    os.close(reader)
    process = started(stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert "port" not in process.communicate(timeout=60)[1]
    assert process.returncode == 1


def test_a_port_that_is_taken() -> None:
    """It is named, and so is the option for another."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UserError, match=r"cannot be had .*--port"),
    ):
        simulator(taken.getsockname()[1])


def test_webhooks_that_are_no_url() -> None:
    """They are refused before anything listens."""
    with pytest.raises(UserError, match="--webhooks foo: must be http:// or https:// and a host") as refused:
        simulator(0, "foo")
    assert refused.value.exit_code == 2
