"""The keys of push, inline or in a file."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sinks.channels.pushing.vapid import Vapid
from streams.errors import UserError
from streams.push_keys import parse_service_account, service_account_json, vapid_key
from streams.settings import Settings, load_settings


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


RSA = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
ACCOUNT = {
    "type": "service_account",
    "project_id": "salon",
    "private_key_id": "k1",
    "private_key": RSA,
    "client_email": "push@salon.example",
    "token_uri": "https://oauth2.googleapis.com/token",
}
EC = ec.generate_private_key(ec.SECP256R1())
RAW = base64.urlsafe_b64encode(EC.private_numbers().private_value.to_bytes(32, "big")).decode()


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No `.env` but its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_service_account_inline_or_in_a_file(tmp_path: Path) -> None:
    """Both come to the same account; its `token_uri` is kept."""
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT))
    inline, read = service_account_json(json.dumps(ACCOUNT)), service_account_json(str(file))
    account = parse_service_account(inline)
    assert account == parse_service_account(read)
    assert (account.project_id, account.client_email, account.private_key_id) == (
        "salon",
        "push@salon.example",
        "k1",
    )
    assert account.token_uri == "https://oauth2.googleapis.com/token"
    assert "PRIVATE" not in repr(account)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("/nowhere/account.json", "no such file"),
        ("~nobody-at-all/account.json", "no such file"),
        ("{", "must be the JSON of a service account"),
        ("{}", "project_id is missing"),
        (json.dumps({**ACCOUNT, "client_email": 5}), "client_email is missing"),
        (json.dumps({**ACCOUNT, "token_uri": "oauth2.googleapis.com"}), "token_uri"),
        (json.dumps({**ACCOUNT, "private_key": "-----BEGIN SECRET"}), "RSA key"),
        (json.dumps({**ACCOUNT, "private_key": pem(EC)}), "RSA key"),
    ],
    ids=range(8),
)
def test_no_service_account(inside: Path, monkeypatch: pytest.MonkeyPatch, value: str, problem: str) -> None:
    """What is no service account stops the start, in words that quote nothing of it."""
    monkeypatch.setenv("STAFFETTA_FCM_CREDENTIALS", value)
    with pytest.raises(UserError) as refused:
        load_settings()
    said = str(refused.value)
    assert said.startswith("STAFFETTA_FCM_CREDENTIALS: ")
    assert problem in said
    assert "BEGIN" not in said
    assert "push@salon" not in said


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_vapid_key_inline_or_in_a_file(tmp_path: Path, form: PrivateFormat) -> None:
    """Raw with or without padding, or a PEM file of either form: the same key."""
    file = tmp_path / "vapid.pem"
    file.write_text(pem(EC, form))
    assert {vapid_key(RAW), vapid_key(RAW.rstrip("=")), vapid_key(str(file))} == {RAW.rstrip("=")}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("/nowhere/vapid.pem", "no such file"),
        ("~nobody-at-all/vapid.pem", "no such file"),
        ("c2VjcmV0", "no such file"),
        (base64.urlsafe_b64encode(bytes(32)).decode(), "P-256"),
        (base64.urlsafe_b64encode(b"\xff" * 32).decode(), "P-256"),
        (pem(EC), "path of a file"),
    ],
    ids=range(6),
)
def test_no_vapid_key(inside: Path, monkeypatch: pytest.MonkeyPatch, value: str, problem: str) -> None:
    """What is no key stops the start without being quoted."""
    monkeypatch.setenv("STAFFETTA_VAPID_PRIVATE_KEY", value)
    with pytest.raises(UserError) as refused:
        load_settings()
    said = str(refused.value)
    assert said.startswith("STAFFETTA_VAPID_PRIVATE_KEY: ")
    assert problem in said
    assert value[:30] not in said.partition(" Example:")[0]


def test_other_keys_in_a_file(tmp_path: Path) -> None:
    """A key of another kind, or of another curve, is none."""
    for number, key in enumerate((RSA, pem(ec.generate_private_key(ec.SECP384R1())), "hello")):
        file = tmp_path / f"{number}.pem"
        file.write_text(key)
        with pytest.raises(ValueError, match="P-256"):
            vapid_key(str(file))


@pytest.mark.parametrize(
    "subject",
    ["push@example.org", "mailto:", "mailto:push", "http://example.org", "https://", "https://localhost/contact"],
)
def test_no_vapid_subject(inside: Path, monkeypatch: pytest.MonkeyPatch, subject: str) -> None:
    """A push service must be able to reach us."""
    monkeypatch.setenv("STAFFETTA_VAPID_SUBJECT", subject)
    with pytest.raises(UserError, match="must be mailto:ADDRESS"):
        load_settings()


@pytest.mark.parametrize(
    "subject",
    [
        "mailto:push@example.org",
        "https://example.org",
        "https://example.org/contact?to=push",
        "https://example.org:8443/",
    ],
)
def test_vapid_subjects(subject: str) -> None:
    """A mail address, or any page with https: each can be signed."""
    settings = Settings(_env_file=None, vapid_private_key=RAW, vapid_subject=subject)
    assert Vapid(settings.vapid_private_key or "", settings.vapid_subject or "").signs()


def test_secrets_are_not_in_the_representation() -> None:
    """Printing the settings prints neither key."""
    settings = Settings(_env_file=None, fcm_credentials=json.dumps(ACCOUNT), vapid_private_key=RAW)
    assert "PRIVATE KEY" not in repr(settings)
    assert RAW.rstrip("=") not in repr(settings)
