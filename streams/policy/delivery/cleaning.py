"""What a provider says, without the person and without the message: servers like to name whom they could not
reach, and not only in full, and to quote what they would not take, cut, escaped, or with its lines joined.

Whole addresses, numbers and links are found by their form. The part before the @, a name, or a text can only be
found by whoever knows them.
"""

import html
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

SHORTEST = 2
"""Of a word that says who somebody is: a single letter says nothing."""
_LONGEST_CODE = 3
"""Digits that a server begins with, and not a person's."""
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W_]+")
_IN_JSON = re.compile(r"\\(?:u([0-9a-fA-F]{4})|[nrt])")
QUOTED = 3
"""So many words in a row are a quotation, fewer are everybody's; of a shorter text, all of it."""


def without_person(text: str, address: str, name: str) -> str:
    """Without the address, the part before its @, the name, and the words that these are made of. Letter case does
    not count; a longer word in which one of them stands is another word."""
    for told in sorted(set(_telling(address, name)), key=len, reverse=True):
        text = re.sub(rf"(?<![^\W_]){re.escape(told)}(?![^\W_])", "…", text, flags=re.IGNORECASE)
    return text


def without_quotations(text: str, sources: Iterable[str]) -> str:
    """Without what is quoted of `sources`, however it is escaped, cut or set. Letter case does not count."""
    text = _unescaped(text)
    words = list(_WORD.finditer(text))
    runs = {run for source in sources for run in _runs([word.casefold() for word in _WORD.findall(source)])}
    plain, quoted = [word[0].casefold() for word in words], [False] * len(words)
    for length in {len(run) for run in runs}:
        for at in range(len(words) - length + 1):
            if tuple(plain[at : at + length]) in runs:
                quoted[at : at + length] = [True] * length
    kept, end = [], 0
    for at, word in enumerate(words):
        if quoted[at]:
            is_first = at == 0 or not quoted[at - 1]
            kept.append(text[end : word.start()] + "…" if is_first else "")
            end = word.end()
    return "".join(kept) + text[end:]


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    length = min(QUOTED, len(words))
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1) if length)


def _unescaped(text: str) -> str:
    """As JSON, a form or HTML may have written it."""
    text = _IN_JSON.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # JSON writes emoji as two
    return html.unescape(unquote(text))


def _telling(address: str, name: str) -> Iterator[str]:
    local = address.rpartition("@")[0] or address
    yield from filter(None, (address.strip(), local.strip(), name.strip()))
    for word in _BETWEEN_WORDS.split(f"{local} {name}"):
        if len(word) >= SHORTEST and not (word.isdigit() and len(word) <= _LONGEST_CODE):
            yield word
