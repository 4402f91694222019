"""What a receipt says of an address. It counts though the message is not waited for any more: where that went is
known for `MEMORY_MS`, by the hashes of the addresses.
"""

from schemas.reasons import DeliveryReason
from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.policy.delivery.course import Course
from streams.policy.delivery.known.addresses import Address, learn, opt_out

_LASTING = frozenset({DeliveryReason.DEAD_ADDRESS, DeliveryReason.OPTED_OUT})


def learned(said: ProviderReceipt, course: Course) -> bool:
    """Remember what makes further messages to that address pointless, or unwanted. Whether it says so, of an
    address that is known."""
    reason = None if said.status is ReceiptStatus.COMPLAINED else of_address(said, course)
    if reason is not None and reason not in _LASTING:
        return False
    address = _address(said, course)
    if address is None:
        return False
    if reason is None:
        opt_out(address, at_ms(said), course.state)
    else:
        learn(address, reason, at_ms(said), course.state)
    return True


def of_address(said: ProviderReceipt, course: Course) -> DeliveryReason:
    """What a failure says of the address: a hard bounce that there is none."""
    return DeliveryReason.DEAD_ADDRESS if said.status is ReceiptStatus.BOUNCED else why(said, course)


def why(said: ProviderReceipt, course: Course) -> DeliveryReason:
    """A failure's reason, as the channel understands its error."""
    reach = course.rules.channels.get(said.channel)
    return DeliveryReason.REJECTED if reach is None else reach.receipt_reason(said.error)


def at_ms(said: ProviderReceipt) -> int:
    return int(said.at.timestamp() * 1000)


def _address(said: ProviderReceipt, course: Course) -> Address | None:
    """Where the message went by that channel; None if it did not, or nobody knows any more."""
    key = said.company_id, said.notification_id
    waiting = course.ledger.waiting(key)
    now = {} if waiting is None else course.rules.written_to(waiting.due)
    hashed = {**course.ledger.written_to(key, at_ms(said)), **now}.get(said.channel)
    return None if hashed is None else Address(said.company_id, said.channel, hashed.hex())
