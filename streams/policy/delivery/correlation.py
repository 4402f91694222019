"""What a provider is given to take along, so that its receipt says which attempt it is about.

It is a query string of ids alone, which needs no escaping: a receipt's URL is signed as it was written.
"""

from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlencode

from schemas.base import is_id
from schemas.reasons import ChannelName

MAX_CHARACTERS = 512
"""What WhatsApp takes along; two ids of 64 characters and the rest come to less than 200."""


class Correlation(NamedTuple):
    """One attempt."""

    company_id: str
    notification_id: str
    channel: ChannelName
    attempt: int

    def written(self) -> str:
        fields = {
            "company": self.company_id,
            "notification": self.notification_id,
            "channel": self.channel.value,
            "attempt": self.attempt,
        }
        return urlencode(fields, safe=":")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what `written` has not written."""
        if len(text) > MAX_CHARACTERS:
            return None
        try:
            fields = parse_qs(text, max_num_fields=20)
            company, notification, channel, attempt = (
                fields[name][0] for name in ("company", "notification", "channel", "attempt")
            )
            found = cls(company, notification, ChannelName(channel), int(attempt))
        except (KeyError, ValueError):
            return None
        return found if is_id(company) and is_id(notification) and found.attempt >= 0 else None
