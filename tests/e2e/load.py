"""A standing load: booking systems of several companies that do everything there is to do, at random."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage

from tests.e2e.messages import configuration, in_two_days, opening
from tests.e2e.system import System
from tests.support.booking import Booking, Message, absence, customer, iso
from tests.support.smtp import Cut

COMPANIES = 6
STAFF = 5
TOLD = ("appointment.created", "appointment.cancelled", "callback.assigned", "callback.withdrawn")
REMINDED = timedelta(minutes=1)
"""So long before the start."""
BREATH = 0.02
"""Seconds between two handfuls of messages."""


class Salon(Booking):
    """One company's booking system under way; `next` is whatever happens there next."""

    def __init__(self, company_id: str, rng: random.Random) -> None:
        super().__init__(company_id)
        self.last_expiry = 0.0
        """When the last timer of ours is due: until then something may still happen by itself."""
        self._rng = rng
        self._callbacks_made = self._appointments_made = 0
        self._open: list[str] = []
        self._booked: list[str] = []
        self._sent: list[Message] = []

    def opens(self) -> list[Message]:
        """Three branches, one of which waits for commands; most people have room for ten callbacks."""
        directory = list(opening(self, told=TOLD))
        minutes = REMINDED // timedelta(minutes=1)
        directory.append(configuration(self, "appointment.reminder", minutes_before=minutes))
        directory += [self.branch("br-2", strategy="round_robin"), self.branch("br-3", auto_assign=False)]
        for number in range(STAFF):
            branches = ["br-1", "br-2", "br-3"] if number == 0 else [f"br-{number % 3 + 1}"]
            capacity = None if number == 0 else 10
            directory.append(self.staff(f"st-{number + 1}", branch_ids=branches, max_active_callbacks=capacity))
        return directory

    def deeds(self) -> dict[Callable[[], Message], int]:
        """What can happen, and how often beside the rest."""
        return {
            self._request: 30,
            self._change_callback: 26,
            self._appoint: 12,
            self._change_appointment: 8,
            self._command: 10,
            self._change_staff: 6,
            self._repeat: 6,
        }

    def next(self) -> Message:
        deeds = self.deeds()
        (deed,) = self._rng.choices(list(deeds), list(deeds.values()))
        message = deed()
        self._sent.append(message)
        return message

    def _request(self) -> Message:
        self._callbacks_made += 1
        callback_id = f"cb-{self._callbacks_made}"
        self._open.append(callback_id)
        return self.callback(
            callback_id,
            branch_id=f"br-{self._rng.randint(1, 3)}",
            staff_id=self._anybody() if self._rng.random() < 0.1 else None,
            priority=self._rng.choice(["normal", "normal", "high", "urgent"]),
            requested_at=iso(datetime.now(UTC)),
            expires_at=self._soon() if self._rng.random() < 0.1 else None,
            customer=customer(customer_id=f"cu-{callback_id}", email=f"{callback_id}@kunde.example"),
        )

    def _change_callback(self) -> Message:
        if not self._open:
            return self._request()
        callback_id = self._rng.choice(self._open)
        luck = self._rng.random()
        if luck < 0.75 or len(self._open) > 30:
            self._open.remove(callback_id)
            return self.callback(callback_id, self._rng.choice(["contacted", "completed", "cancelled"]))
        if luck < 0.85:
            return self.callback(callback_id, "assigned", assigned_to=self._anybody())
        if luck < 0.9:
            return self.callback(callback_id, "unassigned")
        return self.callback(callback_id, "updated", notes="bitte nach 16 Uhr")

    def _appoint(self) -> Message:
        self._appointments_made += 1
        appointment_id = f"ap-{self._appointments_made}"
        self._booked.append(appointment_id)
        who = customer(customer_id=f"cu-{appointment_id}", email=f"{appointment_id}@kunde.example")
        is_soon = self._rng.random() < 0.5
        starts_at = iso(self._soon_at() + REMINDED) if is_soon else in_two_days()
        return self.appointment(appointment_id, starts_at=starts_at, customer=who)

    def _change_appointment(self) -> Message:
        if not self._booked:
            return self._appoint()
        appointment_id = self._rng.choice(self._booked)
        if self._rng.random() < 0.5:
            return self.appointment(appointment_id, "updated", notes="Parkplatz freihalten")
        self._booked.remove(appointment_id)
        return self.appointment(appointment_id, "cancelled")

    def _command(self) -> Message:
        callback_id = f"cb-{self._rng.randint(1, self._callbacks_made + 1)}"
        luck = self._rng.random()
        if luck < 0.3:
            return self.bulk_auto_assign(branch_id="br-3")
        return self.auto_assign(callback_id) if luck < 0.6 else self.reassign(callback_id)

    def _change_staff(self) -> Message:
        """Somebody leaves, comes back, has more or less room, or is away for some seconds."""
        staff_id, luck = self._anybody(but_the_first=True), self._rng.random()
        if luck < 0.2:
            return self.staff(staff_id, is_active=False)
        if luck < 0.3:
            return self.deleted("staff", staff_id)
        if luck < 0.5:
            now = datetime.now(UTC)
            return self.staff(staff_id, is_active=True, absences=[absence(now, self._soon_at())])
        return self.staff(staff_id, is_active=True, absences=[], max_active_callbacks=self._rng.randint(4, 12))

    def _repeat(self) -> Message:
        """What was sent before, once more: nothing may come of it."""
        return self._rng.choice(self._sent) if self._sent else self._request()

    def _anybody(self, *, but_the_first: bool = False) -> str:
        return f"st-{self._rng.randint(2 if but_the_first else 1, STAFF)}"

    def _soon(self) -> str:
        return iso(self._soon_at())

    def _soon_at(self) -> datetime:
        at = datetime.now(UTC) + timedelta(seconds=self._rng.uniform(1, 5))
        self.last_expiry = max(self.last_expiry, at.timestamp())
        return at


