"""A standing load that is all about mails: appointments made, moved and cancelled, and some that remind soon."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.load import Load, Salon
from tests.e2e.messages import configuration, in_two_days, opening
from tests.e2e.system import System
from tests.support.booking import Message, customer, iso
from tests.support.waiting import wait_until

MAILS = 2000
RATE = 30.0
"""Events a second; nearly each of them is to tell somebody."""
COMPANIES = 6
SLOW = 0.1
"""Of the mails: taken over at once, answered a second or two later."""
TOLD = ("appointment.created", "appointment.rescheduled", "appointment.cancelled")
BEFORE = timedelta(minutes=1)
"""The shortest time before the start that a configuration can say."""


class Clinic(Salon):
    """Each customer has one appointment and an address of their own, so that no two notifications are alike."""

    def __init__(self, company_id: str, rng: random.Random) -> None:
        super().__init__(company_id, rng)
        self.told = 0
        """Events so far that are to lead to a notification."""
        self.reminded: Counter[tuple[str, str]] = Counter()
        """(company, appointment) of those whose reminders fall due while this goes on; they stay as they are."""
        self._made = 0

    def opens(self) -> list[Message]:
        return [*opening(self, told=TOLD), configuration(self, "appointment.reminder", minutes_before=1)]

    def deeds(self) -> dict[Callable[[], Message], int]:
        return {self._appoint: 60, self._change_appointment: 30, self._appoint_soon: 4, self._repeat: 6}

    def _appoint(self) -> Message:
        made = self._make(in_two_days())
        self._booked.append(made.data["appointment_id"])
        return made

    def _appoint_soon(self) -> Message:
        due = datetime.now(UTC) + timedelta(seconds=self._rng.uniform(3, 12))
        self.last_expiry = max(self.last_expiry, due.timestamp())
        made = self._make(iso(due + BEFORE))
        self.reminded[self.company_id, made.data["appointment_id"]] += 1
        self.told += 1
        return made

    def _change_appointment(self) -> Message:
        """Once at most, so that whoever is told the same twice was told twice."""
        if not self._booked:
            return self._appoint()
        appointment_id = self._booked.pop(self._rng.randrange(len(self._booked)))
        luck = self._rng.random()
        if luck < 0.1:
            return self.appointment(appointment_id, "updated", notes="kommt mit Hund")
        self.told += 1
        if luck < 0.5:
            later = iso(datetime.now(UTC) + timedelta(days=3))
            return self.appointment(appointment_id, "rescheduled", starts_at=later)
        return self.appointment(appointment_id, "cancelled")

    def _make(self, starts_at: str) -> Message:
        self._made += 1
        self.told += 1
        name = f"{self.company_id}-{self._made}"
        return self.appointment(f"ap-{name}", starts_at=starts_at, customer=self._customer(name))

    def _customer(self, name: str) -> dict[str, Any]:
        return customer(customer_id=f"cu-{name}", email=f"{name}@kunde.example")


class MailLoad(Load):
    """Goes on until it is told to finish, and there were `MAILS` things to tell."""

    def __init__(
        self, system: System, rng: random.Random, rate: float = RATE, clinics: Sequence[Clinic] = ()
    ) -> None:
        self._clinics = clinics or [Clinic(f"co-{number}", rng) for number in range(COMPANIES)]
        super().__init__(system, rng, rate, self._clinics)

    @property
    def reminded(self) -> Counter[tuple[str, str]]:
        return sum((clinic.reminded for clinic in self._clinics), Counter[tuple[str, str]]())

    @property
    def told(self) -> int:
        """How many notifications are to come of it, those that reminders are included."""
        return sum(clinic.told for clinic in self._clinics)

    def _send_one(self) -> None:
        """Some answers are slow, so that whatever happens finds mails whose answers are still awaited."""
        super()._send_one()
        if self._rng.random() < SLOW:
            self._system.box.plan("DOT", self._rng.uniform(0.5, 2.5))

    def finish(self) -> None:
        wait_until(lambda: self.told >= MAILS, f"{MAILS} events", MAILS / self._rate + 60)
        super().finish()
