"""By which a provider's receipt finds back to the attempt that it is about.

It travels through the provider: in the URL that is called with the receipt, or in a field that is handed back.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import parse_qsl, urlencode

from schemas.base import is_id
from schemas.reasons import ChannelName


class Reference(NamedTuple):
    company_id: str
    notification_id: str
    channel: ChannelName
    attempt: int

    def to_query(self) -> str:
        """As a URL's query; two ids of 64 letters make less than 256."""
        return urlencode({"company": self[0], "id": self[1], "channel": self[2], "attempt": self[3]})

    @classmethod
    def from_query(cls, query: str | Mapping[str, str]) -> Self | None:
        """What `to_query` made; None for anything else: it is about a message that is not ours."""
        given = dict(parse_qsl(query)) if isinstance(query, str) else query
        try:
            found = cls(given["company"], given["id"], ChannelName(given["channel"]), int(given["attempt"]))
        except (KeyError, ValueError):
            return None
        return found if all(map(is_id, found[:2])) and found.attempt >= 0 else None
