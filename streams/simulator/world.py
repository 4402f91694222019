"""What the simulated providers know: what they accepted, the rules in force, and the receipts on their way."""

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from streams.simulator.faults import At, Fault, Receipt, Rules

_URL = re.compile(r"https?://[A-Za-z0-9\[][!\"$-;=@-~]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is right: who is to get what. `template` is the provider's, by name, if one is used;
    `content` the request's fields as they came; `callback` where its receipts go, and `correlation` what they give
    back, where the protocol has such things. What brings no message (`at`) has neither recipient nor content."""

    protocol: str
    recipient: str
    sender: str
    content: Mapping[str, Any]
    template: str = ""
    callback: str | None = None
    correlation: str | None = None
    at: At = At.MESSAGE


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was accepted, under the provider's id; whether the client was told so is another matter."""

    id: str
    number: int
    call: Call
    at: float


class Inbound(NamedTuple):
    """What somebody writes to one of our numbers."""

    sender: str
    recipient: str
    text: str


class Posting(NamedTuple):
    """A request of the provider's to a webhook of ours; `repeats`: it comes again until the answer is 200."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    repeats: bool = False


REPEATED_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before each repetition of what was not answered by 200; after the last one it is given up."""


class Posted(NamedTuple):
    """What our webhook answered; 0: nothing."""

    posting: Posting
    status: int


def webhooks_url(text: str) -> str:
    """What the paths of webhooks can be put after. Raises ValueError."""
    try:
        is_one = _URL.fullmatch(text) is not None and urlsplit(text).port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("must be http:// or https:// and a host, without blanks, '?', '#', '<' and '>'")
    return text


WriteReceipt = Callable[["World", Accepted, Receipt], Posting | None]
"""A protocol's receipt; None where it has no place to go."""


@dataclass
class World:
    """All in memory. `public_url` is what our webhooks' paths are put after, if there are any; `clock` gives
    seconds since the epoch, `sleep` waits."""

    rules: Rules = field(default_factory=Rules)
    public_url: str | None = None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    accepted: list[Accepted] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Messages by (protocol, what became of them: the kind of the fault, or `wrong`)."""
    posted: list[Posted] = field(default_factory=list)
    opted_out: set[tuple[str, str, str]] = field(default_factory=set)
    """(protocol, our number, recipient)"""
    templates: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many parameters the approved templates take, by name and language; empty: every template is approved."""
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _client: aiohttp.ClientSession | None = None

    def fault(self, call: Call) -> Fault:
        """What comes of this call, by the rules."""
        return self.rules.fault(call.protocol, call.recipient, call.sender, call.template, self.clock(), call.at)

    def accept(self, call: Call, message_id: Callable[[int], str]) -> Accepted:
        number = next(self._numbers)
        message = Accepted(message_id(number), number, call, self.clock())
        self.accepted.append(message)
        return message

    def webhook(self, path: str) -> str | None:
        """The URL of one of our webhooks; None: there are none."""
        return self.public_url.rstrip("/") + path if self.public_url else None

    def find(self, message_id: str) -> Accepted | None:
        return next((each for each in self.accepted if each.id == message_id), None)

    def send_receipts(self, message: Accepted, receipts: tuple[Receipt, ...], write: WriteReceipt) -> None:
        """Each in its own time; those of the same delay in the order given."""
        for delay in sorted({receipt.after_seconds for receipt in receipts}):
            due = [receipt for receipt in receipts if receipt.after_seconds == delay]
            postings = [
                posting
                for receipt in due
                for _ in range(receipt.times)
                if (posting := write(self, message, receipt)) is not None
            ]
            self.post(postings, delay)

    def post(self, postings: list[Posting], after_seconds: float = 0.0) -> None:
        """Send these to our webhooks, one after the other; `settled` waits for them."""
        if postings:
            task = asyncio.create_task(self._post(postings, after_seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Until every receipt that is on its way has been answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _post(self, postings: list[Posting], after_seconds: float) -> None:
        if after_seconds:
            await self.sleep(after_seconds)
        for posting in postings:
            for pause in (*REPEATED_AFTER, None):
                status = await self._status(posting)
                self.posted.append(Posted(posting, status))
                if status == 200 or not posting.repeats or pause is None:
                    break
                await self.sleep(pause)

    async def _status(self, posting: Posting) -> int:
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        try:
            async with self._client.post(posting.url, data=posting.body, headers=posting.headers) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0
