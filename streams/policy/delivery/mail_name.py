"""One notification of one company, as part of an address: in `Message-ID`, and where its bounces go."""

import re

from schemas.base import is_id

_NOT_AN_ATOM = re.compile(r"[^A-Za-z0-9_-]")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")


def mail_name(company_id: str, notification_id: str) -> str:
    return f"{_atom(notification_id)}.{_atom(company_id)}"


def parsed(name: str) -> tuple[str, str] | None:
    """(company id, notification id) of what `mail_name` made; None for anything else."""
    notification_id, _, company_id = name.partition(".")
    ids = _plain(company_id), _plain(notification_id)
    return ids if all(map(is_id, ids)) else None


def _atom(identifier: str) -> str:
    """Ids may hold colons, and dots where a Message-ID allows none."""
    return _NOT_AN_ATOM.sub(lambda found: f"={ord(found[0]):02X}", identifier)


def _plain(atom: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), atom)
