"""What comes from outside as one line, so that it can begin none of its own in a header or a text."""

import re

LONGEST = 200
"""Characters of one value. With this, no message outgrows what a request may hold."""
_NOT_IN_A_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def one_line(text: str) -> str:
    """`text` with every run of blanks, line breaks, controls and changes of direction as one blank, cut where it
    is too long for a name."""
    line = flattened(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def flattened(text: str) -> str:
    """As `one_line`, of any length."""
    return _NOT_IN_A_LINE.sub(" ", text).strip()


def address_line(text: str) -> str:
    """The lines of a postal address as one, with commas between them."""
    lines = (flattened(line).strip(" ,") for line in text.splitlines())
    return one_line(", ".join(line for line in lines if line))


def shortened(text: str, longest: int) -> str:
    """At most so many characters, cut at a word."""
    return text if len(text) <= longest else f"{text[: end_of_word(text, longest - 1)]}…"


def end_of_word(text: str, longest: int) -> int:
    """Where the last whole word within `longest` characters ends; a first word that is longer is cut."""
    if text[longest : longest + 1].isspace():
        return len(text[:longest].rstrip()) or longest
    for at in range(longest - 1, 0, -1):
        if text[at].isspace():
            return len(text[:at].rstrip()) or longest
    return longest
