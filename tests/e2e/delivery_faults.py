"""What can happen between an event and its mail."""

import random
import threading
import time
from collections.abc import Callable

from streams.kafka import DevKafka
from tests.e2e.faults import RoleFaults
from tests.e2e.system import System
from tests.e2e.workers import Worker
from tests.support.smtp import Cut

ROLES = ("notify", "deliver", "retry")
AWAY_SECONDS = 5.0
CUT_OFF = 5
"""So many mails in a row are taken over, and nobody is told."""


class DeliveryFaults(RoleFaults):
    """Does things to the roles on a mail's way, and to the mail server."""

    def __init__(self, system: System, rng: random.Random, broker: DevKafka | None = None) -> None:
        super().__init__(system, rng, broker)
        self._guests: dict[str, Worker] = {}
        self._absences: list[threading.Thread] = []

    @property
    def workers(self) -> list[Worker]:
        return [*super().workers, *self._guests.values()]

    def plan(self) -> list[Callable[[], None]]:
        """Twenty faults."""
        kills = [self._killing(role) for role in (*ROLES, *ROLES)]
        pauses = [self._pausing(role) for role in ROLES]
        rebalances = [self._rebalancing(role) for role in (*ROLES, *ROLES)]
        faults = [*kills, *pauses, *rebalances, *[self._send_server_away] * 2, *[self._cut_off] * 3]
        self._rng.shuffle(faults)
        return faults

    def settle(self) -> None:
        for absence in self._absences:
            absence.join()
        super().settle()

    def _rebalancing(self, role: str) -> Callable[[], None]:
        """A worker of this role joins; the next time, it leaves."""

        def rebalance() -> None:
            self._wait_until_moved(role)
            guest = self._guests.pop(role, None)
            if guest is None:
                self._guests[role] = self._system.start("--role", role)
                self._note(f"{role} joins", role)
            else:
                self._past.append(guest)
                guest.wait_until_ready()
                guest.leave()
                self._note(f"{role} leaves", role)

        return rebalance

    def _send_server_away(self) -> None:
        self._wait_until_moved("deliver")
        self._leave(self._system.box.away, self._system.box.back)
        self._note(f"server away for {AWAY_SECONDS:.0f} s")

    def _leave(self, leave: Callable[[], None], come_back: Callable[[], None]) -> None:
        """The other faults go on meanwhile; nobody is ever away for longer than that."""

        def stay_away() -> None:
            time.sleep(AWAY_SECONDS)
            come_back()

        for absence in self._absences:
            absence.join()
        leave()
        self._absences.append(threading.Thread(target=stay_away, daemon=True))
        self._absences[-1].start()

    def _cut_off(self) -> None:
        self._wait_until_moved("deliver")
        self._system.box.plan("DOT", *[Cut.DROP] * CUT_OFF)
        self._note("cut off after the final dot")
