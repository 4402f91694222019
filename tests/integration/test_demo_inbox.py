"""The inbox that the demo shows its mails in."""

import secrets
import smtplib
from email.message import EmailMessage

import pytest

from streams.demo.inbox import Inbox


def test_starts_whatever_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of 64 random passwords begins like an option; mails are found again all the same."""
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: "-begins-with-a-dash")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "a@example.org", "b@example.org", "<one@example.org>"
    mail.set_content("Guten Tag")
    with Inbox() as inbox:
        with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client:
            client.send_message(mail)
        assert inbox.messages() == {"<one@example.org>": 1}
