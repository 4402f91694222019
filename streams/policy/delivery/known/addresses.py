"""What was learned about an address from those who were to reach it: nobody is there, or nobody wants anything."""

from typing import NamedTuple

from schemas.reasons import ChannelName, DeliveryReason
from streams.policy.delivery.known import rows
from streams.policy.notification.rows import Versioned
from streams.state import State


class Address(NamedTuple):
    """One recipient on one channel, as one company knows them. `hashed` stands for the address."""

    company_id: str
    channel: ChannelName
    hashed: str


def learn(address: Address, reason: object, at_ms: int, state: State) -> None:
    """Remember what makes further attempts pointless. `at_ms`: when it was said, in milliseconds."""
    if reason is DeliveryReason.DEAD_ADDRESS:
        row = Versioned(at_ms // 1000 + rows.DEAD_FOR, at_ms)
        state.put(rows.DEAD, address.company_id, _key(address), rows.encode(row))
    elif reason is DeliveryReason.OPTED_OUT:  # from the account, which every company shares
        opt_out(address._replace(company_id=rows.EVERY_COMPANY), at_ms, state)


def opt_out(address: Address, at_ms: int, state: State) -> None:
    """From all that is sent on the channel in this company's name. What was said last counts."""
    key = rows.opt_out_key(address.channel, address.hashed, None)
    known = rows.read(rows.OptOut, state, rows.OPT_OUTS, address.company_id, key)
    if known is None or at_ms > known.version:
        state.put(rows.OPT_OUTS, address.company_id, key, rows.encode(rows.OptOut(0, at_ms)))


def reached(address: Address, state: State) -> None:
    """Somebody is there after all: an operator has tried again."""
    if is_dead(address, state):
        state.delete(rows.DEAD, address.company_id, _key(address))


def is_dead(address: Address, state: State) -> bool:
    return state.get(rows.DEAD, address.company_id, _key(address)) is not None


def _key(address: Address) -> str:
    return f"{address.channel}:{address.hashed}"
