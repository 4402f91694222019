"""What the salons of these tests have in common."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.booking import Booking, Message, iso

STAFF_TOLD = ("callback.assigned", "callback.withdrawn")


def configuration(salon: Booking, event_type: str, **fields: Any) -> Message:
    """The company has an e-mail sent for this event type."""
    data = {
        "config_id": f"cf-{event_type}",
        "level": "company",
        "level_id": salon.company_id,
        "event_type": event_type,
        "channel": "email",
        "fallback_channels": [],
        "is_enabled": True,
        "audience": "staff" if event_type in STAFF_TOLD else "customer",
    }
    return salon.directory("notification_config.upserted", f"cf-{event_type}", **{**data, **fields})


def opening(
    salon: Booking, staff: int = 1, told: tuple[str, ...] = ("appointment.created", "callback.assigned")
) -> Iterator[Message]:
    """A company with one branch, where people work and mails are sent for what is `told`."""
    yield salon.company()
    yield salon.branch()
    yield salon.service()
    for number in range(staff):
        yield salon.staff(f"st-{number + 1}")
    for event_type in told:
        yield configuration(salon, event_type)


def in_two_days() -> str:
    """By the clock of the workers, which is the wall clock."""
    return iso(datetime.now(UTC) + timedelta(days=2))
