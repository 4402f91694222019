"""How the demo's customers can be reached, most in several ways, some in one alone; and what leads nowhere."""

from random import Random
from typing import Any

from streams.simulator import Fault, Kind, Receipt, Rule
from streams.simulator.protocols import fcm, twilio, webpush, whatsapp

WAYS: dict[tuple[str, ...], int] = {
    ("email", "phone"): 46,
    ("email", "phone", "app"): 18,
    ("email", "phone", "browser"): 10,
    ("phone",): 8,
    ("email",): 8,
    ("app",): 4,
    ("browser",): 3,
    ("email", "app"): 3,
}
"""Of a hundred customers."""
REMOVED = "removed-"
"""What the tokens of apps and the names of browsers begin with that nobody has any more."""

NOWHERE = {
    "Phones that end in 7 are off: SMS are taken, and fail later (30003)": Rule(
        protocol=twilio.NAME,
        recipient="*7",
        fault=Fault(receipts=(Receipt(status="sent"), Receipt(status="undelivered", code=30003))),
    ),
    "Numbers that end in 3 have no WhatsApp (131026)": Rule(
        protocol=whatsapp.NAME, recipient="*3", fault=Fault(kind=Kind.REFUSE, code=131026)
    ),
    "Some have removed the app (FCM: UNREGISTERED)": Rule(
        protocol=fcm.NAME, recipient=f"{REMOVED}*", fault=Fault(kind=Kind.REFUSE, code="UNREGISTERED")
    ),
    "Some browsers have unsubscribed (Web Push: 410)": Rule(
        protocol=webpush.NAME, recipient=f"{REMOVED}*", fault=Fault(kind=Kind.REFUSE, code=410)
    ),
}
"""What holds all day: in words, and as the simulated providers have it."""


class Reach:
    """`push_service` is the URL with which the browsers' endpoints begin."""

    def __init__(self, rng: Random, push_service: str) -> None:
        self._rng = rng
        self._push_service = push_service

    def of(self, number: int) -> dict[str, Any]:
        """The fields of a customer that say how they are reached."""
        [ways] = self._rng.choices(list(WAYS), list(WAYS.values()))
        found: dict[str, Any] = {}
        if "email" in ways:
            found["email"] = f"kunde{number}@kunden.example"
        if "phone" in ways:
            found["phone"] = f"+4915100{number:06d}"
        device = f"{REMOVED if self._rng.random() < 0.15 else ''}{{}}-{number}"
        if "app" in ways:
            found["push"] = {"fcm_token": device.format("phone")}
        if "browser" in ways:
            found["push"] = {"web_push": webpush.subscription(self._push_service, device.format("browser"))}
        return found
