"""The two directions of an SMTP session: bytes to the server, replies from it in their order.

aiosmtplib, which opens the session, gives one reply for each command before it takes the next one, and drops what
else has come. Commands that are sent together (RFC 2920) are answered together.
"""

import asyncio
import re
from collections import deque
from typing import cast

from aiosmtplib import SMTPException, SMTPServerDisconnected

from sinks.channels.smtp.replies import Reply

MOST_REPLY_BYTES = 64 * 1024
MOST_REPLIES = 16
"""Unread ones. No more than four commands are sent together."""
_REPLY_LINE = re.compile(rb"\d{3}(?:[ -]|\s*$)")


class Wire(asyncio.Protocol):
    """Takes over the transport of a session that is ready for mails. Used by one mail at a time."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._received = b""
        self._lines: list[bytes] = []
        self._replies: deque[Reply] = deque()
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._over: Exception | None = None
        self._transport.set_protocol(self)

    @property
    def is_open(self) -> bool:
        return self._over is None and not self._transport.is_closing()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has come that nobody has read."""
        return not (self._received or self._lines or self._replies)

    def write(self, data: bytes) -> None:
        if not self.is_open:
            raise self._over or SMTPServerDisconnected("Connection lost")
        self._transport.write(data)

    async def drain(self) -> None:
        """Until the kernel has all that was written."""
        self._transport.set_write_buffer_limits(high=0)
        await self._writable.wait()
        if self._over is not None:
            raise self._over

    async def reply(self) -> Reply:
        """The next one. Raises SMTPException if there is none, or it is not of SMTP."""
        while not self._replies:
            if self._over is not None:
                raise self._over
            self._news.clear()
            await self._news.wait()
        return self._replies.popleft()

    def close(self) -> None:
        self._transport.close()

    # -- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            self._hear(line)
        unread = len(self._received) + sum(map(len, self._lines))
        if unread > MOST_REPLY_BYTES or len(self._replies) > MOST_REPLIES:
            self._end(SMTPException("replies without end"))
        self._news.set()

    def eof_received(self) -> None:
        self._end(SMTPServerDisconnected("Unexpected EOF received"))

    def connection_lost(self, error: Exception | None) -> None:
        lost = SMTPServerDisconnected("Connection lost")
        lost.__cause__ = error
        self._end(lost)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _hear(self, line: bytes) -> None:
        if self._over is not None:
            return
        if not _REPLY_LINE.match(line):
            said = line[:80].decode("utf-8", "replace")
            self._end(SMTPException(f"this is no reply of SMTP: {said}"))
            return
        self._lines.append(line[4:].strip(b" \t\r"))
        if line[3:4] != b"-":
            text = b"\n".join(self._lines).decode("utf-8", "replace")
            self._replies.append(Reply(int(line[:3]), text))
            self._lines.clear()

    def _end(self, why: Exception) -> None:
        self._over = self._over or why
        self._news.set()
        self._writable.set()
        self._transport.close()
