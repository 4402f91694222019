"""Who the recipient is, where they can be written to, and which language they read."""

from typing import NamedTuple

from schemas.addresses import usable_email
from schemas.notifications import NotificationRequest
from schemas.reasons import Audience
from streams.policy.notification import rows
from streams.policy.notification.lines import one_line
from streams.policy.notification.memory import Memory
from streams.policy.notification.texts import DEFAULT_LOCALE, LANGUAGES
from streams.policy.notification.triggers import Trigger


class Recipient(NamedTuple):
    """`email` is None where there is no usable one."""

    id: str
    name: str
    email: str | None
    locale: str


def recipient(trigger: Trigger, company: rows.Company | None, memory: Memory) -> Recipient:
    """The customer as the event has them, or the colleague as the directory does."""
    company_locale = company.locale if company is not None else None
    person = trigger.facts.customer
    if trigger.audience is Audience.CUSTOMER and person is not None:
        choice = memory.read(rows.Reader, rows.DIRECTORY, f"customer/{person.id}")
        locale = reads(choice.locale if choice is not None else None, person.locale, company_locale)
        return Recipient(person.id, one_line(person.name), usable_email(person.email), locale)
    staff = memory.read(rows.Staff, rows.DIRECTORY, f"staff/{trigger.person}")
    name, email = (staff.name, staff.email) if staff is not None else ("", None)
    return Recipient(trigger.person, one_line(name), usable_email(email), reads(company_locale))


def of_request(request: NotificationRequest) -> Recipient:
    """As a request has them, ours or another system's."""
    person = request.recipient
    return Recipient(person.id, person.name, usable_email(person.email), request.locale)


def reads(*locales: str | None) -> str:
    """The first of them for which there are texts, by its language subtag (`de-AT` is `de`)."""
    for locale in locales:
        language = (locale or "").replace("_", "-").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LOCALE
