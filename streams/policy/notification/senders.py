"""Who a mail is from: the branch, else the company, by the address of this installation."""

from typing import NamedTuple

from schemas.addresses import usable_email
from streams.policy.notification import rows
from streams.policy.notification.lines import one_line


class Sender(NamedTuple):
    """`address` is where all mail of this installation comes from; empty: not known."""

    name: str | None
    reply_to: str | None
    address: str


def sender(branch: rows.Branch, company: rows.Company | None, address: str) -> Sender:
    """Name and reply address are looked for one by one; a reply address that is none is passed over."""
    givers = (branch,) if company is None else (branch, company)
    names = (one_line(each.sender_name) for each in givers)
    addresses = (usable_email(each.reply_to.strip()) for each in givers)
    return Sender(next(filter(None, names), None), next(filter(None, addresses), None), address)
