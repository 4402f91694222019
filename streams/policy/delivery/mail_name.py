"""One notification of one company, as part of an address: in `Message-ID`, and where its bounces go."""

import base64
import re
import uuid
from contextlib import suppress

from schemas.base import is_id

_NOT_AN_ATOM = re.compile(r"[^A-Za-z0-9_-]")
_SHORT = "~"
"""Before the 26 characters of a UUID in base 32; no other atom begins so."""
_PADDING = "=" * 6
_ESCAPED = re.compile(r"=([0-9A-F]{2})")


def mail_name(company_id: str, notification_id: str) -> str:
    return f"{_atom(notification_id)}.{_atom(company_id)}"


def short_name(company_id: str, notification_id: str) -> str:
    """The same where there is less room: a local part has 64 characters, of which two UUIDs alone are 72."""
    return f"{_short(notification_id)}.{_short(company_id)}"


def parsed(name: str) -> tuple[str, str] | None:
    """(company id, notification id) of what `mail_name` or `short_name` made; None for anything else."""
    notification_id, _, company_id = name.partition(".")
    ids = _plain(company_id), _plain(notification_id)
    return ids if all(map(is_id, ids)) else None


def _atom(identifier: str) -> str:
    """Ids may hold colons, and dots where a Message-ID allows none."""
    return _NOT_AN_ATOM.sub(lambda found: f"={ord(found[0]):02X}", identifier)


def _short(identifier: str) -> str:
    with suppress(ValueError):
        content = uuid.UUID(identifier)
        if str(content) == identifier:
            return _SHORT + base64.b32encode(content.bytes).decode().rstrip("=").lower()
    return _atom(identifier)


def _plain(atom: str) -> str:
    if atom.startswith(_SHORT):
        with suppress(ValueError):
            return str(uuid.UUID(bytes=base64.b32decode(atom[1:].upper() + _PADDING)))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), atom)
