"""Whether an account is in order is found out from its provider, and nothing is sent to find it out."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from py_vapid import Vapid02

from schemas.reasons import ChannelName
from sinks.channels import CHANNELS, open_channels
from sinks.channels.base import Examinable
from sinks.channels.email import Email
from streams.errors import UserError
from streams.settings import Settings
from streams.simulator import At, Fault, Kind, Rule, Simulator
from streams.simulator.protocols import fcm, signed, twilio, webpush, whatsapp
from tests.contract.webpush_support import subscribed
from tests.support.recording import recording
from tests.support.smtp import MailServer, closed_port

SECRETS = (twilio.AUTH_TOKEN, twilio.ACCOUNT_SID, whatsapp.TOKEN, whatsapp.PHONE_NUMBER_ID, "ya29", "PRIVATE KEY")
ASKED = {
    "twilio": (ChannelName.SMS, At.ACCOUNT, "STAFFETTA_TWILIO_ACCOUNT_SID"),
    "whatsapp": (ChannelName.WHATSAPP, At.ACCOUNT, "STAFFETTA_WHATSAPP_TOKEN"),
    "fcm": (ChannelName.PUSH, At.TOKEN, "STAFFETTA_FCM_CREDENTIALS"),
}
"""Those who can be asked: for which channel, where in the simulator, and what is named where that is refused."""


def settings_of(simulator: Simulator, **changes: Any) -> Settings:
    found = {name.removeprefix("STAFFETTA_").lower(): value for name, value in simulator.settings().items()}
    return Settings(_env_file=None, **{**found, **changes})


@asynccontextmanager
async def opened(settings: Settings, name: ChannelName) -> AsyncIterator[Examinable]:
    channel = open_channels(settings)[name]
    try:
        yield channel
    finally:
        await channel.close()


async def said(settings: Settings, provider: str) -> str:
    """What is found, or the problem."""
    name = ASKED[provider][0] if provider in ASKED else ChannelName.PUSH
    async with opened(settings, name) as channel:
        try:
            found = await channel.examinations()[provider]()
        except UserError as problem:
            found = f"problem: {problem}"
    for secret in SECRETS:
        assert secret not in found
    return found


async def test_every_account() -> None:
    """Each channel tells of every account that it sends through, by the name that outcomes have."""
    async with Simulator() as simulator:
        channels = open_channels(settings_of(simulator))
        examined = {name: list(channel.examinations()) for name, channel in channels.items()}
        browser = subscribed(simulator.doors[webpush.NAME].url).address
        assert set(examined) == set(CHANNELS)
        for name, channel in channels.items():
            assert {channel.account(address).provider for address in (None, browser)} == set(examined[name])
            await channel.close()


@pytest.mark.parametrize("provider", [*ASKED, "webpush"])
async def test_in_order(provider: str) -> None:
    """With the right credentials all is well, and nobody has got anything."""
    async with Simulator() as simulator:
        found = await said(settings_of(simulator), provider)
        assert not found.startswith("problem")
        assert simulator.world.accepted == []
        assert simulator.world.counts == {}


async def test_the_question_to_twilio() -> None:
    """Twilio is asked for the account by its id, with the credentials and no body."""
    async with (
        recording(200, {"sid": twilio.ACCOUNT_SID, "status": "active"}) as provider,
        Simulator() as simulator,
    ):
        await said(settings_of(simulator, twilio_base_url=provider.url), "twilio")
    (request,) = provider.requests
    assert (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{twilio.ACCOUNT_SID}.json")
    assert request.headers["authorization"] == twilio.credentials(twilio.ACCOUNT_SID, twilio.AUTH_TOKEN)
    assert request.body == b""
    assert "content-type" not in request.headers


async def test_the_question_to_meta() -> None:
    """Meta is asked for the number by its id, with the token and no body."""
    async with recording(200, {"id": whatsapp.PHONE_NUMBER_ID}) as provider, Simulator() as simulator:
        await said(settings_of(simulator, whatsapp_base_url=provider.url), "whatsapp")
    (request,) = provider.requests
    assert (request.method, request.path) == ("GET", f"/v23.0/{whatsapp.PHONE_NUMBER_ID}")
    assert request.headers["authorization"] == f"Bearer {whatsapp.TOKEN}"
    assert request.body == b""


@pytest.mark.parametrize(
    ("provider", "changes"),
    [
        ("twilio", {"twilio_auth_token": "guessed"}),
        ("twilio", {"twilio_account_sid": "AC" + "6" * 32}),
        ("whatsapp", {"whatsapp_token": "guessed"}),
        ("whatsapp", {"whatsapp_phone_number_id": "1234567"}),
    ],
)
async def test_wrong_credentials(provider: str, changes: dict[str, str]) -> None:
    """What is wrong is named, in the provider's words, and what is to be corrected; not the values themselves."""
    async with Simulator() as simulator:
        found = await said(settings_of(simulator, **changes), provider)
    assert "refuses the account (HTTP 4" in found
    assert f"correct STAFFETTA_{provider.upper()}_" in found
    for value in changes.values():
        assert value not in found


