"""JSON Web Tokens (RFC 7515, RFC 7519) as the providers read them, and the keys of browsers and push services.

Written out here, and not taken from the libraries with which they are made: two that share a mistake would agree.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
_TAG_BYTES = 16
_ES256_BYTES = 64


class WrongTokenError(ValueError):
    """A token, or a message, that nobody may take for genuine."""


def read_rs256(token: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The claims of a token that is signed with RS256."""
    signed, claims, signature = _parts(token, "RS256")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise WrongTokenError("the signature is wrong") from None
    return claims


def read_es256(token: str, key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """The claims of a token that is signed with ES256."""
    signed, claims, signature = _parts(token, "ES256")
    if len(signature) != _ES256_BYTES:
        raise WrongTokenError(f"the signature has not {_ES256_BYTES} bytes")
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise WrongTokenError("the signature is wrong") from None
    return claims


def _parts(token: str, algorithm: str) -> tuple[bytes, dict[str, Any], bytes]:
    signed, _, signature = token.rpartition(".")
    head, _, claims = signed.partition(".")
    try:
        header, content = json.loads(unpacked(head)), json.loads(unpacked(claims))
    except ValueError:
        raise WrongTokenError("it is no JSON Web Token") from None
    if not isinstance(header, dict) or not isinstance(content, dict) or header.get("alg") != algorithm:
        raise WrongTokenError(f"it is no JSON Web Token with {algorithm}")
    return signed.encode(), content, unpacked(signature)


def packed(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    """Raises WrongTokenError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise WrongTokenError("it is no base64url") from None


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def read_point(raw: bytes) -> ec.EllipticCurvePublicKey:
    """Raises WrongTokenError."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise WrongTokenError("it is no point of P-256") from None


def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """Always the same for a name, so that nothing has to be kept."""
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def decrypted(body: bytes, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What is in a body in the coding `aes128gcm`, of one record (RFC 8188, RFC 8291)."""
    salt, record_size, key_length = body[:16], int.from_bytes(body[16:20], "big"), body[20:21]
    if len(body) < 21 + 65 + _TAG_BYTES + 1 or key_length != b"\x41":
        raise WrongTokenError("it is no message in aes128gcm with a key of P-256")
    sender, record = body[21:86], body[86:]
    if not record_size > _TAG_BYTES + 1 or len(record) > record_size:
        raise WrongTokenError("it is not of one record")
    shared = key.exchange(ec.ECDH(), read_point(sender))
    material = _derived(secret, shared, b"WebPush: info\0" + point(key.public_key()) + sender, 32)
    content_key = _derived(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(salt, material, b"Content-Encoding: nonce\0", 12)
    try:
        padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
    except InvalidTag:
        raise WrongTokenError("it was not encrypted for this subscription") from None
    if not padded.endswith(b"\x02"):
        raise WrongTokenError("its record is not the last one")
    return padded[:-1]


def _derived(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)
