"""Whether an address can be written to at all. One that cannot is the same as none."""

import re

# The dot-atom and domain of RFC 5322 with SMTPUTF8's letters (RFC 6531); no comments, no quoted local part, and a
# domain with a dot. Deliberately without blanks, line breaks and controls, which could end up in a mail header.
_EMAIL = re.compile(
    r"[^\s\x00-\x20\x7f\x80-\x9f\"(),:;<>@\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def usable_email(address: str | None) -> str | None:
    """The address if mail can be sent to it (RFC 5321: at most 254 characters), else None."""
    if address is None or len(address) > 254 or not _EMAIL.fullmatch(address):
        return None
    local = address.partition("@")[0]
    return None if local[0] == "." or local[-1] == "." or ".." in local else address


def usable_phone(number: str | None) -> str | None:
    """The number if it is in the form of E.164 (+ and 7 to 15 digits), else None."""
    return number if number is not None and _E164.fullmatch(number) else None
