"""What a push message says, in as many bytes as a provider takes."""

import hashlib
import unicodedata
from base64 import urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable

import orjson

from sinks.channels.base import Message

TITLE_BYTES = 512
LONGEST_TTL_SECONDS = 28 * 86_400
"""More no provider takes, and so long it is kept where nobody says how long it is of use."""
_ELLIPSIS = "…"
_ZERO_WIDTH_JOINER = "\u200d"


def fitted(message: Message, limit: int, form: Callable[[str, str], bytes]) -> bytes | None:
    """The message in the form that a provider takes, given title and text, in at most `limit` bytes: the text is
    cut where it is too long. None: not even its frame fits."""
    title = within(message.subject or message.sender_name or "", TITLE_BYTES)
    room = limit - len(form(title, ""))
    return None if room < 0 else form(title, within(message.body_text, room))


def data(message: Message) -> dict[str, str]:
    """What an app is told besides, to find what the message is about."""
    return {"notification_id": message.notification_id, "company_id": message.company_id}


def topic(message: Message) -> str:
    """The same for every repeat of a notification: 32 characters of base64url, as RFC 8030 (5.4) allows."""
    name = orjson.dumps((message.company_id, message.notification_id))
    return urlsafe_b64encode(hashlib.sha256(name).digest()[:24]).decode()


def ttl_seconds(message: Message) -> int:
    """How long a provider keeps it for a device that is off; 0: it is shown now or never."""
    if message.ttl_seconds is None:
        return LONGEST_TTL_SECONDS
    return max(0, min(int(message.ttl_seconds), LONGEST_TTL_SECONDS))


def urgency(message: Message) -> str:
    """How soon a device that saves its battery is to be woken (RFC 8030, 5.3): what waits till the evening is
    `low`, what is to be shown at once `high`."""
    return message.priority.value


def within(text: str, room: int) -> str:
    """The text, or as much of its beginning as takes at most `room` bytes in JSON, an ellipsis included."""
    text = text.encode(errors="replace").decode()
    if _size(text) <= room:
        return text
    room -= len(_ELLIPSIS.encode())
    if room < 0:
        return ""
    fits = bisect_right(range(len(text) + 1), room, key=lambda length: _size(text[:length])) - 1
    return text[: _boundary(text, fits)].rstrip() + _ELLIPSIS


def _size(text: str) -> int:
    return len(orjson.dumps(text)) - 2


def _boundary(text: str, length: int) -> int:
    """At most `length`, so that no character as people see it is divided."""
    while 0 < length < len(text) and _belong_together(text, length):
        length -= 1
    return length


def _belong_together(text: str, index: int) -> bool:
    """Whether what begins there goes on with the character before."""
    following = text[index]
    if unicodedata.category(following)[0] == "M" or "\U0001f3fb" <= following <= "\U0001f3ff":
        return True
    if _ZERO_WIDTH_JOINER in (following, text[index - 1]):
        return True
    return _is_half_a_flag(following) and _flags_before(text, index) % 2 == 1


def _is_half_a_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, index: int) -> int:
    start = index
    while start and _is_half_a_flag(text[start - 1]):
        start -= 1
    return index - start
