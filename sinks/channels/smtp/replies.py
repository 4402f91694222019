"""What an SMTP reply means for the message: one table, read from the top.

RFC 5321 4.2 (reply codes), RFC 3463 (enhanced codes), RFC 4954 (authentication).
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from schemas.reasons import DeliveryReason
from streams.policy.delivery.results import AccountWide, Permanent, Transient


class Stage(StrEnum):
    """How far a mail had come when something happened: what an error begins with, as in `at RCPT: 550 …`."""

    CONNECTING = "at connect"
    LOGGING_IN = "at log-in"
    SENDER = "at MAIL"
    RECIPIENT = "at RCPT"
    CONTENT = "at DATA"
    HANDED_OVER = "after the final dot"
    """The final dot is written: from here on, silence means that nobody knows."""


class Reply(NamedTuple):
    code: int
    text: str

    @property
    def enhanced(self) -> str:
        """`5.1.1`, or nothing."""
        found = _ENHANCED.match(self.text)
        return found[0] if found else ""

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def is_negative(self) -> bool:
        return 400 <= self.code < 600


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """The server has answered, and the answer is not yes."""

    def __init__(self, reply: Reply, stage: Stage) -> None:
        super().__init__(f"{reply.code} {reply.text}")
        self.reply = reply
        self.stage = stage


class Rule(NamedTuple):
    applies: Callable[[Reply, Stage], bool]
    result: type[Transient] | type[Permanent]
    reason: DeliveryReason


_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_STORAGE = re.compile(r"mailbox|quota|storage", re.IGNORECASE)
_ACCOUNT = {530, 534, 535, 538}
_NO_SUCH_ADDRESS = {550, 551, 553}
_OUT_OF_SPACE = {452, 552}
_BAD_SENDER = {"5.1.7", "5.1.8"}


def _about_account(reply: Reply, stage: Stage) -> bool:
    """It would pass once the account is mended: nothing is wrong with the message."""
    return reply.code in _ACCOUNT or (stage is Stage.LOGGING_IN and reply.code >= 500)


def _about_session(reply: Reply, stage: Stage) -> bool:
    """Said before the server knew anything of the message."""
    return stage in (Stage.CONNECTING, Stage.LOGGING_IN)


def _out_of_space(reply: Reply, stage: Stage) -> bool:
    """552 also says "too large", for good; the words tell."""
    speaks_of_it = reply.enhanced.endswith(".2.2") or _STORAGE.search(reply.text) is not None
    return reply.code in _OUT_OF_SPACE and speaks_of_it


def _dead_address(reply: Reply, stage: Stage) -> bool:
    is_address = reply.enhanced.startswith("5.1.") and reply.enhanced not in _BAD_SENDER
    return reply.code in _NO_SUCH_ADDRESS and is_address and stage is not Stage.SENDER


def _for_good(reply: Reply, stage: Stage) -> bool:
    return reply.code >= 500


def _any(reply: Reply, stage: Stage) -> bool:
    return True


REPLIES: tuple[Rule, ...] = (
    Rule(_about_account, AccountWide, DeliveryReason.AUTH_FAILED),
    Rule(_about_session, Transient, DeliveryReason.UNAVAILABLE),
    Rule(_out_of_space, Transient, DeliveryReason.MAILBOX_FULL),
    Rule(_dead_address, Permanent, DeliveryReason.DEAD_ADDRESS),
    Rule(_for_good, Permanent, DeliveryReason.REJECTED),
    Rule(_any, Transient, DeliveryReason.UNAVAILABLE),
)


def judge(reply: Reply, stage: Stage, error: str) -> Transient | Permanent:
    """The result of a refusal; `error` is its text, fit to be recorded."""
    rule = next(rule for rule in REPLIES if rule.applies(reply, stage))
    return rule.result(rule.reason, error)
