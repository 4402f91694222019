"""Receipts: what a provider tells after it took a message over. They come late, twice and out of order, and even
before its own answer.

A receipt counts where it says more than is known of the attempt that was made last. `delivered` is told; a failure
on the way is one like a refusal, so that the next channel is tried. What may have arrived, is known by it.
"""

from collections.abc import Iterable

from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.policy.delivery import earlier
from streams.policy.delivery.cleaning import without_person
from streams.policy.delivery.course import Course
from streams.policy.delivery.intents import Delivery, Kept
from streams.policy.delivery.known.addresses import learn, opt_out
from streams.policy.delivery.late import at_ms, learned, of_address, why
from streams.policy.delivery.outcomes import OutcomeType
from streams.policy.delivery.results import Accepted, Permanent, Result, Transient
from streams.policy.delivery.verdicts import Refused

FAILURES = frozenset({ReceiptStatus.FAILED, ReceiptStatus.BOUNCED})
_RANK = {
    None: 1,  # given up as unconfirmed: that it was sent is no news, only what became of it
    ReceiptStatus.SENT: 1,
    ReceiptStatus.DELIVERED: 2,
    ReceiptStatus.READ: 3,
    ReceiptStatus.FAILED: 4,
    ReceiptStatus.BOUNCED: 4,
}
"""What says more."""


def heard(said: ProviderReceipt, course: Course) -> bool:
    """Apply a receipt. Whether it changed anything."""
    key, ledger = (said.company_id, said.notification_id), course.ledger
    if ledger.is_in_flight(key):
        return _early(said, course)
    waiting = ledger.waiting(key)
    if waiting is not None and waiting.intent.doubt is not None and _is_about(said, waiting):
        return _cleared(waiting, said, course)
    if earlier.heard(said, course):
        learned(said, course)
        return True
    kept = ledger.kept(key)
    if kept is None or kept.until < course.now or _is_of_another(said, kept):
        return learned(said, course)
    delivery = kept.delivery
    if not _is_about(said, delivery):
        return learned(said, course)
    if said.status is ReceiptStatus.COMPLAINED:
        opt_out(course.address(delivery), at_ms(said), course.state)
        return True
    if _RANK[said.status] <= _RANK[kept.told]:
        return False
    if said.status not in FAILURES:
        course.delivered(delivery, said)
    elif kept.told is ReceiptStatus.SENT:
        course.ledger.let_go(key)
        _refused(delivery, said, course)
    else:
        _failed_after_all(delivery, said, kept, course)
    return True


def outdone(delivery: Delivery, result: Result, course: Course) -> Result:
    """The provider's answer; where it has told before that the message was delivered, a late excuse counts for
    nothing."""
    if not isinstance(result, Transient):
        return result
    for said in map(ProviderReceipt.model_validate_json, course.ledger.early(delivery.key)):
        if said.status in (ReceiptStatus.DELIVERED, ReceiptStatus.READ) and _is_about(said, delivery):
            return Accepted(said.provider_message_id or "")
    return result


def answered(delivery: Delivery, course: Course) -> None:
    """Apply what came before the provider's answer, now that this is known."""
    for early in course.ledger.take_early(delivery.key):
        heard(ProviderReceipt.model_validate_json(early), course)


def returned(delivery: Delivery, receipts: Iterable[bytes], course: Course) -> None:
    """An attempt comes back from the delay topics, but one before it has arrived: that is what these have told."""
    first, *rest = map(ProviderReceipt.model_validate_json, receipts)
    earlier.arrived(delivery, first, course)
    for said in rest:
        heard(said, course)


def _early(said: ProviderReceipt, course: Course) -> bool:
    """That it is sent, the answer will tell."""
    if said.status is ReceiptStatus.SENT:
        return False
    course.ledger.heard_early((said.company_id, said.notification_id), said.model_dump_json().encode())
    return True


def _cleared(delivery: Delivery, said: ProviderReceipt, course: Course) -> bool:
    """An attempt that may have arrived did, or did not."""
    course.ledger.take_back(delivery)
    if said.status is ReceiptStatus.COMPLAINED:
        opt_out(course.address(delivery), at_ms(said), course.state)
    said = earlier.as_delivery(said)
    if said.status in FAILURES:
        _refused(delivery, said, course)
    elif said.status is ReceiptStatus.SENT:
        course.sent(delivery, OutcomeType.SENT, said.status, provider_message_id=said.provider_message_id)
    else:
        course.delivered(delivery, said)
    return True


def _refused(delivery: Delivery, said: ProviderReceipt, course: Course) -> None:
    result = _result(delivery, said, course)
    course.fall_back(delivery, Refused(result.reason, result.error), result)


def _failed_after_all(delivery: Delivery, said: ProviderReceipt, kept: Kept, course: Course) -> None:
    """Told and no more: another channel would bring what was delivered, or given up, a second time."""
    result = _result(delivery, said, course)
    if kept.told is not None:
        course.tell(OutcomeType.FAILED, delivery, reason=result.reason, error=result.error)
    course.keep(delivery, said.status, kept.provider_message_id)


def _result(delivery: Delivery, said: ProviderReceipt, course: Course) -> Permanent:
    """As if the provider had answered so, without naming anybody. An address that does not exist is remembered."""
    learn(course.address(delivery), of_address(said, course), at_ms(said), course.state)
    recipient = delivery.due.recipient
    address = course.rules.address(delivery.intent.channel, recipient) or ""
    return Permanent(why(said, course), without_person(said.error or said.status, address, recipient.name))


def _is_about(said: ProviderReceipt, delivery: Delivery) -> bool:
    """Whether it is about the attempt that was made last; one without a number is about the message."""
    return said.channel is delivery.intent.channel and said.attempt in (0, delivery.due.attempt)


def _is_of_another(said: ProviderReceipt, kept: Kept) -> bool:
    """Whether the provider knows it as another message: one that an operator has sent again since."""
    known = kept.provider_message_id
    return None not in (known, said.provider_message_id) and said.provider_message_id != known
