"""The keys by which push providers know us, as the settings have them: inline, or the path of a file."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PEM = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A Google service account, of the JSON file that the console gives (https://google.aip.dev/auth/4112)."""

    project_id: str
    client_email: str
    token_uri: str
    private_key: str = field(repr=False)
    """PEM"""
    private_key_id: str | None = None


def service_account_json(value: str) -> str:
    """Inline JSON as it is, else what is in the file of that path. Raises ValueError if that holds no account."""
    text = value if value.lstrip().startswith("{") else _content(value)
    parse_service_account(text)
    return text


def parse_service_account(text: str) -> ServiceAccount:
    """Raises ValueError, in words that quote nothing of it."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ValueError("must be the JSON of a service account, or the path of a file with it")
    account = ServiceAccount(
        project_id=_text(content, "project_id"),
        client_email=_text(content, "client_email"),
        token_uri=_text(content, "token_uri"),
        private_key=_text(content, "private_key"),
        private_key_id=content.get("private_key_id"),
    )
    if not account.token_uri.startswith(("https://", "http://")):
        raise ValueError("must have a token_uri that begins with https:// or http://")
    _check_rsa(account.private_key)
    return account


def vapid_key(value: str) -> str:
    """The 32 bytes of a private key of P-256 as base64url without padding, given so or as the path of a PEM file.
    Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec

    raw = _raw(value)
    number = int.from_bytes(raw, "big") if len(raw) == 32 else _number_of_pem(value)
    try:
        ec.derive_private_key(number, ec.SECP256R1())
    except ValueError:
        raise ValueError("must be a private key of the curve P-256") from None
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def _raw(value: str) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def _number_of_pem(path: str) -> int:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _content(path).encode()
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("must be 32 bytes in base64url, or the path of a PEM file, with a private key of P-256")
    return key.private_numbers().private_value


def _content(path: str) -> str:
    if _PEM in path:
        raise ValueError("must be the path of a file, not what is in it")
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError, RuntimeError):  # the last: a ~ without a home
        raise ValueError("there is no such file, or it cannot be read") from None


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"must be the JSON of a service account: {name} is missing")
    return value


def _check_rsa(pem: str) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("must have an RSA key as private_key")
