"""What a message says: the names it may mention, and the text for each channel that can be used."""

from collections.abc import Iterable
from typing import Any

from schemas.reasons import Audience
from streams.policy.notification import placeholders, rows
from streams.policy.notification.channels import CHANNELS
from streams.policy.notification.facts import Facts
from streams.policy.notification.memory import Memory
from streams.policy.notification.recipients import Recipient
from streams.policy.notification.rows import DIRECTORY
from streams.policy.notification.texts.wording import Occasion
from streams.policy.notification.triggers import Trigger

CANCELLED = "cancelled"
STANDING = frozenset(f"appointment.{what}" for what in ("created", "updated", "rescheduled", "reminder"))
"""Texts that speak of an appointment that will take place."""


def contents(
    trigger: Trigger,
    recipient: Recipient,
    company: rows.Company | None,
    branch: rows.Branch,
    memory: Memory,
    channels: Iterable[str],
) -> dict[str, Any]:
    """Channel -> content. Nobody reads that an appointment stands which, by the same event, is cancelled."""
    event_type = trigger.event_type
    if event_type in STANDING and trigger.facts.status == CANCELLED:
        event_type = "appointment.cancelled"
    occasion = Occasion(event_type, trigger.audience)
    names = placeholders.Names(
        company=company.name if company is not None else branch.name,
        branch=branch.name,
        branch_zone=branch.zone,
        branch_address=branch.address,
        branch_phone=branch.phone,
        service=_service(trigger.facts, memory),
        staff=_staff(trigger, recipient, memory),
    )
    values = placeholders.values(trigger.facts, names, recipient.locale)
    return {name: CHANNELS[name].write(occasion, recipient.locale, values) for name in channels}


def _service(facts: Facts, memory: Memory) -> str | None:
    """A service that is confidential, or of which that is not known, is not named."""
    if facts.service_id is None:
        return ""
    service = memory.read(rows.Service, DIRECTORY, f"service/{facts.service_id}")
    return None if service is None or service.confidential else service.name


def _staff(trigger: Trigger, recipient: Recipient, memory: Memory) -> str:
    if trigger.audience is Audience.STAFF:
        return recipient.name
    staff_id = trigger.facts.staff_id
    staff = memory.read(rows.Staff, DIRECTORY, f"staff/{staff_id}") if staff_id is not None else None
    return staff.name if staff is not None else ""
