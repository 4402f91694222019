"""Whom a channel hands its messages to."""

from typing import NamedTuple


class Account(NamedTuple):
    """`provider` is named in outcomes. What fails for everybody, fails for an account: ours at the provider, or at
    the `server` that the recipient has chosen."""

    provider: str
    server: str = ""
