"""Names that stay the same whatever is replayed: of a notification, and of a recipient in outcomes."""

import hmac
import uuid

import msgspec

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "staffetta:notification")
_json = msgspec.json.Encoder().encode


def notification_id(
    company_id: str, source: str, event_id: str, config_id: str | None, audience: str, recipient_id: str
) -> str:
    """The permanent idempotency key: a UUIDv5 over the event, the configuration and the recipient."""
    name = _json((company_id, source, event_id, config_id or "", audience, recipient_id))
    return str(uuid.uuid5(_NAMESPACE, name.decode()))


def recipient_hash(key: bytes, address: str) -> str:
    """How a recipient appears where no address may: HMAC-SHA256, in hex. Letter case does not count."""
    # Not hmac.digest: that lets go of the interpreter's lock, and may wait for it longer than it computes.
    return hmac.new(key, address.strip().lower().encode(), "sha256").hexdigest()
