"""A mail server in a thread: what it took over, and how often."""

import asyncio
import re
import threading
from collections import Counter
from typing import Self
from urllib.parse import quote

from tests.support.smtp import Fault, Mail, MailServer

_MESSAGE_ID = re.compile(rb"^Message-ID: *(<[^>]+>)", re.MULTILINE | re.IGNORECASE)


class MailBox:
    """`with MailBox() as box`: real SMTP on `box.url`, from worker processes into this one."""

    def __init__(self, password: str | None = None) -> None:
        """With a `password`, nobody may write who does not log in."""
        self._server = MailServer(password=password)
        self._loop = asyncio.new_event_loop()
        self._listens = threading.Event()
        self._told = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="mailbox", daemon=True)

    @property
    def url(self) -> str:
        password = self._server.password
        if password is None:
            return self._server.url
        return self._server.url.replace("://", f"://post:{quote(password, safe='')}@")

    @property
    def mails(self) -> list[Mail]:
        return list(self._server.mails)

    @property
    def accepted(self) -> Counter[str]:
        """Message-ID -> how often it was taken over, whether or not the sender was told so."""
        found = (_MESSAGE_ID.search(mail.content) for mail in self.mails)
        return Counter(match[1].decode() for match in found if match is not None)

    def to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.recipient == recipient]

    def plan(self, stage: str, *faults: Fault) -> None:
        """What the server does instead of answering, next time it comes to this stage: see `MailServer`."""
        self._loop.call_soon_threadsafe(lambda: self._server.plan(stage, *faults))

    def away(self) -> None:
        """Nobody listens any more, and whoever was in the middle of a mail is cut off."""
        asyncio.run_coroutine_threadsafe(self._server.__aexit__(), self._loop).result(10)

    def back(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._told.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        async with self._server:
            self._listens.set()
            await self._told.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
