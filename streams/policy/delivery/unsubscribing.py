"""One-click unsubscription (RFC 8058): the link that a mail carries, and what it says.

The link holds all there is to know, signed: whoever follows it needs no account, and nothing has to be looked up.
"""

import base64
import hmac
import json
from typing import NamedTuple

from schemas.notifications import AttemptDue
from schemas.reasons import Audience, ChannelName, NotificationType

PATH = "/unsubscribe/"
OPTIONAL = frozenset({NotificationType.APPOINTMENT_REMINDER, NotificationType.CALLBACK_RECEIVED})
"""What somebody can do without. Changes of an appointment are part of the appointment itself."""
_SIGNATURE_BYTES = 16


class Choice(NamedTuple):
    """What is not wanted any more: one type on one channel, at one address of one company."""

    company_id: str
    channel: ChannelName
    event_type: NotificationType
    recipient_hash: str


def link(due: AttemptDue, channel: ChannelName, recipient_hash: str, public_url: str, key: bytes) -> str | None:
    """Where the recipient can unsubscribe; None for what they cannot do without. `key` signs it."""
    if due.audience is not Audience.CUSTOMER or due.event_type not in OPTIONAL:
        return None
    return public_url + PATH + sign(Choice(due.company_id, channel, due.event_type, recipient_hash), key)


def sign(choice: Choice, key: bytes) -> str:
    content = json.dumps(choice, separators=(",", ":")).encode()
    return f"{_text(content)}.{_text(_signature(content, key))}"


def read(token: str, key: bytes) -> Choice | None:
    """What `sign` was given; None if nobody with the key has signed it."""
    content, _, signature = token.partition(".")
    try:
        octets, signed = _octets(content), _octets(signature)
    except ValueError:
        return None
    if not hmac.compare_digest(signed, _signature(octets, key)):
        return None
    company_id, channel, event_type, recipient_hash = json.loads(octets)
    return Choice(company_id, ChannelName(channel), NotificationType(event_type), recipient_hash)


def _signature(content: bytes, key: bytes) -> bytes:
    """With a key of its own, so that no other keyed hash can stand for a signature."""
    own = hmac.digest(key, b"staffetta:unsubscribe", "sha256")
    return hmac.digest(own, content, "sha256")[:_SIGNATURE_BYTES]


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
