"""SMS as the network counts them: GSM 03.38 with 7-bit characters, or UCS-2, in segments.

A message of one segment holds 160 septets or 70 UTF-16 units. In a longer one each segment spends some room on its
number: 153 or 67 are left. A character of the extension table is two septets, one outside the BMP is two units;
neither is ever divided between two segments (3GPP TS 23.038 and 23.040).
"""

from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from streams.policy.notification.lines import end_of_word

MOST = 3
"""Segments of one message; what is longer is cut."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")

_SIMPLER = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\t", " "),
        **dict.fromkeys("\u00ad\u200b\ufeff"),
        "…": "...",
        "•": "-",
    }
)
"""Typographic signs, and what says the same in 7 bits."""


class Encoding(StrEnum):
    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


class Format(NamedTuple):
    """`single` and `joined`: units that fit into an only segment, and into one of several."""

    encoding: Encoding
    single: int
    joined: int
    ellipsis: str

    def costs(self, text: str) -> list[int]:
        """Units of each character."""
        if self.encoding is Encoding.GSM_7:
            return [1 if character in BASIC else 2 for character in text]
        return [1 if ord(character) < 0x10000 else 2 for character in text]


GSM_7 = Format(Encoding.GSM_7, 160, 153, "...")
UCS_2 = Format(Encoding.UCS_2, 70, 67, "…")


def format_of(text: str) -> Format:
    return GSM_7 if all(each in BASIC or each in EXTENSION for each in text) else UCS_2


def count(text: str) -> int:
    """How many segments it takes; an empty message is one."""
    found = format_of(text)
    return _count(found.costs(text), found)


def fitted(text: str) -> str:
    """The text in at most `MOST` segments: in simpler signs where that makes it GSM-7, and cut at a word where it
    is too long. The ellipsis is of the text's own alphabet: one foreign character would more than halve the room.
    """
    simpler = text.translate(_SIMPLER)
    wanted = format_of(simpler)
    if wanted is GSM_7:
        text = simpler
    costs, tail = wanted.costs(text), wanted.costs(wanted.ellipsis)
    if _count(costs, wanted) <= MOST:
        return text
    lengths = range(len(text) + 1)
    fits = bisect_right(lengths, MOST, key=lambda length: _count([*costs[:length], *tail], wanted)) - 1
    return text[: end_of_word(text, fits)] + wanted.ellipsis


def _count(costs: Sequence[int], wanted: Format) -> int:
    if sum(costs) <= wanted.single:
        return 1
    segments, used = 1, 0
    for cost in costs:
        if used + cost > wanted.joined:
            segments, used = segments + 1, 0
        used += cost
    return segments
