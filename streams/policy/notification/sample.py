"""An invented appointment and callback, to look at texts with."""

from datetime import UTC, datetime

from streams.policy.notification.facts import Facts, Person, Urls
from streams.policy.notification.placeholders import Names, Values, values

PERSON = Person("cu-1", "Erika Muster", "erika@example.org", "de", "+49 30 9876543")
LINKS = Urls("https://example.org/a1", "https://example.org/a1/cancel", "https://example.org/a1/move")
NAMES = Names(
    company="Beispiel GmbH",
    branch="Filiale Mitte",
    branch_zone="Europe/Berlin",
    branch_address="Hauptstraße 1\n10115 Berlin",
    branch_phone="+49 30 1234567",
    service="Beratung",
    staff="Anna Beispiel",
)


def sample(event_type: str, locale: str, extra: dict[str, str]) -> Values:
    """The values of every placeholder for a message about this type."""
    return values(_facts(event_type, extra), NAMES, locale)


def _facts(event_type: str, extra: dict[str, str]) -> Facts:
    about = {"id": "1", "version": 2, "branch_id": "b-1", "service_id": "s-1", "staff_id": "st-1"}
    if event_type.startswith("callback."):
        return Facts(
            type="callback",
            status="pending",
            customer=PERSON,
            links=Urls(),
            priority="high",
            extra=extra,
            **about,  # type: ignore[arg-type]
        )
    has_moved = event_type == "appointment.rescheduled"
    return Facts(
        type="appointment",
        status="booked",
        customer=PERSON,
        links=LINKS,
        starts_at=datetime(2026, 11, 24, 13, 30, tzinfo=UTC),
        duration_minutes=45,
        previous_starts_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC) if has_moved else None,
        extra=extra,
        **about,  # type: ignore[arg-type]
    )
