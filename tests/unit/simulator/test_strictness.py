"""What the simulated providers refuse, because the real ones do."""

from typing import Any

import pytest

from streams.simulator.protocols import twilio
from tests.unit.simulator.support import stage


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"token": "guessed"}, 401, 20003),
        ({"account": "AC" + "6" * 32}, 404, 20404),
        ({"without": "To"}, 400, 21604),
        ({"without": "From"}, 400, 21603),
        ({"without": "Body"}, 400, 21602),
        ({"Body": ""}, 400, 21602),
        ({"To": "015112345678"}, 400, 21211),
        ({"To": "+49 151 12345678"}, 400, 21211),
        ({"To": "+0151123456"}, 400, 21211),
        ({"From": "a name that is too long"}, 400, 21212),
        ({"From": "Salon Anna 7"}, 400, 21212),  # 12 characters
        ({"From": "015112345678"}, 400, 21212),
        ({"without": "From", "MessagingServiceSid": "MG1"}, 400, 21212),
        ({"Body": "x" * 1601}, 400, 21617),
        ({"ValidityPeriod": "0"}, 400, 20422),
        ({"ValidityPeriod": "36001"}, 400, 20422),
        ({"ValidityPeriod": "1.5"}, 400, 20422),
        ({"ValidityPeriod": "٣"}, 400, 20422),
        ({"StatusCallback": "notify.example.org"}, 400, 21609),
        ({"StatusCallback": "ftp://notify.example.org/x"}, 400, 21609),
    ],
)
async def test_twilio(wrong: dict[str, str], status: int, code: int) -> None:
    """A wrong SMS is refused with Twilio's own code, and not accepted."""
    async with stage() as on:
        said = await on.sms(**wrong)
        assert (said.status, said.content["code"]) == (status, code)
        assert said.content["status"] == status
        assert on.world.accepted == []
        assert on.world.counts == {("twilio", "wrong"): 1}


@pytest.mark.parametrize(
    "right",
    [
        {"Body": "x" * 1600},
        {"From": "Salon"},
        {"From": "Salon Anna7"},  # 11 characters
        {"From": "12345"},
        {"without": "From", "MessagingServiceSid": "MG" + "a" * 32},
        {"ValidityPeriod": "36000"},
        {"StatusCallback": "https://notify.example.org/x?a=b"},
    ],
)
async def test_twilio_takes(right: dict[str, str]) -> None:
    """What is at the edge of what Twilio takes, is taken."""
    async with stage() as on:
        assert (await on.sms(**right)).status == 201


async def test_twilio_repeats_the_number() -> None:
    """As Twilio does, so that whoever records its errors has to take care."""
    async with stage() as on:
        assert "+49123" in (await on.sms(To="+49123"))[1]["message"]


def body(*parameters: Any) -> list[dict[str, Any]]:
    return [{"type": "body", "parameters": [{"type": "text", "text": each} for each in parameters]}]


def template(**fields: Any) -> dict[str, Any]:
    asked = {"name": "reminder", "language": {"code": "de"}, "components": body("Anna", "14:30"), **fields}
    return {"type": "template", "without": "text", "template": asked}


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"token": "guessed"}, 401, 190),
        ({"number": "1"}, 400, 100),
        ({"without": "messaging_product"}, 400, 100),
        ({"recipient_type": "group"}, 400, 131009),
        ({"without": "to"}, 400, 131008),
        ({"to": "anna"}, 400, 131009),
        ({"type": "fax"}, 400, 131009),
        ({"without": "text"}, 400, 131008),
        ({"text": {"body": ""}}, 400, 131008),
        ({"text": {"body": "x" * 4097}}, 400, 131009),
        ({"biz_opaque_callback_data": "x" * 513}, 400, 100),
        ({"biz_opaque_callback_data": 7}, 400, 100),
        (template(name=""), 400, 131008),
        (template(language="de"), 400, 131008),
        (template(name="unknown"), 404, 132001),
        (template(language={"code": "fr"}), 404, 132001),
        (template(components=body("Anna")), 400, 132000),
        (template(components=body("Anna", "")), 400, 131008),
        (template(components=body("Anna", "14:30\nor 15:00")), 400, 100),
        (template(components=body("Anna", "x" * 1025)), 400, 131009),
        (template(components="Anna"), 400, 131009),
        (template(components=[{"type": "body", "parameters": None}]), 400, 131009),
        (template(components=[{"type": "body", "parameters": 5}]), 400, 131009),
    ],
)
async def test_whatsapp(wrong: dict[str, Any], status: int, code: int) -> None:
    """A wrong WhatsApp message is refused with Meta's own code, and not accepted."""
    async with stage() as on:
        on.world.templates["reminder", "de"] = 2
        said = await on.chat(**wrong)
        assert (said.status, said.content["error"]["code"]) == (status, code)
        assert on.world.accepted == []


async def test_whatsapp_takes() -> None:
    """An approved template with what it takes, and without the list of them any."""
    async with stage() as on:
        assert (await on.chat(**template(name="whatever", components=[]))).status == 200
        on.world.templates["reminder", "de"] = 2
        assert (await on.chat(**template())).status == 200
        assert [message.call.template for message in on.world.accepted] == ["whatever", "reminder"]


async def test_opted_out() -> None:
    """Who has written STOP to our number gets nothing from it, until they write START; others do."""
    async with stage() as on:
        stop = {"protocol": "twilio", "from": "+4915112345678", "to": twilio.FROM, "text": " stop "}
        assert (await on.control("POST", "/inbound", stop)).status == 202
        assert (await on.sms()).content["code"] == 21610
        assert (await on.sms(To="+4915100000000")).status == 201
        assert (await on.control("POST", "/inbound", {**stop, "text": "Start"})).status == 202
        assert (await on.sms()).status == 201


async def test_opted_out_of_a_service() -> None:
    """Who has written STOP to one of our numbers gets nothing through a Messaging Service either."""
    async with stage() as on:
        service = {"without": "From", "MessagingServiceSid": "MG" + "a" * 32}
        stop = {"protocol": "twilio", "from": "+4915112345678", "to": twilio.FROM, "text": "STOP"}
        await on.control("POST", "/inbound", stop)
        assert (await on.sms(**service)).content["code"] == 21610
        assert (await on.sms(From="+4930555999")).status == 201
        assert (await on.sms(To="+4915100000000", **service)).status == 201
        await on.control("POST", "/inbound", {**stop, "text": "START"})
        assert (await on.sms(**service)).status == 201
