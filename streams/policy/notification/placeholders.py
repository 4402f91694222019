"""The values of the contract's placeholders for one message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from streams.policy.notification import formats
from streams.policy.notification.facts import Facts
from streams.policy.notification.lines import address_line, one_line
from streams.policy.notification.texts import LANGUAGES

Values = Mapping[str, str | bool | Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Names:
    """What the directory knows about where, what and with whom. Empty: unknown or not given."""

    company: str
    branch: str
    branch_zone: str
    branch_address: str
    branch_phone: str
    service: str | None
    """None: there is one, and it must not be named."""
    staff: str


def values(facts: Facts, names: Names, locale: str) -> Values:
    """Every placeholder, empty where there is nothing to say. Each value is one line, so that none can begin a
    line of its own in a header or in the text."""
    language, customer = LANGUAGES[locale], facts.customer
    date, time = _when(facts.starts_at, names.branch_zone, locale)
    return {
        "customer_name": one_line(customer.name) if customer else "",
        "callback_phone": one_line(customer.phone or "") if customer else "",
        "callback_priority": language.priorities.get(facts.priority or "", ""),
        "is_urgent": facts.priority == "urgent",
        "appointment_date": date,
        "appointment_time": time,
        "appointment_duration": formats.duration_text(facts.duration_minutes, locale),
        "previous_appointment_time": " ".join(_when(facts.previous_starts_at, names.branch_zone, locale)).strip(),
        "service_name": language.neutral_service if names.service is None else one_line(names.service),
        "staff_name": one_line(names.staff),
        "company_name": one_line(names.company),
        "branch_name": one_line(names.branch),
        "branch_address": address_line(names.branch_address),
        "branch_phone": one_line(names.branch_phone),
        "manage_url": facts.links.manage or "",
        "cancel_url": facts.links.cancel or "",
        "reschedule_url": facts.links.reschedule or "",
        "extra": facts.extra,
    }


def _when(moment: datetime | None, zone: str, locale: str) -> tuple[str, str]:
    if moment is None:
        return "", ""
    return formats.date_text(moment, zone, locale), formats.time_text(moment, zone, locale)
