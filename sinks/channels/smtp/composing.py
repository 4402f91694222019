"""A mail as bytes, put together from parts.

The standard library's `EmailMessage` costs more than a millisecond a mail, several times the sending. Bodies are
always quoted-printable: 7-bit clean whatever the server announces, of any line length, and unable to contain a
boundary that begins with "=_". Nothing that comes from an event reaches a header with a line break in it.
"""

import base64
import binascii
import hashlib
import re
from email.utils import format_datetime, parseaddr

import idna

from schemas.addresses import is_ascii_address, usable_email
from sinks.channels.base import Message
from streams.policy.delivery.mail_name import mail_name, short_name

_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_PLAIN = re.compile(r"[\x20-\x7e]{0,60}")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_METHOD = re.compile(r"^METHOD:([A-Z]+)\r?$", re.MULTILINE)

WORD_BYTES = 39
"""So many bytes make an encoded word of 64 characters: with "Subject: " before it, a line of at most 76."""

LOCAL_PART = 64
"""RFC 5321 4.5.3.1.1."""


def mailbox(address: str) -> str | None:
    """The address as SMTP takes it, its domain in ASCII; None if it is none that mail can be sent to."""
    usable = usable_email(address)
    return None if usable is None else _with_ascii_domain(usable)


def _with_ascii_domain(address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return None


def header_text(text: str) -> str:
    """One line: control characters, line ends and runs of blanks become one blank."""
    return _CONTROLS.sub(" ", text).strip(" ")


def encoded(text: str) -> str:
    """Unstructured header text, as RFC 2047 encoded words where it must be."""
    return text if _is_plain(text) else _encoded_words(text)


def named(name: str, address: str) -> str:
    """`name <address>` for From and To."""
    if not name:
        return address
    if _is_plain(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_encoded_words(name)}\r\n <{address}>"


def _is_plain(text: str) -> bool:
    return "=?" not in text and _PLAIN.fullmatch(text) is not None


def _encoded_words(text: str) -> str:
    words, word = [], b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(word) + len(octets) > WORD_BYTES:
            words.append(word)
            word = b""
        word += octets
    words.append(word)
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(octets).decode()}?=" for octets in words)


def _quoted_printable(text: str) -> bytes:
    lines = _LINE_ENDS.sub("\r\n", text)
    if not lines.endswith("\r\n"):
        lines += "\r\n"
    return binascii.b2a_qp(lines.encode("utf-8", "replace"))


def _part(subtype: str, text: str, parameters: str = "") -> bytes:
    head = (
        f"Content-Type: text/{subtype}; charset=utf-8{parameters}\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + _quoted_printable(text)


def _alternatives(message: Message) -> list[bytes]:
    """The plainest first; a mail program shows the last that it understands, and offers a calendar's entry beside
    it (RFC 2046, 5.1.4; RFC 6047)."""
    parts = [_part("plain", message.body_text)]
    if message.body_html is not None:
        parts.append(_part("html", message.body_html))
    if message.calendar is not None:
        method = _METHOD.search(message.calendar)
        parts.append(_part("calendar", message.calendar, f"; method={method[1]}" if method else ""))
    return parts


class Composer:
    """Makes the mails of one sender, given as `address` or `Name <address>`. Bounces go to `return_path`, an
    address with `{id}` in it; by default to the sender.

    Raises ValueError if there is no address in it.
    """

    def __init__(self, sender: str, return_path: str | None = None) -> None:
        name, address = parseaddr(sender)
        box = _with_ascii_domain(address)
        if box is None or not is_ascii_address(box):
            raise ValueError(f"{sender!r} is not an e-mail address")
        self.sender = box
        self._sender_name = header_text(name)
        self._return_path = return_path
        self._domain = box.rpartition("@")[2]

    def message_id(self, company_id: str, notification_id: str) -> str:
        """The same for every attempt, so that a repeated mail is recognised as one."""
        return f"<{mail_name(company_id, notification_id)}@{self._domain}>"

    def envelope_sender(self, company_id: str, notification_id: str) -> str:
        """Where a bounce of this mail goes: it tells which mail it was, if that fits into an address."""
        if self._return_path is None:
            return self.sender
        path = self._return_path.replace("{id}", short_name(company_id, notification_id))
        return path if len(path.rpartition("@")[0]) <= LOCAL_PART else self.sender

    def compose(self, message: Message, recipient: str) -> bytes:
        """The whole mail, lines ending in CRLF, ready for DATA but for the doubling of leading dots.

        `recipient` is what `mailbox` made of the message's address.
        """
        head, parts = self._headers(message, recipient), _alternatives(message)
        if len(parts) == 1:
            return head + parts[0]
        boundary = _boundary(message)
        delimiter = b"\r\n--" + boundary
        first = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n'
        return b"".join((head, first, *(delimiter + b"\r\n" + part for part in parts), delimiter, b"--\r\n"))

    def _headers(self, message: Message, recipient: str) -> bytes:
        sender_name = header_text(message.sender_name or "") or self._sender_name
        lines = [
            f"From: {named(sender_name, self.sender)}",
            f"To: {named(header_text(message.name), recipient)}",
            f"Subject: {encoded(header_text(message.subject))}",
            f"Date: {format_datetime(message.composed_at)}",
            f"Message-ID: {self.message_id(message.company_id, message.notification_id)}",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ]
        reply_to = mailbox(message.reply_to) if message.reply_to else None
        if reply_to and (reply_to.isascii() or not recipient.isascii()):  # else the mail is not sent as SMTPUTF8
            lines.append(f"Reply-To: {reply_to}")
        if message.unsubscribe_url is not None:
            lines += _unsubscribe(message.unsubscribe_url)
        return "\r\n".join((*lines, "")).encode()


def _unsubscribe(url: str) -> list[str]:
    """RFC 2369; the one click of RFC 8058 is for https alone."""
    lines = [f"List-Unsubscribe:\r\n <{url}>"]
    if url.startswith("https://"):
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return lines


def _boundary(message: Message) -> bytes:
    seed = f"{message.company_id}/{message.notification_id}".encode()
    return b"=_" + hashlib.blake2b(seed, digest_size=12).hexdigest().encode()
