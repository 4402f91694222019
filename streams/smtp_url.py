"""The mail server as one URL, as `STAFFETTA_SMTP_URL` has it."""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit


class SmtpSecurity(StrEnum):
    OPPORTUNISTIC = "opportunistic"
    """STARTTLS if the server offers it."""
    STARTTLS = "starttls"
    """STARTTLS, or nothing is sent."""
    TLS = "tls"
    """TLS from the first byte."""


_SCHEMES = {
    "smtp": (SmtpSecurity.OPPORTUNISTIC, 25),
    "smtp+starttls": (SmtpSecurity.STARTTLS, 587),
    "smtps": (SmtpSecurity.TLS, 465),
}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    security: SmtpSecurity
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_loopback(self) -> bool:
        """There nobody listens in: a log-in without TLS is acceptable."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_smtp_url(url: str) -> SmtpServer:
    """Parse `smtp://`, `smtp+starttls://` or `smtps://`; user and password are percent-encoded.

    Raises ValueError with what is wrong, without quoting the URL: it may hold a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise ValueError("must begin with smtp://, smtp+starttls:// or smtps://")
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("has something after the port; percent-encode special characters in the password")
    security, default_port = _SCHEMES[parts.scheme]
    try:
        port = parts.port or default_port
    except ValueError:
        raise ValueError("the port must be a number from 1 to 65535") from None
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return SmtpServer(parts.hostname, port, security, username, password)
