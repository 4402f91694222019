"""What the simulated providers say of our account, and what goes wrong where no message is sent."""

import pytest

from streams.simulator import At, Fault, Kind
from streams.simulator.protocols import twilio, whatsapp
from tests.unit.simulator.support import stage


async def test_right() -> None:
    """Who has the credentials is told how the account stands, as its provider tells it; nothing is sent."""
    async with stage() as on:
        account, number = await on.account(), await on.number()
        assert (account.status, number.status) == (200, 200)
        assert on.world.accepted == []
        assert on.world.counts == {}
    told = account.content
    assert (told["sid"], told["status"], told["type"]) == (twilio.ACCOUNT_SID, "active", "Full")
    assert told["auth_token"] == twilio.AUTH_TOKEN  # as Twilio does, so that whoever asks has to take care
    assert (number.content["id"], number.content["display_phone_number"]) == (
        whatsapp.PHONE_NUMBER_ID,
        f"+{whatsapp.NUMBER}",
    )


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [({"token": "guessed"}, 401, 20003), ({"account": "AC" + "6" * 32}, 404, 20404)],
)
async def test_wrong_account(wrong: dict[str, str], status: int, code: int) -> None:
    """Without its token, or for another's, nothing is said of an account, but Twilio's own error."""
    async with stage() as on:
        said = await on.account(**wrong)
    assert (said.status, said.content["code"], said.content["status"]) == (status, code, status)


@pytest.mark.parametrize(
    ("wrong", "status", "code"), [({"token": "guessed"}, 401, 190), ({"number": "1"}, 400, 100)]
)
async def test_wrong_number(wrong: dict[str, str], status: int, code: int) -> None:
    """Without the token, or for another's, nothing is said of a number, but Meta's own error."""
    async with stage() as on:
        said = await on.number(**wrong)
    assert (said.status, said.content["error"]["code"]) == (status, code)
    if code == 100:
        assert said.content["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(kind=Kind.REFUSE, code=20008), 403),
        (Fault(kind=Kind.REFUSE, retry_after="7"), 429),
        (Fault(kind=Kind.ERROR, status=502), 502),
        (Fault(kind=Kind.CUT), 0),
        (Fault(kind=Kind.WRONG_TYPE), 200),
    ],
)
async def test_faults(fault: Fault, status: int) -> None:
    """A rule that says so comes where an account is looked at, and not with messages."""
    async with stage() as on:
        on.rule(fault, at=At.ACCOUNT, protocol="twilio")
        said = await on.account()
        assert said.status == status
        assert said.headers.get("Retry-After") == fault.retry_after
        assert (await on.sms()).status == 201
        assert (await on.number()).status == 200


async def test_faults_of_messages() -> None:
    """What a rule does to messages it does not do where none is sent, and such calls do not count for it."""
    async with stage() as on:
        on.rule(Fault(kind=Kind.ERROR), nth=1)
        assert (await on.account()).status == 200
        assert (await on.number()).status == 200
        assert (await on.sms()).status == 500