class Load(threading.Thread):
    """Sends `rate` messages a second until it is told to finish, among them some that nobody can read."""

    def __init__(
        self, system: System, rng: random.Random, rate: float, salons: Sequence[Salon] | None = None
    ) -> None:
        """`salons`: those of the standing load, unless others are given."""
        super().__init__(name="load", daemon=True)
        self.sent = 0
        self.poison = 0
        self.acknowledged: Counter[str] = Counter()
        """Topic -> how many records the brokers have taken."""
        self._system, self._rng, self._rate = system, rng, rate
        self._salons = salons or [Salon(f"co-{number}", rng) for number in range(COMPANIES)]
        self._told = threading.Event()
        self._failure: BaseException | None = None

    def open(self) -> None:
        """The directory, before anything that rests on it."""
        for salon in self._salons:
            for message in salon.opens():
                self._produce(message.topic, message.key, message.value)
        self._system.flush()

    def run(self) -> None:
        try:
            began = time.monotonic()
            while not self._told.wait(BREATH):
                while self.sent < (time.monotonic() - began) * self._rate:
                    self._send_one()
            self._system.flush()
        except BaseException as error:  # a thread's exception is nobody's, else
            self._failure = error

    def finish(self) -> None:
        """No more messages; wait until the brokers have them all, and until nothing more falls due."""
        self._told.set()
        self.join()
        if self._failure is not None:
            raise AssertionError("the load itself failed") from self._failure
        due = max(salon.last_expiry for salon in self._salons) + 1
        while time.time() < due:
            time.sleep(0.1)
        # A repetition, from after that moment: by its timestamp the audit knows that everything was due.
        repeated = self._salons[0].opens()[0]
        self._produce(repeated.topic, repeated.key, repeated.value)
        self._system.flush()

    def _send_one(self) -> None:
        self.sent += 1
        message = self._rng.choice(self._salons).next()
        self._produce(message.topic, message.key, message.value)
        luck = self._rng.random()
        if luck < 0.005:
            self.poison += 1
            self._produce(message.topic, message.key, message.value[:-10])
        elif luck < 0.025:
            self._hurt_mail()

    def _produce(self, topic: str, key: bytes, value: bytes) -> None:
        def taken(error: KafkaError | None, _: KafkaMessage) -> None:
            if error is not None:
                raise KafkaException(error)
            self.acknowledged[topic] += 1

        self._system.produce(topic, key, value, taken)

    def _hurt_mail(self) -> None:
        stage, fault = self._rng.choice(
            [
                ("DOT", Cut.DROP),
                ("DOT", "451 4.3.0 try again"),
                ("RCPT", "450 4.2.1 mailbox busy"),
                ("RCPT", "550 5.7.1 not accepted"),
                ("MAIL", Cut.DROP),
            ]
        )
        self._system.box.plan(stage, fault)
