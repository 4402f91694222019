"""A mail inbox that can be looked into: SMTP in, a page and IMAP out (mail-devel, in a process of its own)."""

import imaplib
import re
import secrets
import socket
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from streams.errors import UserError
from streams.supervisor.child import die_with_parent

USER = "test@example.org"
_MESSAGE_ID = re.compile(rb"Message-ID:\s*(<[^>]+>)", re.IGNORECASE)


class Inbox:
    """Everything that is sent to `smtp_port` ends here, whoever it was for."""

    def __init__(self) -> None:
        if find_spec("mail_devel") is None:
            raise UserError("the demo's inbox is missing: install Staffetta with its extra `demo`", 1)
        self._password = secrets.token_urlsafe(8)
        self.smtp_port, self._imap, self._http = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self._http}"

    def __enter__(self) -> Self:
        ports = ("--smtp-port", self.smtp_port, "--imap-port", self._imap, "--http-port", self._http)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mail_devel", "--host", "127.0.0.1", f"--password={self._password}"]
            + [str(word) for word in ports],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        for port in (self.smtp_port, self._imap, self._http):
            wait_for_port(port, self._process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def messages(self) -> Counter[str]:
        """Message-ID -> how often it arrived."""
        with imaplib.IMAP4("127.0.0.1", self._imap) as client:
            client.login(USER, self._password)
            client.select("INBOX", readonly=True)
            _, found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
        headers = [part[1] for part in found if isinstance(part, tuple)]
        return Counter(match[1].decode() for header in headers if (match := _MESSAGE_ID.search(header)))


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise UserError(f"the inbox ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise UserError(f"the inbox does not answer on port {port}")
