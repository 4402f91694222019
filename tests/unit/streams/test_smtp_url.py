"""The mail server's URL."""

import pytest

from streams.smtp_url import SmtpSecurity, SmtpServer, parse_smtp_url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 25, SmtpSecurity.OPPORTUNISTIC)),
        ("smtp+starttls://mail.example.org", SmtpServer("mail.example.org", 587, SmtpSecurity.STARTTLS)),
        ("smtps://mail.example.org", SmtpServer("mail.example.org", 465, SmtpSecurity.TLS)),
        ("smtp://127.0.0.1:1025/", SmtpServer("127.0.0.1", 1025, SmtpSecurity.OPPORTUNISTIC)),
        (
            "smtps://anna%40example.org:p%2Fw%3A@mail.example.org:4650",
            SmtpServer("mail.example.org", 4650, SmtpSecurity.TLS, "anna@example.org", "p/w:"),
        ),
    ],
)
def test_forms(url: str, server: SmtpServer) -> None:
    """The scheme says how TLS is used and which port is meant; user and password are percent-encoded."""
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.2", True), ("[::1]", True), ("mail.example.org", False), ("10.0.0.1", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    """Only on this machine nobody can listen in."""
    assert parse_smtp_url(f"smtp://{host}").is_loopback is expected
