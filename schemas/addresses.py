"""Whether an address can be written to at all. One that cannot is the same as none."""

import re

# A dot-atom and a domain of at least two labels (RFC 5322, with the letters of RFC 6531). No quoted local part, no
# comment, no address literal: nobody's customer has one, and their characters would matter in a mail header.
_ATOM = r"[^\s\"(),.:;<>@\[\]\\]+"
_LABEL = r"(?!-)(?:[^\W_]|-){1,63}(?<!-)"
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?=[^\W\d_]){_LABEL}")
_ASCII_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_ascii_address(text: str) -> bool:
    """Whether it is something@somewhere, of visible ASCII characters alone and without brackets: what an envelope
    can name as its sender."""
    return _ASCII_ADDRESS.fullmatch(text) is not None


def usable_email(address: str | None) -> str | None:
    """The address if mail can be sent to it (RFC 5321: at most 254 characters, none unprintable), else None."""
    if address is None or len(address) > 254 or not address.isprintable():
        return None
    return address if _EMAIL.fullmatch(address) else None


def usable_phone(number: str | None) -> str | None:
    """The number if it is in the form of E.164 (+ and 7 to 15 digits), else None."""
    return number if number is not None and _E164.fullmatch(number) else None
