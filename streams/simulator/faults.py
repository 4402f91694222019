"""What can go wrong, and for whom: faults, and the rules by which they come."""

import random
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.base import Model, Several

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Kind(StrEnum):
    """What the provider does with a request that is right."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    """It answers with an error of the protocol: `code`, or the usual one for being busy."""
    ERROR = "error"
    """It answers 500 (or `status`), with nothing of the protocol in it."""
    CUT = "cut"
    """It ends the connection without an answer."""
    SLOW = "slow"
    """The right answer comes `seconds` late."""
    MALFORMED = "malformed"
    """It answers with half of a JSON object."""
    HUGE = "huge"
    """It answers with 16 MiB."""
    WRONG_TYPE = "wrong_type"
    """It answers with a page of HTML."""
    REDIRECT = "redirect"
    """It points to another URL of the same host."""


class At(StrEnum):
    """What is asked of the provider."""

    MESSAGE = "message"
    """To send something to somebody."""
    ACCOUNT = "account"
    """How our account, or our number, stands."""
    TOKEN = "token"
    """An access token, where it is given by an endpoint."""


class Order(Model):
    """What the simulator is told. A field that it does not know is refused: a rule with a misspelt one would
    strike everybody."""

    model_config = ConfigDict(extra="forbid")


class Receipt(Order):
    """One receipt: `after_seconds` late, `times` over, with the protocol's own `status` and error `code`;
    `forged`: with a signature that is wrong."""

    status: str
    code: int | None = None
    after_seconds: Seconds = 0.0
    times: Count = 1
    forged: bool = False


class Fault(Order):
    """`accepts`: whether the message counts as accepted all the same (None: only what is SLOW does). `receipts`
    are sent, in this order, for what was accepted; None: those that the protocol usually sends."""

    kind: Kind = Kind.ACCEPT
    accepts: bool | None = None
    code: int | str | None = None
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    seconds: Seconds = 0.0
    retry_after: Annotated[str, Field(pattern="^[ -~]*$")] | None = None
    """The header of that name."""
    receipts: Several[Receipt] | None = None

    @model_validator(mode="after")
    def _check_seconds(self) -> Self:
        if self.kind is Kind.SLOW and not self.seconds:
            raise ValueError("what is slow takes some seconds")
        return self

    @property
    def is_accepted(self) -> bool:
        return self.kind is Kind.ACCEPT or (self.kind is Kind.SLOW if self.accepts is None else self.accepts)


class Per(StrEnum):
    """What a limit is for: each recipient, or each of our own numbers."""

    RECIPIENT = "recipient"
    SENDER = "sender"


class Limit(Order):
    """Exceeded by whoever calls more than `calls` times within `seconds`."""

    calls: Count
    seconds: Seconds
    per: Per = Per.RECIPIENT


class Rule(Order):
    """For which calls a fault comes: those that bring a message, unless `at` says otherwise. What else is not
    given matches every call; `recipient` and `template` are shell patterns. Of the calls that match: only the
    `nth` (from 1), every `every`-th, a random share `rate`, those `over` a limit; at most `times` in all."""

    fault: Fault
    at: At = At.MESSAGE
    protocol: str | None = None
    recipient: str | None = None
    template: str | None = None
    nth: Count | None = None
    every: Count | None = None
    rate: Annotated[float, Field(ge=0, le=1)] | None = None
    over: Limit | None = None
    times: Count | None = None


@dataclass(slots=True)
class _Watch:
    """A rule, the protocols that it may come for (None: any), and what it has seen."""

    rule: Rule
    protocols: Collection[str] | None
    seen: int = 0
    struck: int = 0
    recent: dict[str, deque[float]] = field(default_factory=dict)


class Rules:
    """The rules in force, by id. The first that strikes decides; the same seed and calls give the same faults."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._watches: dict[str, _Watch] = {}
        self._added = 0

    def add(self, rule: Rule, protocols: Collection[str] | None = None) -> str:
        """`protocols`: for whom alone it makes sense."""
        self._added += 1
        rule_id = f"r{self._added}"
        self._watches[rule_id] = _Watch(rule, protocols)
        return rule_id

    def remove(self, rule_id: str) -> bool:
        return self._watches.pop(rule_id, None) is not None

    def clear(self) -> None:
        self._watches.clear()

    def __iter__(self) -> Iterator[tuple[str, Rule, int]]:
        """(id, rule, how often it struck)"""
        return iter([(name, watch.rule, watch.struck) for name, watch in self._watches.items()])

    def fault(
        self, protocol: str, recipient: str, sender: str, template: str, now: float, at: At = At.MESSAGE
    ) -> Fault:
        """What comes of one call. Every rule that it matches counts it, whichever decides."""
        found: Fault | None = None
        for watch in self._watches.values():
            rule = watch.rule
            if rule.at is not at or rule.protocol not in (None, protocol) or not _fits(recipient, rule.recipient):
                continue
            if not _fits(template, rule.template) or (watch.protocols and protocol not in watch.protocols):
                continue
            watch.seen += 1
            if self._strikes(watch, {Per.RECIPIENT: recipient, Per.SENDER: sender}, now) and found is None:
                watch.struck += 1
                found = rule.fault
        return found or Fault()

    def _strikes(self, watch: _Watch, caller: dict[Per, str], now: float) -> bool:
        rule = watch.rule
        if rule.over is not None and not _is_over(watch, rule.over, caller[rule.over.per], now):
            return False
        if rule.times is not None and watch.struck >= rule.times:
            return False
        if rule.nth not in (None, watch.seen) or (rule.every is not None and watch.seen % rule.every):
            return False
        return rule.rate is None or self._random.random() < rule.rate


def _fits(value: str, pattern: str | None) -> bool:
    return pattern is None or fnmatchcase(value, pattern)


def _is_over(watch: _Watch, limit: Limit, caller: str, now: float) -> bool:
    """What is refused does not count against the limit."""
    recent = watch.recent.setdefault(caller, deque())
    while recent and recent[0] <= now - limit.seconds:
        recent.popleft()
    if len(recent) >= limit.calls:
        return True
    recent.append(now)
    return False
