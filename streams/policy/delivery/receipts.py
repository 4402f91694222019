"""Receipts: what a provider tells after it took a message over. They come late, twice and out of order, and even
before its own answer.

A receipt counts where it says more than is known of the attempt that was made last. `delivered` is told; a failure
on the way is one like a refusal, so that the next channel is tried. What may have arrived, is known by it.
"""

from collections.abc import Iterable, Sequence
from typing import TypeGuard

from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.policy.delivery import earlier
from streams.policy.delivery.cleaning import without_person
from streams.policy.delivery.course import Course
from streams.policy.delivery.intents import Delivery, Kept
from streams.policy.delivery.known.addresses import learn, opt_out
from streams.policy.delivery.late import at_ms, learned, of_address, why
from streams.policy.delivery.outcomes import OutcomeType
from streams.policy.delivery.results import (
    Accepted,
    AccountWide,
    NotStarted,
    Permanent,
    Result,
    Transient,
    Unconfirmed,
)
from streams.policy.delivery.verdicts import Refused

FAILURES = frozenset({ReceiptStatus.FAILED, ReceiptStatus.BOUNCED})
_RANK = {
    None: 1,  # given up: that it was sent is no news, only what became of it
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
    waiting, kept = ledger.waiting(key), ledger.kept(key)
    if waiting is not None and waiting.intent.doubt is not None and _is_about(said, waiting):
        return not _is_known_to_have_failed(said, kept) and _cleared(waiting, said, course)
    is_news = earlier.heard(said, course)
    if is_news is not None:
        return learned(said, course) or is_news
    if kept is None or kept.until < course.now or not _is_about_what_is_kept(said, kept):
        return learned(said, course)
    delivery = kept.delivery
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
        if ledger.parked(key) is None:  # given up, until an operator sends it again: that will be another message
            course.keep(delivery, said.status, kept.provider_message_id)
    else:
        _failed_after_all(delivery, said, kept, course)
    return True


def answered(delivery: Delivery, result: Result, course: Course) -> None:
    """Apply the provider's answer, or that there is none, and the receipts that came before it."""
    early = [*map(ProviderReceipt.model_validate_json, course.ledger.take_early(delivery.key))]
    result = _weighed(delivery, result, early, course)
    before = next((said for said in early if earlier.is_of_one_before(said, delivery)), None)
    if before is None or not _came_to_nothing(result, delivery):
        course.answered(delivery, result)
    else:
        course.outdone(delivery, result)
        earlier.arrived(delivery, earlier.as_delivery(before), course)
    for said in early:
        heard(said, course)


def _weighed(delivery: Delivery, result: Result, early: Sequence[ProviderReceipt], course: Course) -> Result:
    """Where the provider has told before that it has the message, a late excuse counts for nothing. And where it
    has told that what may have arrived did not, its repetition leaves no doubt either."""
    if not early or isinstance(result, Accepted | NotStarted):
        return result
    kept = course.ledger.kept(delivery.key)
    told = [each for each in early if _is_about(each, delivery) and not _is_known_to_have_failed(each, kept)]
    for said in told:
        if said.status not in FAILURES:
            return Accepted(said.provider_message_id or "")
    if told and delivery.intent.doubt is not None and not isinstance(result, Permanent):
        return _result(delivery, told[0], course)
    return result


def _came_to_nothing(result: Result, delivery: Delivery) -> TypeGuard[Permanent | Transient | Unconfirmed]:
    """For good or for now; not what waits for its receipt, or was no attempt."""
    match result:
        case AccountWide() | Accepted() | NotStarted():
            return False
        case Unconfirmed():
            return delivery.intent.doubt is not None
    return True


def returned(delivery: Delivery, receipts: Iterable[bytes], course: Course) -> None:
    """An attempt comes back from the delay topics, but one before it has arrived: that is what these have told."""
    first, *rest = map(ProviderReceipt.model_validate_json, receipts)
    earlier.arrived(delivery, first, course)
    for said in rest:
        heard(said, course)


def _early(said: ProviderReceipt, course: Course) -> bool:
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


def _is_about_what_is_kept(said: ProviderReceipt, kept: Kept) -> bool:
    """That it has arrived is news of any attempt, and of any message that was sent for it. That it has not is news
    only of the last one: what the provider knows by another name, an operator has sent again since."""
    delivery = kept.delivery
    if said.status in earlier.ARRIVED:
        return said.channel is delivery.intent.channel and said.attempt <= delivery.due.attempt
    known = kept.provider_message_id
    is_other = None not in (known, said.provider_message_id) and said.provider_message_id != known
    return _is_about(said, delivery) and not is_other


def _is_known_to_have_failed(said: ProviderReceipt, kept: Kept | None) -> bool:
    """Whether it is about the message from before a redrive, which is not in doubt."""
    if kept is None or kept.told not in FAILURES or said.provider_message_id is None:
        return False
    return said.provider_message_id == kept.provider_message_id