async def test_a_service_account_that_is_another() -> None:
    """Google does not know it."""
    async with Simulator() as simulator:
        other = fcm.service_account(simulator.doors[fcm.NAME].url) | {"client_email": "mallory@example.org"}
        found = await said(settings_of(simulator, fcm_credentials=json.dumps(other)), "fcm")
    assert "refuses the account (no access token: HTTP 400 invalid_grant" in found
    assert "correct STAFFETTA_FCM_CREDENTIALS" in found
    assert "mallory" not in found


REFUSALS: Sequence[tuple[str, Fault]] = [
    ("twilio", Fault(kind=Kind.REFUSE, code=20003)),
    ("whatsapp", Fault(kind=Kind.REFUSE, code=190)),
    ("whatsapp", Fault(kind=Kind.REFUSE, code=200)),
    ("whatsapp", Fault(kind=Kind.REFUSE, code=131031)),
    ("fcm", Fault(kind=Kind.REFUSE, code="invalid_grant")),
    ("fcm", Fault(kind=Kind.REFUSE, code="invalid_client")),
]
AWAY = (
    Fault(kind=Kind.REFUSE),
    Fault(kind=Kind.ERROR),
    Fault(kind=Kind.ERROR, status=503),
    Fault(kind=Kind.CUT),
    Fault(kind=Kind.SLOW, seconds=3600),
    Fault(kind=Kind.REDIRECT),
)
NONSENSE = (Fault(kind=Kind.MALFORMED), Fault(kind=Kind.HUGE), Fault(kind=Kind.WRONG_TYPE))


async def faulty(provider: str, fault: Fault) -> str:
    async with Simulator() as simulator:
        simulator.world.rules.add(Rule(fault=fault, protocol=provider, at=ASKED[provider][1]))
        patience = 1 if fault.kind is Kind.SLOW else 10
        return await said(settings_of(simulator, provider_timeout_seconds=patience), provider)


@pytest.mark.parametrize(("provider", "fault"), REFUSALS)
async def test_refused(provider: str, fault: Fault) -> None:
    """An account that is refused is somebody's to mend, and it is said where."""
    found = await faulty(provider, fault)
    assert "refuses the account" in found
    assert ASKED[provider][2] in found.partition("correct ")[2]


async def test_credentials_for_tests() -> None:
    """They are not called wrong, for what is to be done is to take the live ones."""
    found = await faulty("twilio", Fault(kind=Kind.REFUSE, code=20008))
    assert found == (
        "problem: Twilio refuses the account (HTTP 403, code 20008: Resource not accessible with Test Account "
        "Credentials): these are test credentials, set STAFFETTA_TWILIO_ACCOUNT_SID and "
        "STAFFETTA_TWILIO_AUTH_TOKEN to the live ones"
    )


