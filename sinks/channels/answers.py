"""What a provider answered over HTTP, and what its words come to."""

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from schemas.reasons import DeliveryReason
from streams.policy.delivery.results import AccountWide, Permanent, Result, Transient, Unconfirmed

MAX_ERROR = 300
MAX_ID = 300
LONGEST_SECONDS = 999_999_999.0
"""Of a `Retry-After`, in either form: later moments have no date."""
_NEVER_SAID = (
    re.compile(r"(?<![a-z])[a-z]+://[^\s\"'<>]+", re.IGNORECASE),
    re.compile(r"(?<![^\s<>()\"',;:])[^\s<>()\"',;:]+@[^\s<>()\"',;:]+"),
    re.compile(r"(?<![\w.])\+?\d(?:[ ()./-]{0,2}\d){6,}"),
    re.compile(r"[A-Za-z0-9_:.~+/=-]{24,}"),
)
"""URLs, mail addresses, phone numbers, and what is long enough to be a token, in whatever is recorded."""
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")


class Meaning(NamedTuple):
    """What an error code stands for; `result` is Transient, AccountWide, Permanent or Unconfirmed."""

    result: type[Transient] | type[Permanent] | type[Unconfirmed]
    reason: DeliveryReason

    def of(self, error: str, retry_after_seconds: float | None = None) -> Result:
        if issubclass(self.result, Transient):
            return self.result(self.reason, error, retry_after_seconds)
        return self.result(self.reason, error)


NOT_OURS = Meaning(AccountWide, DeliveryReason.AUTH_FAILED)
THROTTLED = Meaning(Transient, DeliveryReason.RATE_LIMITED)
UNAVAILABLE = Meaning(Transient, DeliveryReason.UNAVAILABLE)
REJECTED = Meaning(Permanent, DeliveryReason.REJECTED)
DEAD = Meaning(Permanent, DeliveryReason.DEAD_ADDRESS)
OPTED_OUT = Meaning(Permanent, DeliveryReason.OPTED_OUT)
_STATUSES = {401: NOT_OURS, 403: NOT_OURS, 404: NOT_OURS, 405: NOT_OURS, 408: UNAVAILABLE, 429: THROTTLED}


def by_status(status: int, server_error: Meaning) -> Meaning:
    """What an error stands for whose code says nothing; `server_error` is what a 5xx stands for. That there is
    nothing at the URL is the account's fault, or the settings': no message would have passed."""
    return server_error if status >= 500 else _STATUSES.get(status, REJECTED)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is what came of it, up to a limit; `broken` why no more came, if that was not the end of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    broken: DeliveryReason | None = None
    _said_at: float = field(default_factory=time.time)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """The object in the body; empty if there is none, whatever the content type says."""
        try:
            content = json.loads(self.body.decode(errors="replace"))
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}

    def retry_after_seconds(self) -> float | None:
        """`Retry-After` (RFC 9110, 10.2.3), in seconds or as a date, which counts from the answer's own date."""
        said = self.headers.get("Retry-After", "").strip()
        if _SECONDS.fullmatch(said):
            return float(said)
        until, now = _timestamp(said), _timestamp(self.headers.get("Date", ""))
        if until is None:
            return None
        return min(max(0.0, until - (self._said_at if now is None else now)), LONGEST_SECONDS)

    def told(self, code: object, said: object) -> str:
        """An error in words, still to be cleaned."""
        return f"HTTP {self.status}, code {code}: {said}" if said else f"HTTP {self.status}, code {code}"

    def unclear(self) -> Unconfirmed:
        """It took the message, or not: what it says is not what was agreed."""
        reason = self.broken or DeliveryReason.UNCONFIRMED
        return Unconfirmed(reason, f"HTTP {self.status}, and an answer that names no message")


def get(content: Any, *path: str | int) -> Any:
    """What stands there in JSON that may have any shape; None if nothing does."""
    for step in path:
        if isinstance(step, int):
            content = content[step] if isinstance(content, list) and len(content) > step else None
        else:
            content = content.get(step) if isinstance(content, dict) else None
    return content


def message_id(content: Any) -> str | None:
    """A provider's name for a message, if it is one that can be kept."""
    is_one = isinstance(content, str) and 0 < len(content) <= MAX_ID and content.isprintable()
    return content if is_one else None


def number(content: Any) -> int | None:
    """An error code, which some write as text."""
    if isinstance(content, str) and content.isdecimal() and len(content) < 10:
        return int(content)
    return content if isinstance(content, int) and not isinstance(content, bool) else None


def reason_of(error: str | None, codes: Mapping[int, Meaning]) -> DeliveryReason:
    """What the code in a receipt says; a failure without one that is known is a refusal."""
    code = number(error)
    return codes.get(-1 if code is None else code, REJECTED).reason


def cleaned(text: str, secrets: Iterable[str | None] = ()) -> str:
    """A provider likes to repeat what it was sent, which has no place in an outcome: without `secrets`, addresses,
    numbers, URLs and tokens; on one line, and not longer than needed."""
    text = without(text, secrets)
    text = "".join(each if each.isprintable() else " " for each in text)
    for pattern in _NEVER_SAID:
        text = pattern.sub("…", text)
    return " ".join(text.split())[:MAX_ERROR]


def without(text: str, secrets: Iterable[str | None]) -> str:
    """As they stand there, but for letter case; of three characters or more."""
    for secret in sorted({each for each in secrets if each and len(each) > 2}, key=len, reverse=True):
        text = re.sub(re.escape(secret), "…", text, flags=re.IGNORECASE)
    return text


def _timestamp(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
