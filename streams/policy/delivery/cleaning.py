"""What a bounce says, without the person: servers like to name whom they could not reach, and not only in full.

Whole addresses, numbers and links are gone before: what is left is the part before the @, or a name, and to find
these one has to know them.
"""

import re
from collections.abc import Iterator

SHORTEST = 2
"""Of a word that says who somebody is: a single letter says nothing."""
_LONGEST_CODE = 3
"""Digits that a server begins with, and not a person's."""
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def without_person(text: str, address: str, name: str) -> str:
    """Without the address, the part before its @, the name, and the words that these are made of. Letter case does
    not count; a longer word in which one of them stands is another word."""
    for told in sorted(set(_telling(address, name)), key=len, reverse=True):
        text = re.sub(rf"(?<![^\W_]){re.escape(told)}(?![^\W_])", "…", text, flags=re.IGNORECASE)
    return text


def _telling(address: str, name: str) -> Iterator[str]:
    local = address.rpartition("@")[0] or address
    yield from filter(None, (address.strip(), local.strip(), name.strip()))
    for word in _BETWEEN_WORDS.split(f"{local} {name}"):
        if len(word) >= SHORTEST and not (word.isdigit() and len(word) <= _LONGEST_CODE):
            yield word
