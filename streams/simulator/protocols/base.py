"""What a protocol is made of."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from aiohttp import web

from streams.simulator.faults import At
from streams.simulator.world import Call, Inbound, Posting, World, WriteReceipt


@dataclass(frozen=True, slots=True)
class Protocol:
    """`settings` are the variables by which a worker finds it at a base URL, `words` what a recipient reads,
    `codes` what can be asked of it, and whether a code is one by which it refuses that.
    `receipt` and `inbound` write what it sends to our webhooks; None: it sends no such thing. `inbound` raises
    ValueError with what is wrong with the numbers. `statuses` are those of its receipts."""

    routes: Callable[[World], list[web.RouteDef]]
    settings: Callable[[str], Mapping[str, str]]
    words: Callable[[Call], str]
    codes: Mapping[At, Callable[[int | str], bool]]
    receipt: WriteReceipt | None = None
    inbound: Callable[[World, Inbound], Posting | None] | None = None
    statuses: Collection[str] = ()


def is_number(code: int | str) -> bool:
    """Of protocols that have a number for each error."""
    return is_whole(str(code), 9_999_999)


def is_whole(text: str, most: int) -> bool:
    """Whether it is a number from 0 to `most`, in ASCII digits."""
    return re.fullmatch("[0-9]{1,10}", text) is not None and int(text) <= most
