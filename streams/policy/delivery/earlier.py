"""Receipts about an attempt before the one that waits: what had failed for now has arrived after all.

Then the next attempt is not made. One that waits in line is taken back. One that is in the delay topics cannot be:
the receipt is noted, and told in its place when its record comes back.
"""

from schemas.reasons import ChannelName
from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.policy.delivery.course import Course
from streams.policy.delivery.intents import Delivery

ARRIVED = frozenset({ReceiptStatus.DELIVERED, ReceiptStatus.READ, ReceiptStatus.COMPLAINED})


def heard(said: ProviderReceipt, course: Course) -> bool | None:
    """Whether it makes the attempt needless that waits; False: that was known, None: it does not."""
    if said.status not in ARRIVED:
        return None
    said = as_delivery(said)
    key = said.company_id, said.notification_id
    waiting = course.ledger.waiting(key)
    if waiting is not None and _is_before(said, waiting.intent.channel, waiting.due.attempt):
        course.ledger.take_back(waiting)
        arrived(waiting, said, course)
        return True
    parked = course.ledger.parked(key)
    if parked is None or not _is_before(said, parked.channel, parked.attempt):
        return None
    if said.status in (ProviderReceipt.model_validate_json(each).status for each in parked.arrived):
        return False
    course.ledger.arrived_before(key, parked, said.model_dump_json().encode())
    return True


def is_of_one_before(said: ProviderReceipt, delivery: Delivery) -> bool:
    """Whether it says that an attempt before this one has arrived."""
    return (
        said.status in ARRIVED
        and said.channel is delivery.intent.channel
        and 0 < said.attempt < delivery.due.attempt
    )


def as_delivery(said: ProviderReceipt) -> ProviderReceipt:
    """Who complains of a message has it."""
    is_complaint = said.status is ReceiptStatus.COMPLAINED
    return said.model_copy(update={"status": ReceiptStatus.DELIVERED}) if is_complaint else said


def arrived(delivery: Delivery, said: ProviderReceipt, course: Course) -> None:
    """Tell it of the attempt that the receipt is about, instead of making this one."""
    made = said.attempt or delivery.due.attempt - 1
    course.delivered(delivery._replace(due=delivery.due.model_copy(update={"attempt": made})), said)


def _is_before(said: ProviderReceipt, channel: ChannelName, attempt: int) -> bool:
    """One without a number is about the message."""
    return said.channel is channel and said.attempt < attempt and attempt > 1