@pytest.mark.parametrize("provider", ASKED)
@pytest.mark.parametrize("fault", AWAY, ids=lambda fault: f"{fault.kind}-{fault.status}")
async def test_away(provider: str, fault: Fault) -> None:
    """A provider that is away says nothing about the account: the credentials are not called wrong."""
    found = await faulty(provider, fault)
    assert "cannot be asked (" in found
    assert "or try again later" in found
    assert "correct" not in found


@pytest.mark.parametrize("provider", ASKED)
@pytest.mark.parametrize("fault", NONSENSE, ids=lambda fault: fault.kind)
async def test_nonsense(provider: str, fault: Fault) -> None:
    """What answers something else is not the provider."""
    assert (await faulty(provider, fault)).startswith("problem: ")


@pytest.mark.parametrize("provider", ["twilio", "whatsapp"])
async def test_another_account(provider: str) -> None:
    """A good answer about another account is no good answer."""
    async with recording(200, {"sid": "AC0", "id": "1", "status": "active"}) as server, Simulator() as simulator:
        found = await said(settings_of(simulator, **{f"{provider}_base_url": server.url}), provider)
    assert f"STAFFETTA_{provider.upper()}_BASE_URL" in found


@pytest.mark.parametrize("status", ["suspended", "closed", None])
async def test_an_account_that_is_not_active(status: str | None) -> None:
    """Twilio knows it, and would send nothing."""
    account = {"sid": twilio.ACCOUNT_SID, "status": status, "auth_token": twilio.AUTH_TOKEN}
    async with recording(200, account) as server, Simulator() as simulator:
        found = await said(settings_of(simulator, twilio_base_url=server.url), "twilio")
    assert found.startswith(f"problem: Twilio's account is {status}: ")


@pytest.mark.parametrize("provider", ["twilio", "whatsapp"])
async def test_nobody_listens(provider: str) -> None:
    """The setting that leads there is named."""
    with closed_port() as port:
        async with Simulator() as simulator:
            settings = settings_of(simulator, **{f"{provider}_base_url": f"http://127.0.0.1:{port}"})
            found = await said(settings, provider)
    assert f"see STAFFETTA_{provider.upper()}_BASE_URL" in found


async def test_the_key_for_browsers() -> None:
    """It signs, and the key with which pages have to subscribe is told; the private one is not."""
    async with Simulator() as simulator:
        settings = settings_of(simulator)
        found = await said(settings, "webpush")
    assert signed.packed(signed.point(webpush._APPLICATION.public_key())) in found
    assert webpush.SUBJECT in found
    assert settings.vapid_private_key is not None
    assert settings.vapid_private_key not in found


async def test_a_key_that_does_not_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature that does not pass for ours is found out before any browser's push service finds it out."""
    sign = Vapid02.sign

    def tampered(self: Vapid02, claims: dict[str, Any]) -> dict[str, str]:
        token, key = sign(self, claims)["Authorization"].split(",")
        other = sign(self, claims | {"sub": "mailto:mallory@example.org"})["Authorization"].split(",")[0]
        return {"Authorization": f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]},{key}"}

    monkeypatch.setattr(Vapid02, "sign", tampered)
    async with Simulator() as simulator:
        found = await said(settings_of(simulator), "webpush")
    assert "make a new key" in found


async def test_mail() -> None:
    """The mail server is greeted and left, with no mail in between; where there is none, the setting is named."""
    async with MailServer() as server:
        channel = Email(server.address, "termine@example.org", concurrency=1, timeout_seconds=10)
        assert (await channel.examinations()["smtp"]()).endswith("takes mail")
        assert server.mails == []
        await server.__aexit__()
        with pytest.raises(UserError, match=r"no mail can be handed to .*: see STAFFETTA_SMTP_URL"):
            await channel.examinations()["smtp"]()
