"""What can happen between an event and its message, on four channels: to our roles, and at every provider."""

import json
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from streams.simulator.protocols import fcm, twilio, webpush, whatsapp
from tests.e2e.delivery_faults import ROLES, DeliveryFaults
from tests.e2e.faults import PATIENCE_SECONDS
from tests.support.waiting import wait_until

PROTOCOLS = (twilio.NAME, whatsapp.NAME, fcm.NAME, webpush.NAME)
PHONES = (twilio.NAME, whatsapp.NAME)
TIMES = 8
"""So many requests are hurt by each fault of a provider."""
STOPPING = 40
"""So many people want no more SMS."""

Faults = dict[str, dict[str, Any]]
"""By protocol, as the simulator's API takes them."""


def _everywhere(**fault: Any) -> Faults:
    return dict.fromkeys(PROTOCOLS, fault)


def _by_phone(**fault: Any) -> Faults:
    return dict.fromkeys(PHONES, fault)


AT_PROVIDERS: dict[str, Faults] = {
    "too many requests": _everywhere(kind="refuse", retry_after="1"),
    "500": _everywhere(kind="error", retry_after="1"),
    "answers beyond the time-out": _everywhere(kind="slow", seconds=4),
    "accepted, then cut": _everywhere(kind="cut", accepts=True),
    "dead addresses": {
        twilio.NAME: {"kind": "refuse", "code": 21614},
        whatsapp.NAME: {"kind": "refuse", "code": 131026},
        fcm.NAME: {"kind": "refuse", "code": "UNREGISTERED"},
        webpush.NAME: {"kind": "refuse", "code": 410},
    },
    "receipts twice and in any order": _by_phone(
        receipts=[{"status": status} for status in ("read", "delivered", "sent", "delivered", "read")]
    ),
    "receipts before the answer": _by_phone(kind="slow", seconds=1),
    "receipts after the grace": _by_phone(
        kind="cut",
        accepts=True,
        receipts=[{"status": status, "after_seconds": 4} for status in ("sent", "delivered")],
    ),
    "failed on the way": {
        twilio.NAME: {"receipts": [{"status": "sent"}, {"status": "undelivered", "code": 30007}]},
        whatsapp.NAME: {"receipts": [{"status": "sent"}, {"status": "failed", "code": 131026}]},
    },
}


class MixedFaults(DeliveryFaults):
    busy = (*ROLES, "record")

    def plan(self) -> list[Callable[[], None]]:
        """Twenty faults."""
        roles = [
            *[self._killing(role) for role in ("deliver", "deliver", "notify", "retry")],
            self._pausing("deliver"),
            self._rebalancing("deliver"),
            self._kill_broker,
        ]
        servers = [self._cut_off, self._send_server_away, self._shut_door]
        faults = [*roles, *servers, *map(self._failing, AT_PROVIDERS), self._stop]
        self._rng.shuffle(faults)
        return faults

    def settle(self) -> None:
        """And everything that can go wrong at a provider did."""
        wait_until(self._have_struck, "a request for each rule", PATIENCE_SECONDS)
        super().settle()

    def _have_struck(self) -> bool:
        return all(rule["struck"] for rule in self._control("GET", "/rules"))

    def _failing(self, what: str) -> Callable[[], None]:
        """The next requests to each provider that can fail so, or their receipts."""

        def fail() -> None:
            for protocol, fault in AT_PROVIDERS[what].items():
                self._control(
                    "POST", "/rules", {"protocol": protocol, "fault": fault, "times": TIMES, "rate": 0.5}
                )
            self._note(what)

        return fail

    def _shut_door(self) -> None:
        way = f"/doors/{self._rng.choice(PROTOCOLS)}"
        shut, opened = (partial(self._control, "PUT", way, {"open": is_open}) for is_open in (False, True))
        self._leave(shut, opened)
        self._note("provider away")

    def _stop(self) -> None:
        """People who got an SMS want no more of them."""
        wait_until(lambda: len(self._reached()) >= STOPPING, f"SMS to {STOPPING} people", PATIENCE_SECONDS)
        for number in self._rng.sample(self._reached(), STOPPING):
            said = {"protocol": twilio.NAME, "from": number, "to": twilio.FROM, "text": "STOP"}
            self._control("POST", "/inbound", said)
        self._note("STOP")

    def _reached(self) -> list[str]:
        got = [each.call for each in self._system.providers.accepted if each.call.protocol == twilio.NAME]
        return sorted({call.recipient for call in got})

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        """By the simulator's API: its rules are in use. Returns what it answers."""
        url = self._system.providers.simulator.control.url + path
        request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")
