"""The course of a notification, from one step to the next: told, tried again, sent on, given up.

Whatever is to happen later leaves as a record in the same transaction, and the ledger then lets exactly that one
in again. Only the repetition of an attempt that may have arrived stays here: it must be known as one.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.event_types import DEAD_LETTERS
from schemas.notifications import Attempt
from schemas.reasons import ChannelName, DeliveryReason, Suppression
from schemas.receipts import ProviderReceipt, ReceiptStatus
from streams.batch import Effects
from streams.clock import utc
from streams.policy.delivery import checks
from streams.policy.delivery.attempts import is_too_late, next_channel, retry_at
from streams.policy.delivery.intents import Delivery, Doubt, Kept
from streams.policy.delivery.known.addresses import Address, learn, reached
from streams.policy.delivery.ladder import way
from streams.policy.delivery.ledger import AT_ANY_TIME, Ledger
from streams.policy.delivery.outcomes import OutcomeType, attempt_due, dead_letter, outcome, tried
from streams.policy.delivery.results import Permanent, Result, Transient, Unconfirmed
from streams.policy.delivery.rules import Rules
from streams.policy.delivery.verdicts import Again, GivenUp, HeldBack, Refused, Sent, Unknown, Untried, judge
from streams.state import State


@dataclass(slots=True)
class Course:
    """One step over one partition's notifications, at `now`."""

    rules: Rules
    state: State
    ledger: Ledger
    now: float
    effects: Effects

    def may_start(self, delivery: Delivery) -> bool:
        """Ask everything that is asked before an attempt; where there is an objection, do what follows from it."""
        intent = delivery.intent
        objection = checks.before_attempt(self._asked(delivery), self.state, self.now)
        doubt = None if self._may_repeat(intent.channel) else intent.doubt
        match objection:
            case checks.Suppressed(reason) if intent.doubt is None or reason is Suppression.ERASED:
                self.suppress(delivery, reason)
            case _ if doubt is not None:
                self._give_up(delivery, GivenUp(DeliveryReason.UNCONFIRMED, doubt.error), None)
            case None:
                return True
            case checks.NotYet(until):
                self.put_off(delivery, until)
            case checks.Suppressed(reason) | checks.Unusable(reason) if intent.doubt is not None:
                self._give_up(delivery, GivenUp(DeliveryReason.UNCONFIRMED, f"not repeated: {reason}"), None)
            case checks.Unusable() if intent.channel not in self.rules.channels:
                self.fall_back(delivery, Refused(DeliveryReason.UNAVAILABLE, "the channel is not set up"), None)
            case checks.Unusable(reason):
                self.fall_back(delivery, Refused(reason), None)
        return False

    def erased(self, company_id: str, customer_id: str) -> None:
        """Nothing that speaks of this customer is kept for later."""
        self.ledger.erase(company_id, customer_id)
        for delivery in self.ledger.waiting_about(company_id, customer_id):
            if self.is_erased(delivery):
                self.ledger.take_back(delivery)
                self.suppress(delivery, Suppression.ERASED)

    def is_erased(self, delivery: Delivery) -> bool:
        return checks.speaks_of_the_erased(self._asked(delivery), self.state)

    def _asked(self, delivery: Delivery) -> checks.Asked:
        intent, due = delivery
        address = self.rules.address(intent.channel, due.recipient)
        hashed = self.rules.recipient_hash(intent.channel, due.recipient)
        return checks.Asked(due, intent.channel, address, hashed, intent.since_ms, self.rules.allowed)

    def _may_repeat(self, channel: ChannelName) -> bool:
        return channel in self.rules.channels and channel in self.rules.repeatable

    def put_off(self, delivery: Delivery, until: float) -> None:
        """The same attempt later: none was made, so none is counted, and nothing is told."""
        if delivery.intent.doubt is not None:
            self.ledger.wait(delivery, until)
        else:
            self._send_on(delivery, delivery.intent.channel, due_at=utc(until))

    def answered(self, delivery: Delivery, result: Result) -> None:
        """What a channel's word comes to. What it would not even look at is put off."""
        self.ledger.answered(delivery)
        match judge(result, is_repeat=delivery.intent.doubt is not None):
            case Sent(provider_message_id):
                self.sent(delivery, OutcomeType.SENT, ReceiptStatus.SENT, provider_message_id=provider_message_id)
            case Refused() as refused:
                learn(self.address(delivery), refused.reason, int(self.now * 1000), self.state)
                self.fall_back(delivery, refused, result)
            case Again() as again:
                self._try_again(delivery, again, result)
            case GivenUp() as end:
                self._give_up(delivery, end, result)
            case Unknown() as unknown:
                self._wait_for_the_grace(delivery, unknown)
            case HeldBack():
                self.put_off(delivery, self.now + self.rules.breaker_seconds)
            case Untried():
                self.ledger.wait(delivery, AT_ANY_TIME)

    def outdone(self, delivery: Delivery, result: Permanent | Transient | Unconfirmed) -> None:
        """An attempt that came to nothing while the one before it has arrived: another will not be made."""
        self.ledger.answered(delivery)
        learn(self.address(delivery), result.reason, int(self.now * 1000), self.state)
        self.tell(OutcomeType.RETRYING, delivery, reason=result.reason, error=result.error)

    def address(self, delivery: Delivery) -> Address:
        """Where its present attempt goes."""
        channel, recipient = delivery.intent.channel, delivery.due.recipient
        return Address(delivery.due.company_id, channel, self.rules.recipient_hash(channel, recipient))

    def sent(self, delivery: Delivery, kind: OutcomeType, told: ReceiptStatus, **details: Any) -> None:
        self.tell(kind, delivery, **details)
        self.ledger.finish(delivery, self.rules.written_to(delivery.due, delivery.intent.channel), sent=True)
        if delivery.due.redrive:
            reached(self.address(delivery), self.state)
        self.keep(delivery, told, details.get("provider_message_id"))

    def delivered(self, delivery: Delivery, said: ProviderReceipt) -> None:
        """A receipt says that this attempt has arrived, or was read."""
        reason = DeliveryReason.READ if said.status is ReceiptStatus.READ else None
        details = {"reason": reason, "provider_message_id": said.provider_message_id}
        self.sent(delivery, OutcomeType.DELIVERED, said.status, **details)

    def keep(self, delivery: Delivery, told: ReceiptStatus | None, message_id: str | None = None) -> None:
        """While a receipt may come that says more than is known; nobody's request who was erased meanwhile."""
        reach = self.rules.channels.get(delivery.intent.channel)
        if reach is None or not reach.gives_receipts:
            return
        if not self.is_erased(delivery):
            until = self.now + self.rules.receipt_seconds
            self.ledger.keep(Kept.of(delivery, told, until, message_id), delivery.key)

    def _try_again(self, delivery: Delivery, again: Again, result: Result) -> None:
        due_at = retry_at(delivery.due, again.retry_after_seconds, self.now)
        if due_at is None:
            self.fall_back(delivery, Refused(again.reason, again.error), result)
            return
        too_late = is_too_late(delivery.due, due_at)
        next_attempt_at = None if too_late else utc(due_at)
        details = {"reason": again.reason, "error": again.error, "next_attempt_at": next_attempt_at}
        self.tell(OutcomeType.RETRYING, delivery, **details)
        attempts = tried(delivery, result, utc(self.now))
        changes = {"attempt": delivery.due.attempt + 1, "attempts": attempts}
        if too_late:
            due = delivery.due.model_copy(update=changes)
            self.suppress(delivery._replace(due=due), Suppression.TOO_LATE)
        else:
            self._send_on(delivery, delivery.intent.channel, due_at=utc(due_at), **changes)

    def fall_back(self, delivery: Delivery, refused: Refused, result: Result | None) -> None:
        channel = next_channel(delivery.due, delivery.intent.channel, self.rules.channels)
        if channel is None:
            self._give_up(delivery, GivenUp(refused.reason, refused.error), result)
            return
        self.tell(OutcomeType.FELL_BACK, delivery, reason=refused.reason, error=refused.error)
        attempts: tuple[Attempt, ...] = tried(delivery, result, utc(self.now))
        self._send_on(delivery, channel, due_at=utc(self.now), attempt=1, attempts=attempts)

    def _wait_for_the_grace(self, delivery: Delivery, unknown: Unknown) -> None:
        due_at = self.now + self.rules.grace_seconds
        next_attempt_at = utc(due_at) if self._may_repeat(delivery.intent.channel) else None
        details = {"reason": unknown.reason, "error": unknown.error, "next_attempt_at": next_attempt_at}
        self.tell(OutcomeType.UNCONFIRMED, delivery, **details)
        doubt = Doubt(unknown.reason, unknown.error, self.now)
        doubtful = msgspec.structs.replace(delivery.intent, doubt=doubt)
        self.ledger.wait(delivery._replace(intent=doubtful), due_at)

    def suppress(self, delivery: Delivery, reason: Suppression) -> None:
        self.tell(OutcomeType.SUPPRESSED, delivery, reason=reason)
        self.ledger.finish(delivery, self.rules.written_to(delivery.due), sent=False)

    def _give_up(self, delivery: Delivery, end: GivenUp, result: Result | None) -> None:
        self.tell(OutcomeType.FAILED, delivery, reason=end.reason, error=end.error)
        self.effects.outputs.append(dead_letter(delivery, end, result, utc(self.now)))
        self.effects.counted["staffetta_dead_letters_total", DEAD_LETTERS, end.reason] += 1
        self.ledger.finish(delivery, self.rules.written_to(delivery.due, delivery.intent.channel), sent=False)
        if end.reason is DeliveryReason.UNCONFIRMED or isinstance(result, Transient):
            self.keep(delivery, None)  # it may have arrived, whatever the answer was

    def _send_on(self, delivery: Delivery, channel: ChannelName, **changes: Any) -> None:
        """Write the next attempt into the topic where it waits, or from which it starts."""
        due = delivery.due.model_copy(update={**changes, "attempt_channel": channel})
        leaving = Delivery(msgspec.structs.replace(delivery.intent, channel=channel), due)
        topic = way(self.rules.ladder_seconds, due.due_at.timestamp(), self.now, channel, due.priority)
        self.effects.outputs.append(attempt_due(leaving, topic, utc(self.now)))
        self.ledger.park(leaving, self.rules.written_to(leaving.due))

    def tell(self, kind: OutcomeType, delivery: Delivery, **details: Any) -> None:
        name, recipient = delivery.intent.channel, delivery.due.recipient
        reach = self.rules.channels.get(name)
        details["provider"] = None if reach is None else reach.account(reach.address(recipient)).provider
        details["recipient_hash"] = self.rules.recipient_hash(name, recipient)
        self.effects.outputs.append(outcome(kind, delivery, utc(self.now), **details))
        labels = name, kind, details.get("reason") or "none"
        self.effects.counted["staffetta_outcomes_total", *labels] += 1
