"""From a trigger to messages: wait for what is missing, ask the configurations, and write."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from schemas.event_types import DECISIONS
from schemas.reasons import Audience, Level, Suppression
from streams.clock import utc
from streams.policy.notification import consent, messages, quiet, recipients, routing, rows, waiting, writing
from streams.policy.notification.channels import CHANNELS, address
from streams.policy.notification.identity import recipient_hash
from streams.policy.notification.memory import Memory
from streams.policy.notification.messages import Chosen, Message, Rules
from streams.policy.notification.ownership import WITHDRAWN
from streams.policy.notification.rows import DIRECTORY, Config
from streams.policy.notification.senders import sender
from streams.policy.notification.triggers import Trigger, is_past

UNTOLD = frozenset({Suppression.TOO_LATE, Suppression.ERASED})
"""Reasons that came between a message and its sending: only worth saying if there would have been a message."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells what a record of one company has triggered; `at` is the record's time in seconds."""

    memory: Memory
    at: float
    rules: Rules

    def tell(self, trigger: Trigger) -> list[Message]:
        """The messages to write. While the trigger must wait, there are none."""
        if trigger.reason in UNTOLD and not self._is_expected(trigger):
            return []
        if trigger.reason is not None:
            return [self._suppressed(trigger, trigger.reason)]
        branch_key, staff_key = f"branch/{trigger.facts.branch_id}", f"staff/{trigger.person}"
        branch = self.memory.read(rows.Branch, DIRECTORY, branch_key)
        if branch is None or not branch.zone:
            return self._waiting(trigger, branch_key)
        if trigger.audience is Audience.STAFF:
            colleague = self.memory.read(rows.Staff, DIRECTORY, staff_key)
            if colleague is None and trigger.cause.topic == DECISIONS:
                return self._waiting(trigger, staff_key)
            if colleague is not None and colleague.has_left and trigger.event_type == WITHDRAWN:
                return []
        return list(self._routed(trigger, branch))

    def _waiting(self, trigger: Trigger, need: str) -> list[Message]:
        """Without the branch no time can be told, without a colleague whom we ourselves chose there is no address.
        Both are on their way."""
        if is_past(trigger.not_after, self.at):
            return self.tell(replace(trigger, reason=Suppression.TOO_LATE))
        waiting.keep(trigger, need, self.at, self.memory)
        return []

    def _is_expected(self, trigger: Trigger) -> bool:
        return routing.is_missed(trigger) or self._deciding(trigger) is not None

    def _deciding(self, trigger: Trigger) -> tuple[Level, tuple[Config, ...]] | None:
        def configs_at(route: str) -> tuple[Config, ...]:
            row = self.memory.read(rows.Route, DIRECTORY, route)
            return row.configs if row is not None else ()

        decided = routing.deciding(trigger, self.memory.company_id, configs_at)
        if decided is None or trigger.config_id is None:
            return decided
        level, configs = decided
        only = tuple(config for config in configs if config.id == trigger.config_id)
        return (level, only) if only else None

    def _routed(self, trigger: Trigger, branch: rows.Branch) -> Iterator[Message]:
        decided = self._deciding(trigger)
        if decided is None:
            if routing.is_missed(trigger):
                yield self._suppressed(trigger, Suppression.NO_CONFIGURATION)
            return
        level, configs = decided
        for config in configs:
            chosen = Chosen(level, config)
            if config.is_enabled:
                yield self._requested(trigger, branch, chosen)
            else:
                yield self._suppressed(trigger, Suppression.DISABLED, chosen)

    def _requested(self, trigger: Trigger, branch: rows.Branch, chosen: Chosen) -> Message:
        company = self.memory.read(rows.Company, DIRECTORY, "company")
        choice = consent.reader(trigger.audience, trigger.person, self.memory)
        person = trigger.facts.customer
        whose = quiet.Whose(choice, person.zone if person is not None else None, branch, company)
        held = quiet.held(trigger, messages.priority(trigger), utc(self.at), whose)
        if held.is_too_late(trigger.not_after):
            return self._suppressed(trigger, Suppression.TOO_LATE, chosen)
        chosen = chosen.in_order(consent.ordered(chosen.config.channels, choice))
        recipient = recipients.recipient(trigger, company, self.memory)
        unusable = list(consent.unusable(chosen.config.channels, recipient, trigger.event_type, choice))
        without = {each["channel"] for each in unusable}
        usable = [channel for channel in chosen.config.channels if channel not in without]
        who, at = self.memory.company_id, utc(self.at)
        by = sender(branch, company, self.rules.mail_address)
        about = writing.About(trigger, recipient, company, branch, by, at)
        contents = writing.contents(about, self.memory, usable, chosen.config.template_id)
        request = messages.request(trigger, who, at, chosen, recipient, unusable, contents, by, self.rules)
        request.data.update(held.fields())
        return request

    def _suppressed(self, trigger: Trigger, reason: Suppression, chosen: Chosen | None = None) -> Message:
        company = self.memory.read(rows.Company, DIRECTORY, "company")
        recipient = recipients.recipient(trigger, company, self.memory)
        found = address(chosen.config.channels if chosen is not None else CHANNELS, recipient)
        hashed = recipient_hash(self.rules.recipient_hash_key, found or recipient.id)
        return messages.suppressed(trigger, self.memory.company_id, utc(self.at), reason, hashed, chosen)
