"""Between `deliver` and its channels: a notification becomes a message and is handed over, and what comes back is
heard as a word about the channel too."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from schemas.reasons import ChannelName
from sinks.channels.base import Channel, Message
from streams import metrics
from streams.clock import Clock, utc
from streams.policy.delivery import unsubscribing
from streams.policy.delivery.accounts import Account
from streams.policy.delivery.capacity import Capacity
from streams.policy.delivery.intents import Delivery
from streams.policy.delivery.results import Accepted, AccountWide, Result, Transient, Unconfirmed
from streams.policy.delivery.rules import Rules

log = structlog.get_logger("staffetta")


@dataclass(frozen=True, slots=True)
class Job:
    """A message to be handed over."""

    delivery: Delivery
    message: Message
    begin_before: float


@dataclass(frozen=True, slots=True)
class Completion:
    delivery: Delivery
    result: Result


class Sender:
    def __init__(
        self,
        channels: Mapping[ChannelName, Channel],
        capacity: Mapping[ChannelName, Capacity],
        clock: Clock,
        rules: Rules,
        public_url: str | None,
    ) -> None:
        self._channels = channels
        self._capacity = capacity
        self._clock = clock
        self._rules = rules
        self._public_url = public_url

    async def perform(self, job: Job) -> Completion:
        channel = job.delivery.intent.channel
        result = await self._channels[channel].send(job.message, job.begin_before)
        if isinstance(result, Accepted):
            waited = self._clock.now() - job.delivery.due.due_at.timestamp()
            metrics.EVENT_TO_OUTCOME.labels(channel).observe(max(0.0, waited))
        self.heed(channel, self._channels[channel].account(job.message.address), result)
        return Completion(job.delivery, result)

    def message(self, delivery: Delivery, now: float) -> Message:
        """As the channel is given it at `now`."""
        intent, due = delivery
        content = due.contents[intent.channel]
        return Message(
            company_id=due.company_id,
            notification_id=due.notification_id,
            address=self._rules.address(intent.channel, due.recipient) or "",
            name=due.recipient.name,
            subject=content.subject or "",
            body_text=content.body_text,
            body_html=content.body_html,
            sender_name=due.sender_name,
            reply_to=due.reply_to,
            calendar=content.calendar,
            unsubscribe_url=self._unsubscribe_url(delivery),
            attempt=due.attempt,
            template=content.provider_template,
            priority=due.priority,
            ttl_seconds=None if due.not_after is None else due.not_after.timestamp() - now,
            composed_at=utc(intent.composed_at),
        )

    def _unsubscribe_url(self, delivery: Delivery) -> str | None:
        if self._public_url is None:
            return None
        intent, due = delivery
        hashed = self._rules.recipient_hash(intent.channel, due.recipient)
        return unsubscribing.link(due, intent.channel, hashed, self._public_url, self._rules.hash_key)

    def heed(self, channel: ChannelName, account: Account, result: Result) -> None:
        """What an answer, or a receipt, says about the account as a whole."""
        capacity = self._capacity[channel]
        is_left_alone = capacity.hear(account, result, self._clock.now())
        metrics.BREAKER_OPEN.labels(channel).set(capacity.is_broken)
        if isinstance(result, AccountWide):
            metrics.ACCOUNT_REFUSED.labels(channel, result.reason).inc()
        if is_left_alone:
            why = _why(result) if isinstance(result, Transient | Unconfirmed) else {}
            tell = log.warning if account.server else log.error  # what a recipient chose, nobody here can mend
            tell("nothing gets through, messages wait", **_who(channel, account), **why)
        elif is_left_alone is False:
            log.info("messages get through again", **_who(channel, account))


def _who(channel: ChannelName, account: Account) -> dict[str, str]:
    return {"channel": channel, **{name: said for name, said in account._asdict().items() if said}}


def _why(result: Transient | Unconfirmed) -> dict[str, str]:
    return {"reason": result.reason, "error": result.error}
