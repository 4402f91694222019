"""What a message says: the names it may mention, and the text for each channel that can be used."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from schemas.reasons import Audience, ChannelName
from streams.policy.notification import placeholders, rows, templates
from streams.policy.notification.facts import Facts
from streams.policy.notification.invitation import invitation
from streams.policy.notification.memory import Memory
from streams.policy.notification.recipients import Recipient
from streams.policy.notification.rows import DIRECTORY
from streams.policy.notification.senders import Sender
from streams.policy.notification.texts.wording import Occasion
from streams.policy.notification.triggers import Trigger
from streams.policy.notification.writers import write


class About(NamedTuple):
    """Who is told of what, by whom; `at` is record time."""

    trigger: Trigger
    recipient: Recipient
    company: rows.Company | None
    branch: rows.Branch
    sender: Sender
    at: datetime


def contents(about: About, memory: Memory, channels: Iterable[str], template_id: str = "") -> dict[str, Any]:
    """Channel -> content; `template_id` is the configuration's own text, for its own channel alone.

    Nobody reads that an appointment stands which, by the same event, is cancelled; not in own words either.
    """
    trigger, recipient = about.trigger, about.recipient
    own = templates.own(template_id, memory) if trigger.says == trigger.event_type else None
    occasion = Occasion(trigger.says, trigger.audience)
    values = placeholders.values(trigger.facts, _names(about, memory), recipient.locale)
    written = {name: write(name, occasion, recipient.locale, values, own) for name in channels}
    mail = written.get(ChannelName.EMAIL)
    if mail is not None:
        entry = invitation(occasion, trigger.facts, memory.company_id, about.at, recipient, about.sender, values)
        written[ChannelName.EMAIL] = mail if entry is None else {**mail, "calendar": entry}
    return written


def _names(about: About, memory: Memory) -> placeholders.Names:
    company, branch = about.company, about.branch
    return placeholders.Names(
        company=company.name if company is not None else branch.name,
        branch=branch.name,
        branch_zone=branch.zone,
        branch_address=branch.address,
        branch_phone=branch.phone,
        service=_service(about.trigger.facts, memory),
        staff=_staff(about.trigger, about.recipient, memory),
    )


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
