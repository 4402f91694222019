"""Who the recipient is, where they can be written to, and which language they read."""

from typing import Any, NamedTuple

from schemas.addresses import usable_email, usable_phone
from schemas.customer import Push
from schemas.notifications import NotificationRequest
from schemas.push_addresses import usable_push
from schemas.reasons import Audience
from streams.policy.notification import rows
from streams.policy.notification.lines import one_line
from streams.policy.notification.memory import Memory
from streams.policy.notification.texts import DEFAULT_LOCALE, LANGUAGES
from streams.policy.notification.triggers import Trigger


class Recipient(NamedTuple):
    """An address is None where there is no usable one."""

    id: str
    name: str
    email: str | None
    locale: str
    phone: str | None = None
    push: dict[str, Any] | None = None
    """As a request has it."""
    push_address: str | None = None


def recipient(trigger: Trigger, company: rows.Company | None, memory: Memory) -> Recipient:
    """The customer as the event has them, or the colleague as the directory does; the id of who was erased."""
    company_locale = company.locale if company is not None else None
    person = trigger.facts.customer
    if trigger.audience is Audience.CUSTOMER and person is not None:
        choice = memory.read(rows.Reader, rows.DIRECTORY, f"customer/{person.id}")
        locale = reads(choice.locale if choice is not None else None, person.locale, company_locale)
        push = None if person.push is None else Push.model_validate(person.push)
        return _reached(person.id, one_line(person.name), locale, person.email, person.phone, push)
    is_staff = trigger.audience is Audience.STAFF
    staff = memory.read(rows.Staff, rows.DIRECTORY, f"staff/{trigger.person}") if is_staff else None
    if staff is None:
        return Recipient(trigger.person, "", None, reads(company_locale))
    return _reached(trigger.person, one_line(staff.name), reads(company_locale), staff.email, staff.phone)


def of_request(request: NotificationRequest) -> Recipient:
    """As a request has them, ours or another system's."""
    person = request.recipient
    return _reached(person.id, person.name, request.locale, person.email, person.phone, person.push)


def _reached(
    id: str, name: str, locale: str, email: str | None, phone: str | None, push: Push | None = None
) -> Recipient:
    reached = Recipient(id, name, usable_email(email), locale, usable_phone(phone))
    address = usable_push(push)
    if push is None or address is None:
        return reached
    return reached._replace(push=push.model_dump(exclude_none=True), push_address=address)


def reads(*locales: str | None) -> str:
    """The first of them for which there are texts, by its language subtag (`de-AT` is `de`)."""
    for locale in locales:
        language = (locale or "").replace("_", "-").partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LOCALE
