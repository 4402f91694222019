"""The appointment as a calendar entry (RFC 5545, 5546), for the customer's mail.

The entry is found again by its UID, so that a change replaces it and a cancellation takes it out. It is a function
of the event and the directory: its time stamp is the record's.
"""

from datetime import datetime, timedelta

from icalendar import Calendar, Event, vCalAddress, vText

from streams.policy.notification.facts import Facts
from streams.policy.notification.placeholders import Values
from streams.policy.notification.recipients import Recipient
from streams.policy.notification.senders import Sender
from streams.policy.notification.texts import LANGUAGES
from streams.policy.notification.texts.wording import Occasion
from streams.policy.notification.triggers import ENDED

GREATEST = 2**31 - 1
"""Of an iCalendar integer. Of two entries with the same sequence, the one with the later time stamp holds."""


def invitation(
    occasion: Occasion,
    facts: Facts,
    company_id: str,
    at: datetime,
    recipient: Recipient,
    sender: Sender,
    values: Values,
) -> str | None:
    """The text of the calendar; None where there is no appointment, no customer or no address to stand in it.

    `values` are the placeholders', so that a confidential service is not named here either; `at` is record time.
    """
    if occasion.audience != "customer" or facts.starts_at is None or not recipient.email or not sender.address:
        return None
    ends = occasion.event_type in ENDED
    if not ends and facts.status != "booked":
        return None
    calendar, entry = Calendar(), Event()
    calendar.add("prodid", "-//Staffetta//Staffetta//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if ends else "REQUEST")
    entry.add("uid", f"{company_id}/{facts.id}@staffetta")
    entry.add("sequence", min(facts.version, GREATEST))
    entry.add("dtstamp", at.replace(microsecond=0))
    entry.add("dtstart", facts.starts_at.replace(microsecond=0))
    if facts.duration_minutes:
        entry.add("duration", timedelta(minutes=facts.duration_minutes))
    entry.add("status", "CANCELLED" if ends else "CONFIRMED")
    _describe(entry, values, recipient.locale)
    entry["organizer"] = _person(sender.name or str(values["company_name"]), sender.address)
    entry.add("attendee", _guest(recipient))
    calendar.add_component(entry)
    text: str = calendar.to_ical().decode()
    return text


def _describe(entry: Event, values: Values, locale: str) -> None:
    what = values["service_name"] or LANGUAGES[locale].neutral_service
    company, branch, address = values["company_name"], values["branch_name"], values["branch_address"]
    entry.add("summary", ", ".join(str(each) for each in (what, company) if each))
    place = ", ".join(str(each) for each in (branch, address) if each)
    if place:
        entry.add("location", place)
    if values["manage_url"]:
        entry.add("url", values["manage_url"])


def _person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["CN"] = vText(name)
    return person


def _guest(recipient: Recipient) -> vCalAddress:
    """Whoever booked comes: no answer is asked for."""
    guest = _person(recipient.name, recipient.email or "")
    guest.params["PARTSTAT"] = vText("ACCEPTED")
    guest.params["RSVP"] = vText("FALSE")
    return guest
